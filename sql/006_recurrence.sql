-- What repeats. The task of one day is completed, and stays as it is; that of the next day is another one, of the same series.
alter table docket.tasks
  add column recurrence  text, -- An RRULE of RFC 5545, as src/tasks/recurrence.ts writes it, which begins anew with each task.
  add column repeat_from text, -- What the next day is reckoned from: due, completion.
  add column series_id   uuid, -- The id of the first of the series.
  add column occurrence  date, -- The day of the rule that it is for: due_date may have been moved.
  -- The series of which it is the open one. Not `completed_at` in the index, or each completion would touch all indexes.
  -- A trigger keeps it.
  add column open_series uuid,
  drop column json;

drop function docket.task_json;
create function docket.task_json(
  user_id text, id uuid, list_id uuid, parent_id uuid, place text, title text, description text, completed_at timestamptz,
  priority docket.task_priority, tags text[], due_date date, due_time time, time_zone text,
  recurrence text, repeat_from text, series_id uuid, occurrence date, version integer, created_at timestamptz,
  updated_at timestamptz, deleted_at timestamptz, extra jsonb
) returns text language plpgsql immutable parallel safe
  as $$ begin
  return pg_catalog.concat(
    '{"id":"', id, '"',
    ',"user_id":', pg_catalog.to_json(user_id),
    ',"list_id":', coalesce('"' || list_id || '"', 'null'),
    ',"parent_id":', coalesce('"' || parent_id || '"', 'null'),
    ',"position":"', place, '"',
    ',"title":', pg_catalog.to_json(title),
    ',"description":', coalesce(pg_catalog.to_json(description)::pg_catalog.text, 'null'),
    ',"completed":', case when completed_at is null then 'false' else 'true' end,
    ',"completed_at":', coalesce(pg_catalog.left(pg_catalog.to_json(completed_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"', 'null'),
    ',"priority":"', priority, '"',
    ',"tags":', pg_catalog.to_json(tags),
    ',"due_date":', coalesce(pg_catalog.to_json(due_date)::pg_catalog.text, 'null'),
    ',"due_time":', coalesce(pg_catalog.to_json(due_time)::pg_catalog.text, 'null'),
    ',"time_zone":', coalesce(pg_catalog.to_json(time_zone)::pg_catalog.text, 'null'),
    case
      when recurrence is null then ',"recurrence":null,"repeat_from":null,"series_id":null,"occurrence":null'
      else pg_catalog.concat(
        ',"recurrence":', pg_catalog.to_json(recurrence), ',"repeat_from":"', repeat_from, '","series_id":"', series_id,
        '","occurrence":', pg_catalog.to_json(occurrence)
      )
    end,
    ',"version":', version,
    ',"created_at":', pg_catalog.left(pg_catalog.to_json(created_at at time zone 'UTC')::pg_catalog.text, -1), '+00:00"',
    ',"updated_at":', pg_catalog.left(pg_catalog.to_json(updated_at at time zone 'UTC')::pg_catalog.text, -1), '+00:00"',
    ',"deleted_at":', coalesce(pg_catalog.left(pg_catalog.to_json(deleted_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"', 'null'),
    ',"extra":' || extra::pg_catalog.text,
    '}'
  );
end $$;

alter table docket.tasks
  add column json text not null generated always as (
    docket.task_json(
      user_id, id, list_id, parent_id, position, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
      recurrence, repeat_from, series_id, occurrence, version, created_at, updated_at, deleted_at, extra
    )
  ) stored;

-- The id of what comes after a task: the same, whenever and by whomever it is made, a UUIDv8 of it.
create function docket.next_id(id uuid) returns uuid language sql immutable parallel safe
  return (
    select encode(
      set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128), 8, get_byte(hash, 8) & 63 | 128), 'hex'
    )::uuid
    from (select substr(sha256(uuid_send(id) || 'next'::bytea), 1, 16) as hash offset 0) hashed
  );

-- Of a series one task is open, whoever writes.
create unique index tasks_by_open_series on docket.tasks (user_id, open_series) where open_series is not null;

-- What must be so of what repeats, said by the name of a constraint. Not by constraints, each of which every change of any task would be
-- held against. And whatever comes to be open while another one of its series is, on whichever way, comes alone, and does not repeat.
create function docket.keep_series() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
  as $$ begin
  new.open_series := null;
  if coalesce(new.recurrence, new.repeat_from, new.series_id::text, new.occurrence::text) is null then
    return new;
  end if;
  if new.recurrence is null or new.repeat_from is null or new.series_id is null or new.occurrence is null
    or new.repeat_from not in ('due', 'completion')
  then
    raise exception 'a task repeats in part' using errcode = '23514', constraint = 'tasks_repeat_from_needs_recurrence';
  end if;
  if new.due_date is null then
    raise exception 'a task repeats that is never due' using errcode = '23514', constraint = 'tasks_recurrence_needs_due_date';
  end if;
  -- A task and one under it would each go on by itself.
  if new.parent_id is not null then
    raise exception 'a subtask repeats' using errcode = '23514', constraint = 'tasks_recurrence_on_top';
  end if;
  if new.completed_at is not null or new.deleted_at is not null then
    return new;
  end if;
  new.open_series := new.series_id;
  if exists (
    select
    from docket.tasks t
    where t.user_id = new.user_id
      and t.open_series = new.series_id
      and t.id <> new.id
  ) then
    new.open_series := null;
    new.recurrence := null;
    new.repeat_from := null;
    new.series_id := null;
    new.occurrence := null;
  end if;
  return new;
end $$;

create trigger keep_series before insert or update on docket.tasks for each row
  when (coalesce(new.recurrence, new.repeat_from, new.series_id::text, new.occurrence::text, new.open_series::text) is not null)
  execute function docket.keep_series();

-- What goes though it was not in the trash takes nothing with it that has come under it meanwhile. By its name it comes before the
-- foreign key, which cuts what is under it off.
create function docket.check_gone() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
  as $$ begin
  if exists (select from docket.tasks t where t.user_id = old.user_id and t.parent_id = old.id) then
    raise exception 'a task is under one that is gone' using errcode = '23514', constraint = 'tasks_tree';
  end if;
  return null;
end $$;

create trigger "Check_gone" after delete on docket.tasks for each row
  when (old.deleted_at is null and old.has_subtasks)
  execute function docket.check_gone();
