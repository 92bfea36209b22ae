-- Programs that are told of what changes. The log is the outbox: each webhook knows the number of the last change that was made into
-- deliveries, so nothing is lost between a write and what tells of it.
create table docket.webhooks (
  user_id       text        not null collate "C" references docket.users (id) on delete cascade,
  id            uuid        not null,
  url           text        not null,
  events        text[]      not null,
  filter        text,                          -- Of tasks; null: all of them.
  active        boolean     not null default true,
  seq           bigint      not null,
  secret        bytea       not null,
  old_secret    bytea,                         -- Of before a rotation, and until when it signs too.
  old_until     timestamptz,
  failing_since timestamptz,                   -- Null: the last delivery arrived.
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),

  primary key (user_id, id)
);

-- Who has any: the look of an instance.
create index webhooks_active on docket.webhooks (user_id, id) where active;
