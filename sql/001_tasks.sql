-- One row for each caller who has ever written: the `sub` of the token. It comes to be in the same
-- statement as the first task.
create table users (
  id         text        primary key,
  created_at timestamptz not null default now(),

  constraint users_id_length check (char_length(id) between 1 and 255)
);

-- Declared in the order in which it sorts.
create type task_priority as enum ('none', 'low', 'medium', 'high');

-- One task of one user. `completed_at is null` means pending and `deleted_at is null` means not in the
-- trash: there is no separate boolean to disagree with either.
create table tasks (
  user_id      text          not null references users (id) on delete cascade,
  id           uuid          not null,
  title        text          not null,
  description  text,
  completed_at timestamptz,
  priority     task_priority not null default 'none',
  tags         text[]        not null default '{}',
  due_date     date,
  due_time     time(0),       -- On the clock of the user, wherever that is.
  time_zone    text,          -- IANA name. Null floats: the time is local to whoever reads it.
  version      integer       not null default 1,
  created_at   timestamptz   not null default now(),
  updated_at   timestamptz   not null default now(),
  deleted_at   timestamptz,

  -- `user_id` first: the key itself cannot join two users, and a client-chosen id says nothing about others.
  primary key (user_id, id),

  constraint tasks_title_length check (char_length(title) between 1 and 500),
  constraint tasks_description_length check (char_length(description) <= 20000),
  constraint tasks_tags_count check (cardinality(tags) <= 20),
  constraint tasks_tags_no_null check (array_position(tags, null) is null),
  constraint tasks_due_date_range check (due_date between '0001-01-01' and '9999-12-31'),
  constraint tasks_due_time_needs_due_date check (due_time is null or due_date is not null),
  constraint tasks_time_zone_needs_due_time check (time_zone is null or due_time is not null),
  constraint tasks_time_zone_length check (char_length(time_zone) <= 100),
  constraint tasks_version_positive check (version > 0)
);

-- listTasks, sort=created_at, which is also the default.
create index tasks_by_created_at on tasks (user_id, created_at, id) where deleted_at is null;

-- listTasks, sort=updated_at: what changed last, or since the last look.
create index tasks_by_updated_at on tasks (user_id, updated_at, id) where deleted_at is null;

-- listTasks, sort=due_date, order=asc: a task without a date comes last. Also due_before and due_after.
create index tasks_by_due_date on tasks (user_id, coalesce(due_date, 'infinity'), id) where deleted_at is null;

-- listTasks, sort=due_date, order=desc: a task without a date comes last here too.
create index tasks_by_due_date_desc on tasks (user_id, coalesce(due_date, '-infinity'), id) where deleted_at is null;

-- listTasks, sort=priority.
create index tasks_by_priority on tasks (user_id, priority, id) where deleted_at is null;

-- listTasks, sort=title, whatever the case of its letters.
create index tasks_by_title on tasks (user_id, lower(title), id) where deleted_at is null;

-- listTasks, deleted=true: the trash, small enough to be sorted by anything.
create index tasks_in_trash on tasks (user_id) where deleted_at is not null;
