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
    databaseSchema: 'docket',
    authTables: null,
    databaseCaFile: null,
    prepareStatements: true,
    databaseDeadline: 5,
    databaseWait: 60,
    dataDir: '.docket',
    secret: null,
    jwtIssuer: null,
    jwtAudience: null,
    jwksUrl: null,
    hasSessions: true,
    issuer: {
      url: null,
      google: null,
      github: null,
      oidc: null,
      mailWebhook: null,
    },
    corsOrigins: ['http://localhost:3000'],
    host: '127.0.0.1',
    port: 8000,
    reusePort: false,
    docs: true,
    trustProxy: 0,
    rateLimit: 1200,
    quotaTasks: 100_000,
    quotaBytes: 256_000_000,
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

test('has the issuer on without a DATABASE_URL, and off with one, unless told otherwise', () => {
  const env = { DATABASE_URL: url, BETTER_AUTH_SECRET: secret }

  expect(readConfig({ AUTH_ISSUER: 'off' }).issuer).toBeNull()
  expect(readConfig(env).issuer).toBeNull()
  expect(faultOf({ ...env, AUTH_ISSUER: 'on' })).toContain('AUTH_URL is required')
  const on = readConfig({ ...env, AUTH_ISSUER: 'on', AUTH_URL: 'https://api.example.com' })
  expect(on.issuer?.url).toBe('https://api.example.com')
})

test('takes a provider whole or not at all', () => {
  const oidc = {
    AUTH_OIDC_DISCOVERY_URL: 'https://id.example/.well-known/openid-configuration',
    AUTH_OIDC_CLIENT_ID: 'docket',
    AUTH_OIDC_CLIENT_SECRET: 's',
  }
  expect(readConfig(oidc).issuer?.oidc).toEqual({
    discoveryUrl: oidc.AUTH_OIDC_DISCOVERY_URL,
    clientId: 'docket',
    clientSecret: 's',
  })
  for (const name of Object.keys(oidc))
    expect(faultOf({ ...oidc, [name]: '' })).toContain('AUTH_OIDC_')
  expect(faultOf({ AUTH_GOOGLE_CLIENT_ID: 'x' })).toContain('AUTH_GOOGLE_CLIENT_SECRET')
  expect(faultOf({ AUTH_GITHUB_CLIENT_SECRET: 'x' })).toContain('AUTH_GITHUB_CLIENT_ID')
})

test('needs no secret from whoever publishes keys', () => {
  const keys = { DATABASE_URL: url, AUTH_JWKS_URL: 'https://app.example/api/auth/jwks' }

  expect(readConfig(keys)).toMatchObject({ secret: null, jwksUrl: keys.AUTH_JWKS_URL })
})

test.each([
  ['AUTH_JWKS_URL', 'http://app.example/jwks'],
  ['AUTH_JWKS_URL', 'app.example/jwks'],
  ['AUTH_JWKS_URL', 'http://localhost.evil.example/jwks'],
  ['AUTH_MAIL_WEBHOOK', 'ftp://app.example'],
  ['AUTH_URL', 'http://api.example.com'],
  ['AUTH_URL', 'https://api.example.com/'],
  ['AUTH_OIDC_DISCOVERY_URL', 'http://id.example'],
  ['AUTH_SESSIONS', 'off'],
])('refuses %s=%s', (name, value) => {
  expect(faultOf({ [name]: value })).toContain(name)
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
