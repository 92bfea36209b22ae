import { describe, expect, test } from 'bun:test'
import { OperatorError, readConfig } from '../src/config.ts'
import { TaskListQuerySchema, TaskSchema } from '../src/tasks/schema.ts'

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
    embeddedMemory: null,
    secret: null,
    jwtIssuer: null,
    jwtAudience: null,
    jwksUrl: null,
    hasSessions: true,
    cookiePrefix: 'better-auth',
    issuer: {
      url: null,
      google: null,
      github: null,
      oidc: null,
      mail: null,
      errorUrl: 'http://localhost:3000',
      clientHosts: [],
    },
    corsOrigins: ['http://localhost:3000'],
    host: '127.0.0.1',
    port: 8000,
    reusePort: false,
    keepAlive: 75,
    docs: true,
    web: true,
    trustProxy: 0,
    basePath: '',
    url: null,
    rateLimit: 1200,
    quotaTasks: 100_000,
    quotaBytes: 256_000_000,
    trashDays: 30,
    historyDays: 90,
    backups: null,
    rateLimitStore: 'memory',
    events: 'local',
    webhooksPrivate: false,
    vapidSubject: null,
    metricsPort: null,
    compat: null,
    logLevel: 'info',
    server: { url: 'http://localhost:8000', token: null },
    launch: { script: null, runner: null, isNpx: false },
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
    EMBEDDED_MEMORY: '7',
    PORT: '80000',
    DOCS: 'maybe',
    WEB: 'maybe',
    LOG_LEVEL: 'loud',
    CORS_ORIGINS: 'app.example.com',
  })

  for (const name of [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'DATABASE_DEADLINE',
    'DATABASE_WAIT',
    'EMBEDDED_MEMORY',
    'BETTER_AUTH_SECRET',
    'PORT',
    'DOCS',
    'WEB',
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

test('takes hosts of programs, and nothing else for one', () => {
  const hostsOf = (AUTH_CLIENT_HOSTS: string) =>
    readConfig({ AUTH_CLIENT_HOSTS }).issuer?.clientHosts

  expect(hostsOf('')).toEqual([])
  expect(hostsOf('agent.example.com, localhost:8443')).toEqual([
    'agent.example.com',
    'localhost:8443',
  ])
  for (const wrong of [
    'https://agent.example.com',
    'agent.example.com/callback',
    '*.example.com',
    'Agent.example.com',
    'agent.example.com:443',
    'a b',
    'a@b',
  ]) {
    expect(faultOf({ AUTH_CLIENT_HOSTS: wrong })).toContain(`"${wrong}" is not a host`)
  }
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

test('has mails sent by a server or by a webhook, and not by both', () => {
  const from = { AUTH_MAIL_FROM: 'Acme, Inc. <hello@acme.example>' }
  const smtp = (address: string) =>
    readConfig({ ...from, AUTH_SMTP_URL: address }).issuer?.mail ?? null

  expect(smtp('smtps://a%40b.example:p%2Fw@mail.example')).toEqual({
    by: 'smtp',
    host: 'mail.example',
    port: 465,
    isTls: true,
    isHere: false,
    login: { user: 'a@b.example', password: 'p/w' },
    from: { name: 'Acme, Inc.', address: 'hello@acme.example' },
  })
  expect(smtp('smtp://mail.example')).toMatchObject({ port: 587, isTls: false, login: null })
  expect(smtp('smtp://localhost:2525/')).toMatchObject({ port: 2525, isHere: true })
  expect(smtp('smtp://[::1]')).toMatchObject({ host: '::1', isHere: true })
  expect(
    readConfig({ AUTH_SMTP_URL: 'smtp://x', AUTH_MAIL_FROM: 'a@b.example' }).issuer?.mail,
  ).toMatchObject({ from: { name: '', address: 'a@b.example' } })
  const webhook = { AUTH_MAIL_WEBHOOK: 'https://app.example/mail' }
  expect(readConfig(webhook).issuer?.mail).toEqual({
    by: 'webhook',
    address: webhook.AUTH_MAIL_WEBHOOK,
  })
  expect(faultOf({ ...from, ...webhook, AUTH_SMTP_URL: 'smtp://x' })).toContain('set one of them')
  expect(faultOf(from)).toContain('AUTH_SMTP_URL')
  expect(faultOf({ AUTH_SMTP_URL: 'smtp://x' })).toContain('AUTH_MAIL_FROM')
  for (const address of [
    'mail.example',
    'https://mail.example',
    'smtp://',
    'smtp://user@mail.example',
    'smtp://mail.example/x',
    'smtp://mail.example?tls.rejectUnauthorized=false',
    'smtp://a%ZZ:b@mail.example',
  ]) {
    expect(faultOf({ ...from, AUTH_SMTP_URL: address })).toContain('AUTH_SMTP_URL must be')
  }
  for (const sender of ['Acme', 'a@b, c@d', 'Acme <a@b> <c@d>', 'A <a b@c.example>', 'A\n<a@b>']) {
    const fault = faultOf({ AUTH_SMTP_URL: 'smtp://x', AUTH_MAIL_FROM: sender })
    expect(fault).toContain('AUTH_MAIL_FROM: ')
  }
})

test('tells a page what went wrong: the one that is named, or the first that may call', () => {
  expect(readConfig({ CORS_ORIGINS: 'https://a.example,https://b.example' }).issuer?.errorUrl).toBe(
    'https://a.example',
  )
  const named = { AUTH_ERROR_URL: 'https://c.example/failed' }
  expect(readConfig(named).issuer?.errorUrl).toBe(named.AUTH_ERROR_URL)
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
  ['AUTH_ERROR_URL', 'javascript:alert(1)'],
  ['AUTH_URL', 'http://api.example.com'],
  ['AUTH_URL', 'https://api.example.com/'],
  ['AUTH_OIDC_DISCOVERY_URL', 'http://id.example'],
  ['AUTH_SESSIONS', 'off'],
])('refuses %s=%s', (name, value) => {
  expect(faultOf({ [name]: value })).toContain(name)
})

test.each([
  ['http://frontend:3000/api/auth/jwks', true],
  ['http://my_app/jwks', true],
  ['http://frontend.default.svc.cluster.local/jwks', true],
  ['http://frontend.internal:3000/jwks', true],
  ['http://nas.local/jwks', true],
  ['http://host.docker.internal:3000/jwks', true],
  ['http://10.0.0.7/jwks', true],
  ['http://172.31.255.1:3000/jwks', true],
  ['http://192.168.1.5/jwks', true],
  ['http://100.64.0.1/jwks', true],
  ['http://[fd00::1]:3000/jwks', true],
  ['http://172.32.0.1/jwks', false],
  ['http://100.128.0.1/jwks', false],
  ['http://11.0.0.1/jwks', false],
  ['http://167772161/jwks', true],
  ['http://184549377/jwks', false],
  ['http://[2001:db8::1]/jwks', false],
  ['http://10.evil.example/jwks', false],
  ['http://frontend@evil.example/jwks', false],
  ['http://local/jwks', true],
  ['http://notlocal.example/jwks', false],
])('takes keys from %s: %p', (AUTH_JWKS_URL, isTaken) => {
  const read = () => readConfig({ AUTH_JWKS_URL })

  if (isTaken) expect(read().jwksUrl).toBe(AUTH_JWKS_URL)
  else expect(read).toThrow('in a private network')
})

test.each([
  [{ BASE_PATH: '/todo' }, '/todo', null],
  [{ BASE_PATH: '/todo/' }, '/todo', null],
  [{ BASE_PATH: '/' }, '', null],
  [{ BASE_PATH: '/a/b.c' }, '/a/b.c', null],
  [{ AUTH_URL: 'https://example.com/todo' }, '/todo', 'https://example.com/todo'],
  [{ AUTH_URL: 'https://example.com/todo/' }, '/todo', 'https://example.com/todo'],
  [{ AUTH_URL: 'https://example.com', BASE_PATH: '/todo' }, '/todo', 'https://example.com/todo'],
  [
    { AUTH_URL: 'https://example.com/todo', BASE_PATH: '/todo/' },
    '/todo',
    'https://example.com/todo',
  ],
])('reads of %j the path %p', (env, basePath, address) => {
  const config = readConfig(env)

  expect([config.basePath, config.issuer?.url]).toEqual([basePath, address])
  // Also where nobody signs in.
  expect([config.url, readConfig({ ...env, AUTH_ISSUER: 'off' }).url]).toEqual([address, address])
})

test.each([
  ['BASE_PATH', 'todo'],
  ['BASE_PATH', '//todo'],
  ['BASE_PATH', '/todo/../x'],
  ['BASE_PATH', '/to do'],
  ['BASE_PATH', 'https://example.com/todo'],
  ['AUTH_URL', 'https://example.com/to?do'],
  ['AUTH_URL', 'https://example.com//todo'],
  ['AUTH_URL', 'http://example.com/todo'],
  ['AUTH_COOKIE_PREFIX', 'a=b'],
  ['AUTH_COOKIE_PREFIX', '__Secure-app'],
  ['AUTH_COOKIE_PREFIX', 'a;b'],
  ['KEEP_ALIVE', '5'],
  ['KEEP_ALIVE', '256'],
  ['KEEP_ALIVE', 'long'],
])('refuses %s=%s, and says so', (name, value) => {
  expect(faultOf({ [name]: value })).toContain(name)
})

test('refuses two paths, and connections that end before an answer', () => {
  const both = { AUTH_URL: 'https://example.com/todo', BASE_PATH: '/other' }

  expect(faultOf(both)).toContain('AUTH_URL and BASE_PATH have different paths')
  expect(faultOf({ KEEP_ALIVE: '30', DATABASE_DEADLINE: '30' })).toContain('KEEP_ALIVE')
})

test('makes backups by itself where it is told to, of the embedded database', () => {
  const folder = '/backups'
  expect(readConfig({ BACKUP_EVERY: '6h' }).backups).toBeNull()
  expect(readConfig({ BACKUP_DIR: folder }).backups).toEqual({ folder, every: 86_400, keep: 7 })
  expect(readConfig({ BACKUP_DIR: folder, BACKUP_EVERY: '6h', BACKUP_KEEP: '30' }).backups).toEqual(
    { folder, every: 21_600, keep: 30 },
  )
  for (const every of ['daily', '0d', '1w', '-1h']) {
    expect(faultOf({ BACKUP_DIR: folder, BACKUP_EVERY: every })).toContain('such as 6h or 1d')
  }
  expect(faultOf({ BACKUP_DIR: folder, BACKUP_KEEP: '0' })).toContain('must be at least 1')
  const server = { DATABASE_URL: url, BETTER_AUTH_SECRET: secret }
  expect(faultOf({ ...server, BACKUP_DIR: folder })).toContain('pg_dump')
})

test('explains every variable in .env.example, and only those', async () => {
  const example = await Bun.file('.env.example').text()
  const documented = Array.from(example.matchAll(/^([A-Z_]+)=/gm), ([, name]) => name)
  const source = await Bun.file('src/config.ts').text()
  const read = Array.from(
    source.matchAll(/'([A-Z]+(?:_[A-Z]+)+|PORT|HOST|DOCS|WEB|EVENTS|COMPAT)'/g),
    ([, name]) => name,
  )

  expect(new Set([...documented, 'NEON_DATABASE_URL'])).toEqual(new Set(read))
})

test('has a task page where there is no other database and nothing is translated, or where it is asked for', () => {
  const server = { DATABASE_URL: url, BETTER_AUTH_SECRET: secret }
  expect(readConfig({}).web).toBe(true)
  expect(readConfig({ WEB: 'off' }).web).toBe(false)
  expect(readConfig({ COMPAT: 'task=data' }).web).toBe(false)
  expect(readConfig(server).web).toBe(false)
  expect(readConfig({ ...server, WEB: 'on' }).web).toBe(true)
  expect(faultOf({ WEB: 'on', COMPAT: 'task=data' })).toContain(
    'WEB=on is not possible with COMPAT',
  )
})

describe('COMPAT', () => {
  const read = (COMPAT: string) => readConfig({ COMPAT }).compat

  test('is a list of what there is', () => {
    const text =
      'unknown=keep  list=data.tasks task=data names=is_completed,status:To-do/Done,camelCase,message dates=datetime prefix=/api/v1/ resource=todos'
    expect(read(text)).toEqual({
      text: text.replace('  ', ' '),
      keepsUnknown: true,
      list: ['data', 'tasks'],
      task: ['data'],
      completed: [
        { name: 'is_completed', words: null },
        { name: 'status', words: ['To-do', 'Done'] },
      ],
      isCamelCase: true,
      hasMessage: true,
      hasDatetimes: true,
      prefix: '/api/v1',
      resource: 'todos',
    })
    expect(read('')).toBe(null)
    expect(read(' prefix=/v2 ')).toMatchObject({ prefix: '/v2', keepsUnknown: false, list: [] })
    expect(read('names=completed:no/yes')?.completed[0]?.words).toEqual(['no', 'yes'])
  })

  test.each([
    ['unknown', 'unknown'],
    ['unknown=drop', 'unknown=drop'],
    ['list=todos', 'list=todos'],
    ['list=data.items task=task', 'list=data.items'],
    ['task=todo', 'task=todo'],
    ['dates=date', 'dates=date'],
    ['resource=notes', 'resource=notes'],
    ['color=red', 'color=red'],
    ['__proto__=x', '__proto__=x'],
    ['constructor=x', 'constructor=x'],
    ['list=tasks list=items', 'list=items'],
    ['list=tasks;task=task', 'list=tasks;task=task'],
    ['names=camelCase,snake', 'snake'],
    ['names=status', 'status'],
    ['names=status:done', 'status:done'],
    ['names=status:done/Done', 'status:done/Done'],
    ['names=is_completed,is_completed', 'is_completed'],
    ['names=title:a/b', 'title:a/b'],
    ['prefix=api', 'prefix=api'],
    ['prefix=/', 'prefix=/'],
    ['prefix=/api', 'prefix=/api'],
    ['prefix=/api/me', 'prefix=/api/me'],
    ['prefix=/health/v1', 'prefix=/health/v1'],
    ['prefix=/feeds', 'prefix=/feeds'],
    ['prefix=/sign-in', 'prefix=/sign-in'],
    ['prefix=/web/v1', 'prefix=/web/v1'],
    ['prefix=/mcp', 'prefix=/mcp'],
    ['prefix=/a/../b', 'prefix=/a/../b'],
    ['prefix=/a?b', 'prefix=/a?b'],
  ])('%s is refused, and what there is is said', (text, named) => {
    const fault = faultOf({ COMPAT: text })

    expect(fault).toContain(`COMPAT: "${named}" is not among what there is`)
    expect(fault).toContain('unknown=keep, list=tasks|items|data|data.tasks, task=task|data')
  })

  test('no word stands for what is there already', () => {
    const taken = [
      ...Object.keys(TaskSchema.properties),
      ...Object.keys(TaskListQuerySchema.properties),
    ]
    for (const name of taken.filter((one) => one !== 'completed' && one !== 'status')) {
      expect(faultOf({ COMPAT: `names=${name}:no/yes` })).toContain('COMPAT')
    }
  })
})
