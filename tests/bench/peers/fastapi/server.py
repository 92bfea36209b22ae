"""The same tasks with FastAPI, SQLModel and asyncpg, in one process of uvicorn."""

import os
from datetime import date, datetime, time
from typing import Annotated, Literal
from uuid import UUID, uuid4

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Query
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic import Field as Limited
from sqlalchemy import Column, DateTime, Text, func, or_, text, update
from sqlalchemy.dialects.postgresql import ARRAY, ENUM
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel, select

secret = os.environ["BETTER_AUTH_SECRET"]
engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"),
    pool_size=10,
    max_overflow=0,
    connect_args={"server_settings": {"TimeZone": "UTC"}},
)
sessions = async_sessionmaker(engine, expire_on_commit=False)

Priority = Literal["none", "low", "medium", "high"]
priority_type = ENUM("none", "low", "medium", "high", name="task_priority", schema="docket", create_type=False)


class Task(SQLModel, table=True):
    __tablename__ = "tasks"
    __table_args__ = {"schema": "docket"}

    user_id: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True, default_factory=uuid4)
    list_id: UUID | None = None
    parent_id: UUID | None = None
    position: str = "i000000000"
    title: str
    description: str | None = None
    completed_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))
    priority: str = Field(default="none", sa_column=Column(priority_type))
    tags: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text)))
    due_date: date | None = None
    due_time: time | None = None
    time_zone: str | None = None
    recurrence: str | None = None
    repeat_from: str | None = None
    series_id: UUID | None = None
    occurrence: date | None = None
    reminders: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text)))
    version: int = 1
    created_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), server_default=func.now())
    )
    updated_at: datetime | None = Field(
        default=None, sa_column=Column(DateTime(timezone=True), server_default=func.now())
    )
    deleted_at: datetime | None = Field(default=None, sa_column=Column(DateTime(timezone=True)))

    @property
    def completed(self) -> bool:
        return self.completed_at is not None


# With +00:00, where pydantic by itself would write Z.
Instant = Annotated[datetime, PlainSerializer(lambda value: value.isoformat(), return_type=str)]


class TaskOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: str
    list_id: UUID | None
    parent_id: UUID | None
    position: str
    title: str
    description: str | None
    completed: bool
    completed_at: Instant | None
    priority: Priority
    tags: list[str]
    due_date: date | None
    due_time: time | None
    time_zone: str | None
    recurrence: str | None
    repeat_from: str | None
    series_id: UUID | None
    occurrence: date | None
    reminders: list[str]
    version: int
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None


class CompletedOut(TaskOut):
    next_task: TaskOut | None = None


Title = Annotated[str, Limited(min_length=1, max_length=500)]
Tag = Annotated[str, Limited(min_length=1, max_length=50)]


class Fields(BaseModel):
    model_config = ConfigDict(extra="forbid")

    description: Annotated[str | None, Limited(max_length=20_000)] = None
    priority: Priority = "none"
    tags: Annotated[list[Tag], Limited(max_length=20)] = []
    due_date: date | None = None
    due_time: time | None = None
    time_zone: str | None = None


class NewTask(Fields):
    title: Title


class TaskPatch(Fields):
    title: Title = ""


class Completion(BaseModel):
    completed: bool


bearer = HTTPBearer(auto_error=False)


async def signed_in(
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    try:
        claims = jwt.decode(credentials.credentials if credentials else "", secret, ["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401, "Sign in first.")
    return claims["sub"]


async def database():
    async with sessions() as session:
        yield session


User = Annotated[str, Depends(signed_in)]
Session = Annotated[AsyncSession, Depends(database)]

app = FastAPI()

orders = {
    "created_at": [Task.created_at.desc(), Task.id.desc()],
    "updated_at": [Task.updated_at.desc(), Task.id.desc()],
    "due_date": [text("coalesce(due_date + coalesce(due_time, '23:59:59.5'), 'infinity')"), Task.id],
    "priority": [Task.priority.desc(), Task.id.desc()],
    "title": [text("title_key"), Task.id],
}


def found(task: Task | None) -> Task:
    if task is None:
        raise HTTPException(404, "You have no task with this id.")
    return task


@app.get("/api/tasks", response_model=list[TaskOut])
async def list_tasks(
    user: User,
    session: Session,
    status: Literal["all", "pending", "completed"] = "all",
    priority: str | None = None,
    due_before: date | None = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    sort: Literal["created_at", "updated_at", "due_date", "priority", "title"] = "created_at",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
):
    statement = select(Task).where(Task.user_id == user, Task.deleted_at.is_(None))
    if status == "pending":
        statement = statement.where(Task.completed_at.is_(None))
    if status == "completed":
        statement = statement.where(Task.completed_at.is_not(None))
    if priority:
        statement = statement.where(Task.priority.in_(priority.split(",")))
    if due_before:
        statement = statement.where(Task.due_date <= due_before)
    if q:
        texts = (Task.title, Task.description, func.array_to_string(Task.tags, " "))
        statement = statement.where(or_(*(one.ilike(f"%{q}%") for one in texts)))
    return (await session.scalars(statement.order_by(*orders[sort]).limit(limit))).all()


@app.get("/api/tasks/{id}", response_model=TaskOut)
async def get_task(user: User, session: Session, id: UUID):
    statement = select(Task).where(Task.user_id == user, Task.id == id, Task.deleted_at.is_(None))
    return found((await session.scalars(statement)).one_or_none())


@app.post("/api/tasks", response_model=TaskOut, status_code=201)
async def create_task(user: User, session: Session, body: NewTask):
    task = Task(user_id=user, **body.model_dump())
    session.add(task)
    await session.commit()
    return task


async def change(session: AsyncSession, user: str, id: UUID, values: dict) -> Task:
    statement = (
        update(Task)
        .where(Task.user_id == user, Task.id == id, Task.deleted_at.is_(None))
        .values(**values, version=Task.version + 1, updated_at=func.now())
        .returning(Task)
    )
    task = (await session.scalars(statement)).one_or_none()
    await session.commit()
    return found(task)


@app.patch("/api/tasks/{id}", response_model=TaskOut)
async def update_task(user: User, session: Session, id: UUID, body: TaskPatch):
    return await change(session, user, id, body.model_dump(exclude_unset=True))


@app.post("/api/tasks/{id}/complete", response_model=CompletedOut)
async def complete_task(user: User, session: Session, id: UUID, body: Completion):
    completed_at = func.coalesce(Task.completed_at, func.now()) if body.completed else None
    return await change(session, user, id, {"completed_at": completed_at})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False)
