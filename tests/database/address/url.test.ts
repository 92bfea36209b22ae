import { expect, test } from 'bun:test'
import { describeAddress, parseDatabaseUrl, serversOf } from '../../../src/database/address/url.ts'

/** What most strings say nothing of. */
const rest = { connectTimeout: null, searchPath: null, others: [] }

const neon =
  'postgresql://app_owner:npg_x%2Fy@ep-cool-123-pooler.eu-central-1.aws.neon.tech/app?sslmode=require&channel_binding=require'

test('reads the connection string of the Neon console as it is', () => {
  const address = {
    host: 'ep-cool-123-pooler.eu-central-1.aws.neon.tech',
    port: 5432,
    user: 'app_owner',
    password: 'npg_x/y',
    database: 'app',
    tls: { verified: true },
    prepare: true,
    ...rest,
  }

  expect(parseDatabaseUrl(neon)).toEqual(address)
  expect(parseDatabaseUrl(`${neon}&options=endpoint%3Dep-cool-123`)).toEqual(address)
})

test("reads Supabase's, with and without what it adds for a pooler", () => {
  const pooled =
    'postgresql://postgres.abcdefgh:pass@aws-0-eu-central-1.pooler.supabase.com:6543/postgres'

  expect(parseDatabaseUrl(pooled)).toEqual({
    host: 'aws-0-eu-central-1.pooler.supabase.com',
    port: 6543,
    user: 'postgres.abcdefgh',
    password: 'pass',
    database: 'postgres',
    tls: { verified: true },
    prepare: true,
    ...rest,
  })
  expect(parseDatabaseUrl(`${pooled}?pgbouncer=true`).prepare).toBe(false)
})

test("reads RDS's, and says where its authority goes", () => {
  const rds = 'postgres://app:pass@app.c0ffee.eu-central-1.rds.amazonaws.com:5432/app'

  expect(parseDatabaseUrl(`${rds}?sslmode=verify-full`).tls).toEqual({ verified: true })
  expect(() => parseDatabaseUrl(`${rds}?sslrootcert=global-bundle.pem`)).toThrow('DATABASE_CA_FILE')
})

test('reads a plain local one', () => {
  expect(parseDatabaseUrl('postgres://me@localhost:5433/app')).toEqual({
    host: 'localhost',
    port: 5433,
    user: 'me',
    password: '',
    database: 'app',
    tls: null,
    prepare: true,
    ...rest,
  })
  expect(parseDatabaseUrl('postgres://[::1]/app')).toMatchObject({ host: '::1', tls: null })
})

test.each([
  // Supabase's button for Vercel, and Prisma's form of Neon's and Supabase's.
  'sslmode=require&supa=base-pooler.x&workaround=supabase-pooler.vercel',
  'sslmode=require&pgbouncer=false&connection_limit=1&pool_timeout=10&socket_timeout=5&sslaccept=strict',
  // libpq's, as Azure, Cloud SQL and Aiven show it, and those of node-postgres, Rails, Django and pgx.
  'sslmode=verify-full&sslrootcert=system&application_name=app&keepalives=1&keepalives_idle=30&tcp_user_timeout=9&gssencmode=disable',
  'sslnegotiation=postgres&target_session_attrs=read-write&load_balance_hosts=random&client_encoding=utf8',
  'ssl=true',
  'sslmode=require&uselibpqcompat=true',
  'ssl=require&pool=5&pool_max_conns=10&conn_max_age=60&statement_cache_size=100',
])('takes what is a matter of others: %s', (parameters) => {
  expect(parseDatabaseUrl(`postgres://a:b@db.example/c?${parameters}`)).toEqual({
    host: 'db.example',
    port: 5432,
    user: 'a',
    password: 'b',
    database: 'c',
    tls: { verified: true },
    prepare: true,
    ...rest,
  })
})

test.each([
  'pgbouncer=true',
  'statement_cache_size=0',
  'prepared_statement_cache_size=0',
  'prepared_statements=false',
])('prepares nothing with %s', (parameter) => {
  expect(parseDatabaseUrl(`postgres://a@localhost/b?${parameter}`).prepare).toBe(false)
})

test('takes the time that connecting may take', () => {
  const url = 'postgres://a@localhost/b?connect_timeout='

  expect(parseDatabaseUrl(`${url}15`).connectTimeout).toBe(15)
  // For libpq: any.
  expect(parseDatabaseUrl(`${url}0`).connectTimeout).toBeNull()
})

test('has no TLS with ssl=false', () => {
  expect(parseDatabaseUrl('postgres://a@db.example/b?ssl=false').tls).toBeNull()
})

test.each([
  'postgresql+asyncpg://a:b@localhost/c',
  'postgresql+psycopg2://a:b@localhost/c',
  'postgres://localhost/?user=a&password=b&dbname=c',
  'postgres:///c?host=localhost&user=a&password=b&port=5432',
])('reads %s', (text) => {
  expect(parseDatabaseUrl(text)).toMatchObject({
    host: 'localhost',
    port: 5432,
    user: 'a',
    password: 'b',
    database: 'c',
  })
})

