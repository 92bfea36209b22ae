-- What is derived from a task, made when it is written, in the one go that rewrites the table.

-- The JSON of a task as it is answered: to put it together for every answer takes longer than all else that the database
-- does for a page. Fields are in the order of TaskSchema. The time zone is always UTC, whoever writes.
create function docket_json(
  user_id text, id uuid, title text, description text, completed_at timestamptz, priority task_priority, tags text[],
  due_date date, due_time time, time_zone text, version integer, created_at timestamptz, updated_at timestamptz,
  deleted_at timestamptz
) returns text language plpgsql immutable parallel safe
  as $$ begin
  return concat(
    '{"id":"', id, '"',
    ',"user_id":', to_json(user_id),
    ',"title":', to_json(title),
    ',"description":', coalesce(to_json(description)::text, 'null'),
    ',"completed":', case when completed_at is null then 'false' else 'true' end,
    ',"completed_at":', coalesce(left(to_json(completed_at at time zone 'UTC')::text, -1) || '+00:00"', 'null'),
    ',"priority":"', priority, '"',
    ',"tags":', to_json(tags),
    ',"due_date":', coalesce(to_json(due_date)::text, 'null'),
    ',"due_time":', coalesce(to_json(due_time)::text, 'null'),
    ',"time_zone":', coalesce(to_json(time_zone)::text, 'null'),
    ',"version":', version,
    ',"created_at":', left(to_json(created_at at time zone 'UTC')::text, -1), '+00:00"',
    ',"updated_at":', left(to_json(updated_at at time zone 'UTC')::text, -1), '+00:00"',
    ',"deleted_at":', coalesce(left(to_json(deleted_at at time zone 'UTC')::text, -1) || '+00:00"', 'null'),
    '}'
  );
end $$;

-- What a search looks at, in one of two columns: the words of most tasks are short, and lie in an index, where those of one
-- user are next to each other. Those of the others are beside the task. Null: they are in the other column.
create function docket_words(title text, description text, tags text[], long boolean) returns text
  language plpgsql immutable parallel safe
  as $$ declare words text := lower(concat_ws(E'\n', title, description, array_to_string(tags, E'\n'))); begin
  return case when (octet_length(words) > 500) = long then words end;
end $$;

drop index tasks_by_created_at;

alter table tasks
  drop column words,
  add column words text generated always as (docket_words(title, description, tags, false)) stored,
  add column long_words text generated always as (
    -- To fold them takes time: not twice for what cannot be long, however much longer its lower case is.
    case
      when octet_length(title) + coalesce(octet_length(description), 0) + 201 * cardinality(tags) > 300
      then docket_words(title, description, tags, true)
    end
  ) stored,
  add column json text not null generated always as (
    docket_json(
      user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone, version, created_at,
      updated_at, deleted_at
    )
  ) stored;

drop function docket_words(text, text, text[]);

-- listTasks, sort=created_at, which is also the default, and with it every search that is sorted so.
create index tasks_by_created_at on tasks (user_id, created_at, id) include (words) where deleted_at is null;
