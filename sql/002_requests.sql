-- One write that was sent with an Idempotency-Key, and what it was answered: made in the same statement as its effect, and
-- kept for a day. It goes with its user.
create table docket.idempotency_keys (
  user_id    text        not null collate "C" references docket.users (id) on delete cascade,
  key        text        not null,
  request    text        not null, -- SHA-256 of what was asked.
  answer     json        not null, -- The task, field by field in the order of the answer.
  created_at timestamptz not null default now(),

  primary key (user_id, key),

  constraint idempotency_keys_key_length check (char_length(key) between 1 and 255)
);

-- The sweep of whoever writes next.
create index idempotency_keys_by_created_at on docket.idempotency_keys (created_at);

-- What one user or one address owes for its requests, for several instances that share a limit. Unlogged: a crash forgives.
create unlogged table docket.rate_limits (
  key        text        primary key,
  settled_at timestamptz not null -- When nothing is owed any more.
);

-- The sweep.
create index rate_limits_by_settled_at on docket.rate_limits (settled_at);
