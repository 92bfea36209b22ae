-- One row for each caller who has ever written: the `sub` of the token. It comes to be in the same
-- statement as the first task. Ids are compared byte by byte: they mean nothing in any language, and keys stay right
-- when the operating system sorts another way after an upgrade.
create table docket.users (
  id         text        collate "C" primary key,
  created_at timestamptz not null default now(),

  constraint users_id_length check (char_length(id) between 1 and 255)
);

-- Who deletes an account of Better Auth's deletes everything that is here, by a trigger on its table. Not a foreign key of
-- `users`: that has the users of other issuers too, who are in no table of this database, and the two ids may differ in
-- type. The function acts as its owner, because the role that deletes the account need not have a right to our tables.
create function docket.forget_user() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$ begin delete from docket.users where id = old.id::text; return null; end $$;
revoke execute on function docket.forget_user() from public; -- On a table of theirs nobody else may put it.

-- Declared in the order in which it sorts.
create type docket.task_priority as enum ('none', 'low', 'medium', 'high');

-- The JSON of a task as it is answered: to put it together for every answer takes longer than all else that the database
-- does for a page. Fields are in the order of TaskSchema. The time zone is always UTC, whoever writes.
create function docket.task_json(
  user_id text, id uuid, list_id uuid, parent_id uuid, place text, title text, description text, completed_at timestamptz,
  priority docket.task_priority, tags text[], due_date date, due_time time, time_zone text,
  recurrence text, repeat_from text, series_id uuid, occurrence date, reminders text[], version integer, created_at timestamptz,
  updated_at timestamptz, deleted_at timestamptz, extra jsonb
) returns text language plpgsql immutable parallel safe
  as $$ begin
  -- Put together by ||, which takes half as long as concat().
  return '{"id":"' || id::pg_catalog.text
    || '","user_id":' || pg_catalog.to_json(user_id)::pg_catalog.text
    || ',"list_id":' || case when list_id is null then 'null' else '"' || list_id::pg_catalog.text || '"' end
    || ',"parent_id":' || case when parent_id is null then 'null' else '"' || parent_id::pg_catalog.text || '"' end
    || ',"position":"' || place
    || '","title":' || pg_catalog.to_json(title)::pg_catalog.text
    || ',"description":' || coalesce(pg_catalog.to_json(description)::pg_catalog.text, 'null')
    || case
      when completed_at is null then ',"completed":false,"completed_at":null'
      else ',"completed":true,"completed_at":' || pg_catalog.left(pg_catalog.to_json(completed_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"'
    end
    || ',"priority":"' || priority::pg_catalog.text
    || '","tags":' || pg_catalog.to_json(tags)::pg_catalog.text
    || case
      when due_date is null then ',"due_date":null,"due_time":null,"time_zone":null'
      else ',"due_date":' || pg_catalog.to_json(due_date)::pg_catalog.text
        || ',"due_time":' || coalesce(pg_catalog.to_json(due_time)::pg_catalog.text, 'null')
        || ',"time_zone":' || coalesce(pg_catalog.to_json(time_zone)::pg_catalog.text, 'null')
    end
    || case
      when recurrence is null then ',"recurrence":null,"repeat_from":null,"series_id":null,"occurrence":null'
      else ',"recurrence":' || pg_catalog.to_json(recurrence)::pg_catalog.text
        || ',"repeat_from":"' || repeat_from || '","series_id":"' || series_id::pg_catalog.text
        || '","occurrence":' || pg_catalog.to_json(occurrence)::pg_catalog.text
    end
    || ',"reminders":' || case when reminders = '{}' then '[]' else pg_catalog.to_json(reminders)::pg_catalog.text end
    || ',"version":' || version::pg_catalog.text
    || ',"created_at":' || pg_catalog.left(pg_catalog.to_json(created_at at time zone 'UTC')::pg_catalog.text, -1)
    || '+00:00","updated_at":' || pg_catalog.left(pg_catalog.to_json(updated_at at time zone 'UTC')::pg_catalog.text, -1)
    || '+00:00","deleted_at":'
    || case
      when deleted_at is null then 'null'
      else pg_catalog.left(pg_catalog.to_json(deleted_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"'
    end
    || case when extra is null then '}' else ',"extra":' || extra::pg_catalog.text || '}' end;
end $$;

-- The fields that are kept, after some of them were given: null clears one, and nothing left is null.
create function docket.merge_extra(kept jsonb, given jsonb) returns jsonb language plpgsql immutable parallel safe
  as $$ begin
  return (
    select pg_catalog.jsonb_object_agg(name, value)
    from pg_catalog.jsonb_each(coalesce(kept, '{}') || given) as field (name, value)
    where value <> 'null'
  );
end $$;

-- The bytes of what is kept, without the space that PostgreSQL writes after each colon and comma.
create function docket.json_bytes(value jsonb) returns bigint language plpgsql strict immutable parallel safe
  as $$ begin
  return pg_catalog.octet_length(value::pg_catalog.text) - (
    select coalesce(pg_catalog.sum(
      case pg_catalog.jsonb_typeof(part)
        when 'object' then 2 * (select pg_catalog.count(*) from pg_catalog.jsonb_object_keys(part)) - 1
        when 'array' then pg_catalog.jsonb_array_length(part) - 1
      end
    ), 0)
    from pg_catalog.jsonb_path_query(value, 'strict $.**') part
    where part not in ('{}', '[]')
  );
end $$;

-- One task of one user. `completed_at is null` means pending and `deleted_at is null` means not in the
-- trash: there is no separate boolean to disagree with either.
create table docket.tasks (
  user_id      text                 not null collate "C" references docket.users (id) on delete cascade,
  id           uuid                 not null,
  list_id      uuid,                 -- Null: in none, which is the inbox.
  parent_id    uuid,                 -- What it is under, in the same list.
  -- Who writes rows by hand writes this too, or they come first, by their ids.
  position     text                 not null default 'i000000000' collate "C",
  title        text                 not null,
  description  text,
  completed_at timestamptz,
  priority     docket.task_priority not null default 'none',
  tags         text[]               not null default '{}',
  due_date     date,
  due_time     time(0),              -- On the clock of the user, wherever that is.
  time_zone    text,                 -- IANA name. Null floats: the time is local to whoever reads it.
  recurrence   text,                 -- An RRULE of RFC 5545, as src/tasks/recurrence writes it, which begins anew with each task.
  repeat_from  text,                 -- What the next day is reckoned from: due, completion.
  series_id    uuid,                 -- The id of the first of the series.
  occurrence   date,                 -- The day of the rule that it is for: due_date may have been moved.
  reminders    text[]               not null default '{}', -- Durations around when it is due, or moments (src/tasks/reminders.ts).
  version      integer              not null default 1,
  created_at   timestamptz          not null default now(),
  updated_at   timestamptz          not null default now(),
  deleted_at   timestamptz,
  extra        jsonb,                -- Fields that only its frontend knows (COMPAT). In `json` where there are any.

  -- What is derived is made when a task is written. Texts are compared as src/http/fold.ts folds them, not as the database
  -- would: who writes rows by hand writes these too, or no word finds them, and by title they come first.
  title_key text collate "C" not null default '',
  -- Null: these are the tags themselves.
  tag_keys text[],
  -- What a search looks at, title, description and tags with chr(31) between them, in one of two columns: the words of most
  -- tasks are short, and lie in an index, where those of one user are next to each other. Those of the others are beside the
  -- task. Null: they are in the other column.
  words text,
  long_words text,
  json text not null generated always as (
    docket.task_json(
      user_id, id, list_id, parent_id, position, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
      recurrence, repeat_from, series_id, occurrence, reminders, version, created_at, updated_at, deleted_at, extra
    )
  ) stored,

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
  constraint tasks_version_positive check (version > 0),
  -- Most have none, or too few bytes even with the spaces.
  constraint tasks_extra_size check (extra is null or octet_length(extra::text) <= 8192 or docket.json_bytes(extra) <= 8192)
) with (
  -- A search reads an index alone only where a vacuum has marked pages as seen by all. By default that comes when a fifth of the
  -- tasks are new or changed, until when a search takes up to twice as long. It looks at nothing but what has changed since.
  autovacuum_vacuum_insert_scale_factor = 0.02,
  autovacuum_vacuum_scale_factor = 0.05
);

-- Lists, in each order that they can be asked for in, either way. sort=created_at is also the default, and with it every
-- search that is sorted so.
create index tasks_by_created_at on docket.tasks (user_id, created_at, id) include (words) where deleted_at is null;
create index tasks_by_updated_at on docket.tasks (user_id, updated_at, id) where deleted_at is null;
-- A task without a time is due when its day ends, after all the others of it. A task without a date comes last, either way: read
-- backwards, those without one are read after the others.
create index tasks_by_due_date
  on docket.tasks (user_id, coalesce(due_date + coalesce(due_time, '23:59:59.5'), 'infinity'), id) where deleted_at is null;
create index tasks_by_priority on docket.tasks (user_id, priority, id) where deleted_at is null;
create index tasks_by_title on docket.tasks (user_id, title_key, id) where deleted_at is null;

-- The trash has the same orders, so that a page of it costs the same: to sort a large one would take long.
create index trash_by_created_at on docket.tasks (user_id, created_at, id) where deleted_at is not null;
create index trash_by_updated_at on docket.tasks (user_id, updated_at, id) where deleted_at is not null;
create index trash_by_due_date
  on docket.tasks (user_id, coalesce(due_date + coalesce(due_time, '23:59:59.5'), 'infinity'), id) where deleted_at is not null;
create index trash_by_priority on docket.tasks (user_id, priority, id) where deleted_at is not null;
create index trash_by_title on docket.tasks (user_id, title_key, id) where deleted_at is not null;
