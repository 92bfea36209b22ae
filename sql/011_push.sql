-- What this server signs its pushes with (RFC 8292): made once, for all instances and for good, as every subscription is for this key alone.
create table docket.push_keys (
  only_one    boolean     not null default true primary key check (only_one),
  public_key  text        not null,
  private_key text        not null,
  created_at  timestamptz not null default now()
);

-- A browser that shows reminders. Its id is made of its endpoint: the same browser is one subscription, and that of who has signed in to it last.
create table docket.push_subscriptions (
  user_id    text        not null collate "C" references docket.users (id) on delete cascade,
  id         uuid        not null,
  endpoint   text        not null,
  p256dh     text        not null, -- The browser's key.
  auth       text        not null, -- What it shares with us besides.
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  primary key (user_id, id),
  constraint push_subscriptions_id unique (id)
);
