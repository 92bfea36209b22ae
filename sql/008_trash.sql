-- The trash has the same orders as what is not in it, so that a page of it costs the same: to sort a large one would take long.
drop index tasks_in_trash;
create index trash_by_created_at on tasks (user_id, created_at, id) where deleted_at is not null;
create index trash_by_updated_at on tasks (user_id, updated_at, id) where deleted_at is not null;
create index trash_by_due_date on tasks (user_id, coalesce(due_date, 'infinity'), id) where deleted_at is not null;
create index trash_by_priority on tasks (user_id, priority, id) where deleted_at is not null;
create index trash_by_title on tasks (user_id, lower(title), id) where deleted_at is not null;
