-- What a task reminds of: a duration has a P in it, and a moment a colon.
alter table docket.tasks
  add constraint tasks_reminders_count check (cardinality(reminders) <= 10),
  add constraint tasks_reminders_no_null check (array_position(reminders, null) is null),
  add constraint tasks_reminders_need_due_date
    check (due_date is not null or reminders = '{}' or array_to_string(reminders, ' ') not like '%P%'),
  -- What repeats comes again, and a moment does not.
  add constraint tasks_reminders_of_series
    check (recurrence is null or reminders = '{}' or array_to_string(reminders, ' ') not like '%:%');

-- Those that change when their user is elsewhere. Nothing is in it that a completion changes: that would touch every index of the task.
create index tasks_with_reminders on docket.tasks (user_id, id) where reminders <> '{}' and deleted_at is null;

-- The moment at which clocks show a time of day, as RFC 5545 and Temporal have it: of two the first, and one that is left out as if the clocks
-- had not been changed. AT TIME ZONE by itself takes the second of two.
create function docket.moment_of(wall timestamp, zone text) returns timestamptz language sql stable parallel safe
  return (
    select case when (early at time zone zone) = wall then least(early, late) else late end
    from (
      select late, (
          wall - (((late - interval '24 hours') at time zone zone) - ((late - interval '24 hours') at time zone 'UTC'))
        ) at time zone 'UTC' as early
      from (select wall at time zone zone as late) l
    ) e
  );

-- When a reminder of a task is due. Days are counted on the wall, and hours are as long as they are; without a time of day all is counted on
-- the wall, from midnight: PT9H is nine o'clock, whatever the clocks do that night.
create function docket.alarm_at(due_date date, due_time time, zone text, reminder text) returns timestamptz
  language plpgsql stable set search_path = pg_catalog, pg_temp
  as $$
declare
  lead interval;
  days interval;
begin
  if reminder not like '%P%' then
    return reminder::timestamptz;
  end if;
  lead := case when reminder like '-%' then -(substr(reminder, 2)::interval) else reminder::interval end;
  if due_time is null then
    return docket.moment_of(due_date + lead, zone);
  end if;
  days := make_interval(days => extract(day from lead)::integer);
  return docket.moment_of(due_date + due_time + days, zone) + (lead - days);
exception
  when invalid_parameter_value then
    raise exception 'no reminder can be reckoned in a time zone that this database does not know'
      using errcode = '23514', constraint = 'tasks_time_zone_known';
end $$;

-- A reminder that is still to come: of a task that is pending and not in the trash. Made by those who write tasks, and taken by who reminds.
create table docket.alarms (
  user_id  text        not null collate "C",
  task_id  uuid        not null,
  reminder text        not null,
  fires_at timestamptz not null,

  primary key (user_id, task_id, reminder, fires_at)
);

-- Which one is next.
create index alarms_by_fires_at on docket.alarms (fires_at);

-- One that has come, for those who listen to another instance than the one that had it. Kept for an hour.
create table docket.reminded (
  user_id text        not null collate "C" references docket.users (id) on delete cascade,
  id      uuid        not null,
  event   text        not null, -- As JSON.
  at      timestamptz not null default now(),

  primary key (user_id, id)
);

create index reminded_by_at on docket.reminded (at);

-- Tells who writes that something is to come, by a message beside the answer: so many milliseconds later. At the level that every client gets
-- and no log.
create function docket.tell_alarm(fires_at timestamptz) returns void language plpgsql set search_path = pg_catalog, pg_temp
  as $$ begin
  if fires_at is not null then
    raise info 'an alarm is set' using detail = ceil(extract(epoch from fires_at - now()) * 1000)::text;
  end if;
end $$;

-- After each way of writing a task that has reminders, or had some; in place of a foreign key, which would cost all the others. One that is
-- overdue, as nobody was there to remind, stays if it is still meant.
create function docket.set_alarms() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  zone text;
  earliest timestamptz;
begin
  if tg_op = 'DELETE' then
    delete from docket.alarms where user_id = old.user_id and task_id = old.id;
    return null;
  end if;
  if tg_op = 'UPDATE' then
    if new.user_id <> old.user_id or new.id <> old.id or new.completed_at is not null or new.deleted_at is not null then
      delete from docket.alarms where user_id = old.user_id and task_id = old.id;
    end if;
  end if;
  if new.completed_at is not null or new.deleted_at is not null then
    return null;
  end if;
  zone := coalesce(new.time_zone, (select u.time_zone from docket.users u where u.id = new.user_id), 'UTC');
  if tg_op = 'UPDATE' then
    delete from docket.alarms a
    where a.user_id = new.user_id
      and a.task_id = new.id
      and (
        a.reminder <> all(new.reminders)
        or a.fires_at <> docket.alarm_at(new.due_date, new.due_time, zone, a.reminder)
      );
  end if;
  with made as (
    insert into docket.alarms (user_id, task_id, reminder, fires_at)
    select new.user_id, new.id, r.reminder, r.fires_at
    from (
      select reminder, docket.alarm_at(new.due_date, new.due_time, zone, reminder) as fires_at
      from unnest(new.reminders) as reminder
    ) r
    where r.fires_at > now()
    on conflict do nothing
    returning fires_at
  )
  select min(fires_at) into earliest from made;
  perform docket.tell_alarm(earliest);
  return null;
end $$;
revoke execute on function docket.set_alarms() from public;

create trigger set_alarms after insert on docket.tasks for each row
  when (new.reminders <> '{}')
  execute function docket.set_alarms();
create trigger set_alarms_change after update on docket.tasks for each row
  when (
    (new.reminders <> '{}' or old.reminders <> '{}')
    and (new.user_id, new.id, new.reminders, new.due_date, new.due_time, new.time_zone, new.completed_at, new.deleted_at)
      is distinct from (old.user_id, old.id, old.reminders, old.due_date, old.due_time, old.time_zone, old.completed_at, old.deleted_at)
  )
  execute function docket.set_alarms();
create trigger set_alarms_end after delete on docket.tasks for each row
  when (old.reminders <> '{}')
  execute function docket.set_alarms();

-- A user is elsewhere: what has no zone of its own is due at another moment.
create function docket.move_alarms() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
declare
  zone text := coalesce(new.time_zone, 'UTC');
  earliest timestamptz;
begin
  delete from docket.alarms a
  using docket.tasks t
  where a.user_id = new.id
    and t.user_id = new.id
    and t.id = a.task_id
    and t.time_zone is null
    and a.fires_at <> docket.alarm_at(t.due_date, t.due_time, zone, a.reminder);
  with made as (
    insert into docket.alarms (user_id, task_id, reminder, fires_at)
    select r.user_id, r.id, r.reminder, r.fires_at
    from (
      select t.user_id, t.id, each.reminder, docket.alarm_at(t.due_date, t.due_time, zone, each.reminder) as fires_at
      from docket.tasks t
      cross join lateral unnest(t.reminders) as each (reminder)
      where t.user_id = new.id
        and t.reminders <> '{}'
        and t.deleted_at is null
        and t.completed_at is null
        and t.time_zone is null
      offset 0
    ) r
    where r.fires_at > now()
    on conflict do nothing
    returning fires_at
  )
  select min(fires_at) into earliest from made;
  perform docket.tell_alarm(earliest);
  return null;
end $$;
revoke execute on function docket.move_alarms() from public;

create trigger move_alarms after update of time_zone on docket.users for each row
  when (new.time_zone is distinct from old.time_zone)
  execute function docket.move_alarms();
