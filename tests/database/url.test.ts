import { expect, test } from 'bun:test'
import { parseDatabaseUrl } from '../../src/database/url.ts'

test('reads the connection string of the Neon console as it is', () => {
  expect(
    parseDatabaseUrl(
      'postgresql://app_owner:npg_x%2Fy@ep-cool-123-pooler.eu-central-1.aws.neon.tech/app?sslmode=require&channel_binding=require',
    ),
  ).toEqual({
    host: 'ep-cool-123-pooler.eu-central-1.aws.neon.tech',
    port: 5432,
    user: 'app_owner',
    password: 'npg_x/y',
    database: 'app',
    ssl: 'verify-full',
  })
})

test('reads a plain local one', () => {
  expect(parseDatabaseUrl('postgres://me@localhost:5433/app')).toEqual({
    host: 'localhost',
    port: 5433,
    user: 'me',
    password: '',
    database: 'app',
    ssl: false,
  })
})

test.each(['require', 'verify-ca', 'verify-full'])(
  'checks the certificate with sslmode=%s',
  (mode) => {
    expect(parseDatabaseUrl(`postgres://a@localhost/b?sslmode=${mode}`).ssl).toBe('verify-full')
  },
)

test('encrypts to a host that is not local unless told otherwise', () => {
  expect(parseDatabaseUrl('postgres://a@db.example/b').ssl).toBe('verify-full')
  expect(parseDatabaseUrl('postgres://a@db.example/b?sslmode=disable').ssl).toBe(false)
})

test('refuses by name what it does not know', () => {
  expect(() => parseDatabaseUrl('postgres://a@localhost/b?statement_timeout=1')).toThrow(
    'statement_timeout',
  )
  expect(() => parseDatabaseUrl('postgres://a@localhost/b?sslmode=prefer')).toThrow(
    'sslmode=prefer',
  )
  expect(() => parseDatabaseUrl('postgres://a@localhost/b?options=-c%20x%3D1')).toThrow('options')
  expect(() => parseDatabaseUrl('postgres:///b')).toThrow()
})

test('never repeats the password', () => {
  for (const text of [
    'postgres://a:hunter2@[/b',
    'postgres://a:hunter2@h/b?x=1',
    'postgres://a:hunter2@h/b?sslmode=x',
  ]) {
    expect(() => parseDatabaseUrl(text)).toThrow(expect.not.stringContaining('hunter2'))
  }
})
