import { expect, test } from 'bun:test'
import { OperatorError, readConfig } from '../src/config.ts'

const secret = 'a-secret-of-thirty-two-bytes-or-more'
const url = 'postgres://user:password@db.example/app'

function faultOf(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof OperatorError) return error.message
  }
  throw new Error('expected an OperatorError')
}

test('needs nothing', () => {
  expect(readConfig({})).toEqual({
    databaseUrl: null,
    databaseDirectUrl: null,
    databaseCaFile: null,
    prepareStatements: true,
    databaseDeadline: 5,
    databaseWait: 60,
    dataDir: '.docket',
    secret: null,
    jwtIssuer: null,
    jwtAudience: null,
    corsOrigins: ['http://localhost:3000'],
    host: '127.0.0.1',
    port: 8000,
    docs: true,
    trustProxy: 0,
    rateLimit: 1200,
    rateLimitStore: 'memory',
    metricsPort: null,
    logLevel: 'info',
  })
})

test('takes an empty variable for an absent one', () => {
  expect(readConfig({ DATABASE_URL: '', BETTER_AUTH_SECRET: '', PORT: ' ' })).toEqual(
    readConfig({}),
  )
})

test('lists every fault at once', () => {
  const fault = faultOf({
    DATABASE_URL: 'mysql://db.example/app',
    DATABASE_DIRECT_URL: 'x',
    DATABASE_DEADLINE: 'soon',
    DATABASE_WAIT: '-1',
    PORT: '80000',
    DOCS: 'maybe',
    LOG_LEVEL: 'loud',
    CORS_ORIGINS: 'app.example.com',
  })

  for (const name of [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'DATABASE_DEADLINE',
    'DATABASE_WAIT',
    'BETTER_AUTH_SECRET',
    'PORT',
    'DOCS',
    'LOG_LEVEL',
    'CORS_ORIGINS',
  ]) {
    expect(fault).toContain(name)
  }
})

test('takes NEON_DATABASE_URL, and DATABASE_URL before it', () => {
  const env = { NEON_DATABASE_URL: url, BETTER_AUTH_SECRET: secret }

  expect(readConfig(env).databaseUrl).toBe(url)
  expect(readConfig({ ...env, DATABASE_URL: 'postgres://other.example/app' }).databaseUrl).toBe(
    'postgres://other.example/app',
  )
})

test('requires a secret with a DATABASE_URL', () => {
  expect(faultOf({ DATABASE_URL: url })).toContain('BETTER_AUTH_SECRET is required')
})

test('refuses a secret that is short, counted in bytes', () => {
  expect(faultOf({ BETTER_AUTH_SECRET: 'x'.repeat(31) })).toContain('at least 32 bytes')
  expect(readConfig({ BETTER_AUTH_SECRET: 'é'.repeat(16) }).secret).toBe('é'.repeat(16))
})

test("refuses Better Auth's published default by value", () => {
  expect(faultOf({ BETTER_AUTH_SECRET: 'better-auth-secret-12345678901234567890' })).toContain(
    'published default',
  )
})

test('keeps a secret to the byte, as Better Auth does', () => {
  expect(readConfig({ BETTER_AUTH_SECRET: ` ${secret} ` }).secret).toBe(` ${secret} `)
})

test('allows no origin by itself with a DATABASE_URL', () => {
  expect(readConfig({ DATABASE_URL: url, BETTER_AUTH_SECRET: secret }).corsOrigins).toEqual([])
})

test('takes full origins, comma-separated', () => {
  expect(
    readConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).corsOrigins,
  ).toEqual(['https://a.example', 'http://localhost:5173'])
})

test.each([
  '*',
  'null',
  'a.example',
  'https://a.example/',
  'https://a.example/x',
  'https://A.example',
  'ftp://a.example',
  'https://a.example,',
])('refuses %p as an origin', (origin) => {
  expect(faultOf({ CORS_ORIGINS: origin })).toContain('CORS_ORIGINS')
})

test('explains every variable in .env.example, and only those', async () => {
  const example = await Bun.file('.env.example').text()
  const documented = Array.from(example.matchAll(/^([A-Z_]+)=/gm), ([, name]) => name)
  const source = await Bun.file('src/config.ts').text()
  const read = Array.from(
    source.matchAll(/'([A-Z]+(?:_[A-Z]+)+|PORT|HOST|DOCS)'/g),
    ([, name]) => name,
  )

  expect(new Set([...documented, 'NEON_DATABASE_URL'])).toEqual(new Set(read))
})
