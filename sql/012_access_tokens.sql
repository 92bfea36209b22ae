-- Tokens that users make for their programs. Of each only a digest is kept.
create table docket.access_tokens (
  user_id      text        not null collate "C" references docket.users (id) on delete cascade,
  id           uuid        not null,
  name         text        not null,
  scopes       text[]      not null,
  list_ids     uuid[],               -- Null: all lists.
  token_hash   text        not null collate "C",
  hint         text        not null, -- Its last characters.
  expires_at   timestamptz,          -- Null: never.
  created_at   timestamptz not null default now(),
  last_used_on date,

  primary key (user_id, id),
  constraint access_tokens_by_token unique (token_hash)
);
