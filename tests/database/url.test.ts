import { expect, test } from 'bun:test'
import { describeAddress, parseDatabaseUrl } from '../../src/database/url.ts'

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
  })
  expect(parseDatabaseUrl('postgres://[::1]/app')).toMatchObject({ host: '::1', tls: null })
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
  ['postgres://a@localhost/b?options=-c%20x%3D1', '"options"'],
  ['postgres://a@localhost/b?host=db.example', '"host"'],
  ['postgres:///b', 'no host'],
  ['postgres://a@localhost:70000/b', 'port'],
  ['postgres://a:100%@localhost/b', '%25'],
  ['postgres://a@one,two/b', 'form'],
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