test.each([
  ['options=-c%20search_path%3Dapp', ['app']],
  ['options=-csearch_path%3Dapp,public', ['app', 'public']],
  ['options=--search-path%3Dapp', ['app']],
  ['options=--search_path%3Dapp%20endpoint%3Dep-cool-123', ['app']],
  ['options=-c%20search_path%3D%22My%5C%20Schema%22,%5C%20App', ['My Schema', 'app']],
  ['options=-c+search_path%3D%22%24user%22,%22a%22%22b%22', ['$user', 'a"b']],
  ['options=project%3Dcool', null],
  ['search_path=app,public', ['app', 'public']],
  // Prisma's, as it is.
  ['schema=App', ['App']],
])('finds a search path in %s', (parameter, path) => {
  expect(parseDatabaseUrl(`postgres://a@localhost/b?${parameter}`).searchPath).toEqual(path)
})

test.each([
  'postgres://a@one:5433,two,[::1]:5434/b?target_session_attrs=read-write',
  'postgres://a@/b?host=one,two,::1&port=5433,5432,5434&target_session_attrs=primary',
])('reads several hosts: %s', (text) => {
  const address = parseDatabaseUrl(text)

  expect(address).toMatchObject({
    host: 'one',
    port: 5433,
    tls: { verified: true },
    others: [
      { host: 'two', port: 5432, tls: { verified: true } },
      { host: '::1', port: 5434, tls: null },
    ],
  })
  expect(describeAddress(address)).toBe('b on one:5433 or two:5432 or [::1]:5434')
  expect(serversOf(address).map(describeAddress)).toEqual([
    'b on one:5433',
    'b on two:5432',
    'b on [::1]:5434',
  ])
})

test('has one port for all hosts of a parameter', () => {
  const { port, others } = parseDatabaseUrl('postgres:///b?host=one,two&port=6000')

  expect([port, ...others.map((other) => other.port)]).toEqual([6000, 6000])
})

test.each([
  'postgres://me@/app?host=/var/run/postgresql',
  'postgres://me@%2Fvar%2Frun%2Fpostgresql/app',
])('reads a unix socket: %s', (text) => {
  const address = parseDatabaseUrl(text)

  expect(address).toMatchObject({ host: '/var/run/postgresql', database: 'app', tls: null })
  expect(describeAddress(address)).toBe('app on /var/run/postgresql')
})

test.each(['require', 'verify-ca', 'verify-full'])(
  'checks the certificate with sslmode=%s',
  (mode) => {
    expect(parseDatabaseUrl(`postgres://a@db.example/b?sslmode=${mode}`).tls).toEqual({
      verified: true,
    })
  },
)

test('encrypts to a host that is not local, and checks it, unless told otherwise', () => {
  expect(parseDatabaseUrl('postgres://a@db.example/b').tls).toEqual({ verified: true })
  expect(parseDatabaseUrl('postgres://a@db.example/b?sslmode=disable').tls).toBeNull()
  expect(parseDatabaseUrl('postgres://a@db.example/b?sslmode=insecure-unverified').tls).toEqual({
    verified: false,
  })
})

test.each([
  ['postgres://a@localhost/b?statement_timeout=1', '"statement_timeout"'],
  ['postgres://a@localhost/b?sslmode=prefer', 'sslmode=prefer'],
  ['postgres://a@localhost/b?sslmode=no-verify', 'sslmode=no-verify'],
  ['postgres://a@localhost/b?options=-c%20statement_timeout%3D1', '"statement_timeout"'],
  ['postgres://a@localhost/b?options=--role%3Dapp', '"role"'],
  ['postgres://a@localhost/b?options=x', '"x"'],
  ['postgres://a@localhost/b?options=-c', '"-c"'],
  ['postgres://a@localhost/b?host=db.example', '"host"'],
  ['postgres://a@localhost/b?target_session_attrs=standby', 'target_session_attrs=standby'],
  ['postgres://a@localhost/b?sslnegotiation=direct', 'sslnegotiation=direct'],
  ['postgres://a@localhost/b?ssl=no-verify', 'sslmode=no-verify'],
  ['postgres://a@localhost/b?sslcert=a.pem', 'only a password'],
  ['postgres://a@localhost/b?connect_timeout=soon', 'connect_timeout'],
  ['postgres://a@localhost/b?constructor=1', '"constructor"'],
  ['postgres://a@one:1,two:70000/b', 'port'],
  ['postgres://a@one,/b', 'no host'],
  ['jdbc:postgresql://localhost/b', 'form'],
  ['postgres:///b', 'no host'],
  ['postgres://a@localhost:70000/b', 'port'],
  ['postgres://a:100%@localhost/b', '%25'],
  ['postgres://a@one:5432:two/b', 'form'],
  ['mysql://a@localhost/b', 'form'],
])('refuses %s', (text, said) => {
  expect(() => parseDatabaseUrl(text)).toThrow(said)
})

test('names the variable that is wrong', () => {
  expect(() => parseDatabaseUrl('x', 'DATABASE_DIRECT_URL')).toThrow(/^DATABASE_DIRECT_URL is/)
})

test('never repeats the password', () => {
  for (const text of [
    'postgres://a:hunter2@[/b',
    'postgres://a:hunter2@h/b?x=1',
    'postgres://a:hunter2@h/b?sslmode=x',
    'postgres://a:hunter2/x@h/b',
    'postgres://a:hunter2%@h/b',
  ]) {
    expect(() => parseDatabaseUrl(text)).toThrow(expect.not.stringContaining('hunter2'))
  }
})
