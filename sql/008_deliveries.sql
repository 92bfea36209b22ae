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
