-- The log: one row for each change of something of a user's, with what it was before, made in the same statement. It is history,
-- undo, and what else wants to know who did what.
create table docket.changes (
  user_id    text        not null collate "C",
  seq        bigint      not null,
  type       text        not null, -- Of what: task.
  id         uuid        not null,
  action     text        not null, -- created, updated, completed, reopened, deleted, restored, imported, purged.
  previous   bigint,               -- The change of the same thing before this one: its history needs no index.
  before     text,                 -- Its JSON before; null: there was none. What is absent in it did not change.
  actor      text,                 -- Who did it, as JSON.
  request_id text,                 -- What was done together.
  at         timestamptz not null,
  day        date        not null, -- Of `at`.

  primary key (user_id, seq)
);

create index changes_by_request on docket.changes (user_id, request_id, seq) where request_id is not null;
-- The sweep. Equal entries are one list.
create index changes_by_day on docket.changes (day);

-- The last change of each thing, for good: what there is, and what there was, in the order in which it changed. A table of its own,
-- since an index of tasks by a number that every change gives them would have each change touch all the others too. Its key is what
-- never changes: who has waited for another change of the same thing finds it by that, and would not by the number that it had.
create table docket.latest (
  user_id text   not null collate "C",
  type    text   not null,
  id      uuid   not null,
  seq     bigint not null,

  primary key (user_id, type, id)
) with (autovacuum_vacuum_scale_factor = 0.05);

create index latest_by_seq on docket.latest (user_id, seq);

-- In place of foreign keys, which would look up the user for each row: whoever inserts one holds that of the user.
create function docket.forget_changes() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$ begin
    delete from docket.changes where user_id = old.id;
    delete from docket.latest where user_id = old.id;
    return null;
  end $$;
revoke execute on function docket.forget_changes() from public;
create trigger forget_changes after delete on docket.users for each row execute function docket.forget_changes();

-- The number of the last change of a user's, and its instant. Whoever writes for a user holds this row until the commit: so who
-- sees a change sees all before it.
alter table docket.users
  add column seq        bigint      not null default 0,
  add column changed_at timestamptz not null default '-infinity';

-- The number of the last change of a task. In no index, nor is updated_at any more: so a change of what is in no index touches none,
-- while there is room on its page for the next version of the task.
drop index docket.tasks_by_updated_at, docket.trash_by_updated_at;
alter table docket.tasks
  add column seq bigint not null default 0,
  set (fillfactor = 90);

-- What has been in the trash for long, of anybody: the sweep.
create index trash_by_deleted_at on docket.tasks (deleted_at) where deleted_at is not null;

-- What there is already, in the order in which it changed.
with numbered as (
  select user_id, id, updated_at, row_number() over (partition by user_id order by updated_at, id) as seq
  from docket.tasks
), changed as (
  update docket.tasks t
  set seq = numbered.seq
  from numbered
  where t.user_id = numbered.user_id
    and t.id = numbered.id
), counted as (
  update docket.users u
  set seq = last.seq, changed_at = least(last.at, now() + interval '1 hour') -- What was imported may be of any year.
  from (select user_id, max(seq) as seq, max(updated_at) as at from numbered group by user_id) last
  where u.id = last.user_id
)
insert into docket.latest (user_id, seq, type, id)
select user_id, seq, 'task', id
from numbered;
