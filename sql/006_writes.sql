-- Less for every write to do.

-- listTasks, sort=due_date, order=desc: read out of tasks_by_due_date, backwards, and after it those without a date.
drop index tasks_by_due_date_desc;

-- User ids are compared byte by byte: they mean nothing in any language. It is faster, and the keys stay right when the
-- operating system sorts another way after an upgrade.
alter table tasks drop constraint tasks_user_id_fkey, drop column json;
alter table users alter column id type text collate "C";
alter table idempotency_keys alter column user_id type text collate "C";
alter table tasks
  alter column user_id type text collate "C",
  add constraint tasks_user_id_fkey foreign key (user_id) references users (id) on delete cascade,
  add column json text not null generated always as (
    docket_json(
      user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone, version, created_at,
      updated_at, deleted_at
    )
  ) stored;
