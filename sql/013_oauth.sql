-- What the built-in issuer keeps of programs that act for users: the tables of @better-auth/oauth-provider 1.7, to the letter as Better
-- Auth's migrator makes them, so that it finds nothing to do. Of each token only a digest is kept.
-- only with the issuer

create table docket."oauthClient" (
  "id"                               text        not null primary key,
  "clientId"                         text        not null unique,
  "clientSecret"                     text,
  "clientDiscoveryId"                text,
  "disabled"                         boolean,
  "skipConsent"                      boolean,
  "enableEndSession"                 boolean,
  "subjectType"                      text,
  "scopes"                           jsonb,
  "clientCredentialsScopes"          jsonb,
  "userId"                           text        references docket."user" ("id") on delete cascade,
  "createdAt"                        timestamptz,
  "updatedAt"                        timestamptz,
  "name"                             text,
  "uri"                              text,
  "icon"                             text,
  "contacts"                         jsonb,
  "tos"                              text,
  "policy"                           text,
  "softwareId"                       text,
  "softwareVersion"                  text,
  "softwareStatement"                text,
  "redirectUris"                     jsonb       not null,
  "postLogoutRedirectUris"           jsonb,
  "backchannelLogoutUri"             text,
  "backchannelLogoutSessionRequired" boolean,
  "tokenEndpointAuthMethod"          text,
  "applicationType"                  text,
  "jwks"                             text,
  "jwksUri"                          text,
  "grantTypes"                       jsonb,
  "responseTypes"                    jsonb,
  "requirePKCE"                      boolean,
  "dpopBoundAccessTokens"            boolean,
  "referenceId"                      text,
  "metadata"                         jsonb
);
create index "oauthClient_userId_idx" on docket."oauthClient" ("userId");

create table docket."oauthResource" (
  "id"                            text        not null primary key,
  "identifier"                    text        not null unique,
  "name"                          text        not null,
  "accessTokenTtl"                integer,
  "refreshTokenTtl"               integer,
  "signingAlgorithm"              text,
  "signingKeyId"                  text,
  "allowedScopes"                 jsonb,
  "customClaims"                  jsonb,
  "dpopBoundAccessTokensRequired" boolean,
  "disabled"                      boolean,
  "createdAt"                     timestamptz,
  "updatedAt"                     timestamptz,
  "policyVersion"                 integer,
  "metadata"                      jsonb
);

create table docket."oauthClientResource" (
  "id"         text        not null primary key,
  "clientId"   text        not null references docket."oauthClient" ("clientId") on delete cascade,
  "resourceId" text        not null references docket."oauthResource" ("identifier") on delete cascade,
  "metadata"   jsonb,
  "createdAt"  timestamptz
);
create index "oauthClientResource_clientId_idx" on docket."oauthClientResource" ("clientId");
create index "oauthClientResource_resourceId_idx" on docket."oauthClientResource" ("resourceId");
create unique index "oauthClientResource_clientId_resourceId_uidx" on docket."oauthClientResource" ("clientId", "resourceId");

create table docket."oauthRefreshToken" (
  "id"                      text        not null primary key,
  "token"                   text        not null unique,
  "clientId"                text        not null references docket."oauthClient" ("clientId") on delete cascade,
  "sessionId"               text        references docket."session" ("id") on delete set null,
  "userId"                  text        not null references docket."user" ("id") on delete cascade,
  "referenceId"             text,
  "authorizationCodeId"     text,
  "resources"               jsonb,
  "requestedUserInfoClaims" jsonb,
  "expiresAt"               timestamptz not null,
  "createdAt"               timestamptz not null,
  "revoked"                 timestamptz,
  "rotatedAt"               timestamptz,
  "rotationReplayResponse"  text,
  "rotationReplayExpiresAt" timestamptz,
  "authTime"                timestamptz,
  "confirmation"            jsonb,
  "scopes"                  jsonb       not null
);
create index "oauthRefreshToken_clientId_idx" on docket."oauthRefreshToken" ("clientId");
create index "oauthRefreshToken_sessionId_idx" on docket."oauthRefreshToken" ("sessionId");
create index "oauthRefreshToken_userId_idx" on docket."oauthRefreshToken" ("userId");
create index "oauthRefreshToken_authorizationCodeId_idx" on docket."oauthRefreshToken" ("authorizationCodeId");

create table docket."oauthAccessToken" (
  "id"                      text        not null primary key,
  "token"                   text        not null unique,
  "clientId"                text        not null references docket."oauthClient" ("clientId") on delete cascade,
  "sessionId"               text        references docket."session" ("id") on delete set null,
  "userId"                  text        references docket."user" ("id") on delete cascade,
  "referenceId"             text,
  "authorizationCodeId"     text,
  "resources"               jsonb,
  "requestedUserInfoClaims" jsonb,
  "refreshId"               text        references docket."oauthRefreshToken" ("id") on delete cascade,
  "expiresAt"               timestamptz not null,
  "createdAt"               timestamptz not null,
  "revoked"                 timestamptz,
  "confirmation"            jsonb,
  "scopes"                  jsonb       not null
);
create index "oauthAccessToken_clientId_idx" on docket."oauthAccessToken" ("clientId");
create index "oauthAccessToken_sessionId_idx" on docket."oauthAccessToken" ("sessionId");
create index "oauthAccessToken_userId_idx" on docket."oauthAccessToken" ("userId");
create index "oauthAccessToken_authorizationCodeId_idx" on docket."oauthAccessToken" ("authorizationCodeId");
create index "oauthAccessToken_refreshId_idx" on docket."oauthAccessToken" ("refreshId");

create table docket."oauthConsent" (
  "id"                      text        not null primary key,
  "clientId"                text        not null references docket."oauthClient" ("clientId") on delete cascade,
  "userId"                  text        references docket."user" ("id") on delete cascade,
  "referenceId"             text,
  "resources"               jsonb,
  "requestedUserInfoClaims" jsonb,
  "scopes"                  jsonb       not null,
  "createdAt"               timestamptz not null,
  "updatedAt"               timestamptz not null
);
create index "oauthConsent_clientId_idx" on docket."oauthConsent" ("clientId");
create index "oauthConsent_userId_idx" on docket."oauthConsent" ("userId");

create table docket."oauthClientAssertion" (
  "id"        text        not null primary key,
  "expiresAt" timestamptz not null
);
