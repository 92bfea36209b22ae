-- The JSON of a list as it is answered, in the order of ListSchema.
create function docket.list_json(
  user_id text, id uuid, name text, color text, archived_at timestamptz, place text, version integer, created_at timestamptz,
  updated_at timestamptz, deleted_at timestamptz
) returns text language plpgsql immutable parallel safe
  as $$ begin
  return pg_catalog.concat(
    '{"id":"', id, '"',
    ',"user_id":', pg_catalog.to_json(user_id),
    ',"name":', pg_catalog.to_json(name),
    ',"color":', coalesce(pg_catalog.to_json(color)::pg_catalog.text, 'null'),
    ',"archived_at":', coalesce(pg_catalog.left(pg_catalog.to_json(archived_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"', 'null'),
    ',"position":"', place, '"',
    ',"version":', version,
    ',"created_at":', pg_catalog.left(pg_catalog.to_json(created_at at time zone 'UTC')::pg_catalog.text, -1), '+00:00"',
    ',"updated_at":', pg_catalog.left(pg_catalog.to_json(updated_at at time zone 'UTC')::pg_catalog.text, -1), '+00:00"',
    ',"deleted_at":', coalesce(pg_catalog.left(pg_catalog.to_json(deleted_at at time zone 'UTC')::pg_catalog.text, -1) || '+00:00"', 'null'),
    '}'
  );
end $$;

-- Manual order is that of positions, byte by byte: fractional keys. Whoever is put at an end gets one that is made of the number of the
-- change, later ones beyond earlier ones; and that number is part of one that is between two others. So none is ever given twice.
create function docket.position_at_end(seq bigint) returns text language sql immutable parallel safe
  return 'i' || lpad(to_hex(seq), 9, '0');
create function docket.position_at_start(seq bigint) returns text language sql immutable parallel safe
  return 'R' || lpad(to_hex(68719476735 - seq), 9, '0');

create table docket.lists (
  user_id     text        not null collate "C" references docket.users (id) on delete cascade,
  id          uuid        not null,
  name        text        not null,
  color       text,
  archived_at timestamptz,
  position    text        not null collate "C",
  version     integer     not null default 1,
  seq         bigint      not null default 0,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now(),
  deleted_at  timestamptz,
  json        text        not null generated always as (
    docket.list_json(user_id, id, name, color, archived_at, position, version, created_at, updated_at, deleted_at)
  ) stored,

  primary key (user_id, id),

  constraint lists_name_length check (char_length(name) between 1 and 200),
  constraint lists_color_form check (color ~ '^#[0-9a-f]{6}$'),
  constraint lists_position_form check (position ~ '^[0-9A-Za-z]+$'),
  constraint lists_version_positive check (version > 0)
);

create index lists_by_position on docket.lists (user_id, position, id) where deleted_at is null;
create index lists_trash on docket.lists (user_id, created_at, id) where deleted_at is not null;
-- The sweep.
create index lists_trash_by_deleted_at on docket.lists (deleted_at) where deleted_at is not null;
-- Whose tasks are left out.
create index lists_archived on docket.lists (user_id, id) where archived_at is not null;

-- A task is in a list, or in none; and under another task, or under none. What is under a task is in its list.
alter table docket.tasks
  -- Whether something has ever been under it. Most tasks are alone, and are changed without a look at what might be.
  add column has_subtasks boolean not null default false,
  add constraint tasks_position_form check (position ~ '^[0-9A-Za-z]+$'),
  -- Of what is purged only the trash can still be in it, or under it.
  add constraint tasks_list foreign key (user_id, list_id) references docket.lists (user_id, id) on delete set null (list_id),
  add constraint tasks_parent foreign key (user_id, parent_id) references docket.tasks (user_id, id) on delete set null (parent_id);

-- List by list, the inbox first, and each in its manual order: one text, so that it is read like any other order.
create index tasks_by_position
  on docket.tasks (user_id, (coalesce(list_id::text, '') || ' ' || position) collate "C", id) where deleted_at is null;
create index trash_by_position
  on docket.tasks (user_id, (coalesce(list_id::text, '') || ' ' || position) collate "C", id) where deleted_at is not null;
create index tasks_by_parent on docket.tasks (user_id, parent_id) where parent_id is not null;
-- A list that goes for good asks who is in it: without this all tasks of a user are looked at for each list, by who deletes an account too.
create index tasks_by_list on docket.tasks (user_id, list_id) where list_id is not null;

-- What must be so when a statement ends, whoever wrote it: it is looked at then, as it is then. Whoever writes holds the row of the user,
-- so nobody else changes anything of it meanwhile. What is wrong is said by the name of a constraint.

-- The list and the tasks above a task are there, with it in one list, and neither too many of them nor in a circle.
create function docket.check_above() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
  as $$
declare
  above record;
  depth integer := 1;
begin
  if new.deleted_at is null and new.list_id is not null
    and not exists (select from docket.lists where user_id = new.user_id and id = new.list_id and deleted_at is null)
  then
    raise exception 'a task is in a list that is not there' using errcode = '23514', constraint = 'tasks_list_there';
  end if;
  if new.parent_id is null then
    return null;
  end if;
  update docket.tasks
  set has_subtasks = true
  where user_id = new.user_id
    and id = new.parent_id
    and not has_subtasks;
  if new.deleted_at is not null then
    return null;
  end if;
  select new.id as id, new.parent_id as parent_id into above;
  while above.parent_id is not null loop
    depth := depth + 1;
    select t.id, t.parent_id, t.list_id, t.deleted_at into above
    from docket.tasks t
    where t.user_id = new.user_id
      and t.id = above.parent_id;
    if above.id is null or above.deleted_at is not null then
      raise exception 'a task is under one that is not there' using errcode = '23514', constraint = 'tasks_parent_there';
    end if;
    if above.list_id is distinct from new.list_id then
      raise exception 'a task is under one of another list' using errcode = '23514', constraint = 'tasks_parent_list';
    end if;
    if above.id = new.id then
      raise exception 'a task is under itself' using errcode = '23514', constraint = 'tasks_circle';
    end if;
    if depth > 5 then
      raise exception 'a task is too deep' using errcode = '23514', constraint = 'tasks_depth';
    end if;
  end loop;
  if 1000 < (
    select count(*)
    from (
      with recursive tree as (
        select above.id
        union all
        select under.id
        from tree
        cross join lateral (
          select t.id
          from docket.tasks t
          where t.user_id = new.user_id
            and t.parent_id = tree.id
            and t.deleted_at is null
          offset 0
        ) under
      )
      select id
      from tree
      limit 1001
    ) limited
  ) then
    raise exception 'too many tasks are under one' using errcode = '23514', constraint = 'tasks_subtasks';
  end if;
  return null;
end $$;

create trigger check_above after insert on docket.tasks for each row
  when (new.list_id is not null or new.parent_id is not null)
  execute function docket.check_above();
create trigger check_above_change after update on docket.tasks for each row
  when (
    (new.list_id is not null or new.parent_id is not null)
    and (
      new.list_id is distinct from old.list_id
      or new.parent_id is distinct from old.parent_id
      or (new.deleted_at is null and old.deleted_at is not null)
    )
  )
  execute function docket.check_above();

-- The tasks under a task go where it goes, and are not too deep there.
create function docket.check_under() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
  as $$
declare
  depth integer := 0;
  above uuid := new.parent_id;
begin
  if exists (
    select
    from docket.tasks t
    where t.user_id = new.user_id
      and t.parent_id = new.id
      and t.deleted_at is null
      and (new.deleted_at is not null or t.list_id is distinct from new.list_id)
  ) then
    raise exception 'a task is under one that is elsewhere' using errcode = '23514', constraint = 'tasks_tree';
  end if;
  if new.deleted_at is not null or new.parent_id is not distinct from old.parent_id then
    return null;
  end if;
  while above is not null and depth < 5 loop
    depth := depth + 1;
    above := (select t.parent_id from docket.tasks t where t.user_id = new.user_id and t.id = above);
  end loop;
  if 5 < depth + (
    with recursive tree as (
      select new.id, 1 as depth
      union all
      select under.id, tree.depth + 1
      from tree
      cross join lateral (
        select t.id
        from docket.tasks t
        where t.user_id = new.user_id
          and t.parent_id = tree.id
          and t.deleted_at is null
        offset 0
      ) under
      where tree.depth < 10
    )
    select max(tree.depth)
    from tree
  ) then
    raise exception 'a task is too deep' using errcode = '23514', constraint = 'tasks_depth';
  end if;
  return null;
end $$;

create trigger check_under after update on docket.tasks for each row
  when (
    old.has_subtasks
    and (
      new.list_id is distinct from old.list_id
      or new.parent_id is distinct from old.parent_id
      or (new.deleted_at is not null and old.deleted_at is null)
    )
  )
  execute function docket.check_under();

-- Nobody has very many lists, and the tasks of one that goes to the trash are there too.
create function docket.check_list() returns trigger language plpgsql set search_path = pg_catalog, pg_temp
  as $$ begin
  if new.deleted_at is null then
    if 500 < (select count(*) from docket.lists where user_id = new.user_id and deleted_at is null) then
      raise exception 'too many lists' using errcode = '23514', constraint = 'lists_count';
    end if;
  elsif exists (
    select
    from docket.tasks t
    where t.user_id = new.user_id
      and t.deleted_at is null
      and (coalesce(t.list_id::text, '') || ' ' || t.position) collate "C" > new.id::text || ' '
      and (coalesce(t.list_id::text, '') || ' ' || t.position) collate "C" < new.id::text || '!'
  ) then
    raise exception 'a list has tasks that are not in the trash' using errcode = '23514', constraint = 'lists_empty';
  end if;
  return null;
end $$;

create trigger check_list after insert on docket.lists for each row execute function docket.check_list();
create trigger check_list_change after update on docket.lists for each row
  when ((new.deleted_at is null) is distinct from (old.deleted_at is null))
  execute function docket.check_list();

-- Where the user is: what day is today. Null: nobody has said.
alter table docket.users add column time_zone text;

-- Filters that are kept under a name, which is one in any case and composition.
create table docket.filters (
  user_id    text        not null collate "C" references docket.users (id) on delete cascade,
  id         uuid        not null,
  name       text        not null,
  name_key   text        not null collate "C", -- As src/http/fold.ts folds it.
  filter     text        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  primary key (user_id, id),
  constraint filters_by_name unique (user_id, name_key)
);

-- A task with all that is under it, in its manual order.
create function docket.task_tree(owner text, root uuid, task text, has_subtasks boolean) returns text
  language plpgsql stable set search_path = pg_catalog, pg_temp
  as $$ begin
  return concat(left(task, -1), ',"subtasks":[', case when has_subtasks then (
    select string_agg(docket.task_tree(owner, t.id, t.json, t.has_subtasks), ',' order by t.position, t.id)
    from docket.tasks t
    where t.user_id = owner
      and t.parent_id = root
      and t.deleted_at is null
  ) end, ']}');
end $$;
