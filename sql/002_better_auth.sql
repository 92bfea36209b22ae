-- The tables of Better Auth 1.7, to the letter as its own migrator makes them, so that it finds nothing to do.
-- Where a frontend's Better Auth was here first, they are left as they are, also with ids that are uuid.

do $$ begin
  if to_regclass('"user"') is not null and (
    select count(*) from pg_attribute
    where attrelid = to_regclass('"user"')
      and attname in ('id', 'name', 'email', 'emailVerified')
      and not attisdropped
  ) < 4 then
    raise exception 'there is a table "user" here that is not one of Better Auth. Give Docket a database of its own';
  end if;
end $$;

create table if not exists "user" (
  "id"            text        not null primary key,
  "name"          text        not null,
  "email"         text        not null unique,
  "emailVerified" boolean     not null,
  "image"         text,
  "createdAt"     timestamptz not null default current_timestamp,
  "updatedAt"     timestamptz not null default current_timestamp
);

create table if not exists "session" (
  "id"        text        not null primary key,
  "expiresAt" timestamptz not null,
  "token"     text        not null unique,
  "createdAt" timestamptz not null default current_timestamp,
  "updatedAt" timestamptz not null,
  "ipAddress" text,
  "userAgent" text,
  "userId"    text        not null references "user" ("id") on delete cascade
);
create index if not exists "session_userId_idx" on "session" ("userId");

create table if not exists "account" (
  "id"                    text        not null primary key,
  "accountId"             text        not null,
  "providerId"            text        not null,
  "userId"                text        not null references "user" ("id") on delete cascade,
  "accessToken"           text,
  "refreshToken"          text,
  "idToken"               text,
  "accessTokenExpiresAt"  timestamptz,
  "refreshTokenExpiresAt" timestamptz,
  "scope"                 text,
  "password"              text,
  "createdAt"             timestamptz not null default current_timestamp,
  "updatedAt"             timestamptz not null
);
create index if not exists "account_userId_idx" on "account" ("userId");

create table if not exists "verification" (
  "id"         text        not null primary key,
  "identifier" text        not null,
  "value"      text        not null,
  "expiresAt"  timestamptz not null,
  "createdAt"  timestamptz not null default current_timestamp,
  "updatedAt"  timestamptz not null default current_timestamp
);
create index if not exists "verification_identifier_idx" on "verification" ("identifier");

-- Of the jwt() plugin. Empty: the built-in issuer signs with the secret.
create table if not exists "jwks" (
  "id"         text        not null primary key,
  "publicKey"  text        not null,
  "privateKey" text        not null,
  "createdAt"  timestamptz not null,
  "expiresAt"  timestamptz,
  "alg"        text,
  "crv"        text
);

-- Who deletes the account deletes everything that is here. Not a foreign key of `users`: that has the users of other
-- issuers too, who are in no table of this database, and the two ids may differ in type. The function acts as its owner,
-- because the role that deletes the account need not have a right to our tables.
do $$ begin
  execute format(
    'create function docket_forget_user() returns trigger language plpgsql security definer set search_path = %1$I, pg_temp
     as $body$ begin delete from %1$I.users where id = old.id::text; return null; end $body$',
    current_schema()
  );
end $$;

create trigger docket_forget_user after delete on "user"
  for each row execute function docket_forget_user();
