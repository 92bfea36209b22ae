-- An id that is made of what it names: the same each time, and nobody else's. (UUIDv8 of the first half of its SHA-256.)
create function docket.uuid_of(name text) returns uuid language sql immutable strict parallel safe
  as $$
  select pg_catalog.encode(
    pg_catalog.set_byte(
      pg_catalog.set_byte(hash, 6, pg_catalog.get_byte(hash, 6) & 15 | 128),
      8, pg_catalog.get_byte(hash, 8) & 63 | 128
    ), 'hex'
  )::pg_catalog.uuid
  from (
    select pg_catalog.substr(pg_catalog.sha256(pg_catalog.convert_to(name, 'UTF8')), 1, 16) as hash
  ) named
$$;

-- What is on its way to somewhere else, and the last of what was. The id is made of what it is about: the same thing twice is one.
create table docket.deliveries (
  user_id  text        not null collate "C" references docket.users (id) on delete cascade,
  id       uuid        not null,
  kind     text        not null, -- What the target is: webhook.
  target   uuid        not null,
  type     text        not null, -- Of the event.
  body     text        not null,
  at       timestamptz not null, -- When what it tells of happened.
  next_at  timestamptz,          -- When it is to be tried, as far as nobody has it in hand; null: it is over.
  tries    integer     not null default 0,
  tried_at timestamptz,
  outcome  text,                 -- Of the last try: delivered, failed; null: there was none that has ended.
  code     integer,              -- The status that was answered.
  reason   text,                 -- Why there is none.

  primary key (user_id, id)
);

create index deliveries_due on docket.deliveries (next_at, at) where next_at is not null;
create index deliveries_by_target on docket.deliveries (user_id, target, at);
-- The sweep.
create index deliveries_over on docket.deliveries (at) where next_at is null;
