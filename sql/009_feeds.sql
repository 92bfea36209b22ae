-- Calendar feeds: each is read at an address that nobody can guess. Of the address only a digest is kept.
create table docket.feeds (
  user_id      text        not null collate "C" references docket.users (id) on delete cascade,
  id           uuid        not null,
  name         text        not null,
  list_id      uuid,
  filter       text,
  token_hash   text        not null collate "C",
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  last_used_on date,

  primary key (user_id, id),
  constraint feeds_by_token unique (token_hash),
  -- With its list it goes: without, it would show everything.
  constraint feeds_list foreign key (user_id, list_id) references docket.lists (user_id, id) on delete cascade
);
