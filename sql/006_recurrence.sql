-- What repeats. The task of one day is completed, and stays as it is; that of the next day is another one, of the same series.
alter table docket.tasks
  -- The series of which it is the open one. Not `completed_at` in the index, or each completion would touch all indexes.
  -- A trigger keeps it.
  add column open_series uuid;

-- An id that is made of what it names: the same each time, and nobody else's. (UUIDv8 of the first half of its SHA-256.)
create function docket.uuid_of(name bytea) returns uuid language sql immutable strict parallel safe
  return (
    select encode(
      set_byte(set_byte(hash, 6, get_byte(hash, 6) & 15 | 128), 8, get_byte(hash, 8) & 63 | 128), 'hex'
    )::uuid
    from (select substr(sha256(name), 1, 16) as hash offset 0) hashed
  );
create function docket.uuid_of(name text) returns uuid language sql immutable strict parallel safe
  return docket.uuid_of(convert_to(name, 'UTF8'));

-- The id of what comes after a task: the same, whenever and by whomever it is made.
create function docket.next_id(id uuid) returns uuid language sql immutable parallel safe
  return docket.uuid_of(uuid_send(id) || 'next'::bytea);

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
