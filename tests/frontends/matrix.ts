import {
  afterAll,
  beforeAll,
  describe,
  expect,
  onTestFinished,
  setDefaultTimeout,
  test,
} from 'bun:test'
import postgres from 'postgres'
import { type Postgres, startPostgres } from '../harden/postgres.ts'
import { secret, tokenOf } from '../harden/support.ts'
import { type Browser, browser } from '../support/auth-client.ts'
import { startServer } from '../support/process.ts'
import { catalogOf, install, layOut, rowsOf, startFrontend } from './better-auth.ts'
import { frontendUrl, type Layout, layouts } from './layouts.ts'

// The program on the databases of frontends, as the generators of Better Auth lay them out. `bun run frontends`; not part of
// `bun test`. It needs postgresql, Node.js and the registry.

setDefaultTimeout(120_000)

const zones = ['UTC', 'America/New_York', 'Asia/Kolkata']

/** Where instants have no zone the process's may matter: all of them. Else one, another one for the next layout. */
const zonesOf = (layout: Layout): string[] => {
  const one = layouts.indexOf(layout) % zones.length
  return layout.instants === 'timestamp' ? zones : zones.slice(one, one + 1)
}
const hour = 3600
const issuerUrl = 'http://localhost:8000'

let server: Postgres
let admin: postgres.Sql
beforeAll(async () => {
  await install()
  server = await startPostgres()
  admin = connect(server.url)
  const projects = []
  for (const layout of layouts) {
    await admin`create database ${admin(layout.name)}`
    projects.push({ layout, url: frontendUrl(layout, urlOf(layout.name)) })
  }
  await layOut(projects)
})
afterAll(async () => {
  await admin.end()
  await server.stop()
})

const connect = (url: string): postgres.Sql => postgres(url, { max: 1, onnotice: () => {} })

function urlOf(name: string): string {
  const url = new URL(server.url)
  url.pathname = name
  return url.href
}

/** A database with the tables of that layout, its frontend, and whoever looks into it from outside. */
async function inhabit(layout: Layout, zone: string) {
  const name = `frontend_${crypto.randomUUID()}`
  await admin`create database ${admin(name)} template ${admin(layout.name)}`
  const url = frontendUrl(layout, urlOf(name))
  const frontend = await startFrontend({ layout, url }, secret, zone)
  const sql = connect(urlOf(name))
  onTestFinished(async () => {
    await Promise.all([frontend.end(), sql.end()])
    await admin`drop database ${admin(name)} with (force)`
  })
  return { url, frontend, sql }
}

/** Who signs in once more has another session. */
async function sessionOf(visitor: Browser, email: string): Promise<string> {
  const { status, body } = await visitor.signIn(email)
  expect(status).toBe(200)
  return body.token
}

describe.each(layouts.map((layout) => [layout.name, layout] as const))('%s', (_, layout) => {
  test('is what its name says, and Better Auth is at home in it', async () => {
    const { frontend, sql } = await inhabit(layout, 'Asia/Kolkata')
    const table = (name: string) => (layout.plural ? `${name}s` : name)
    const [userId, expiresAt] =
      layout.names === 'snake' ? ['user_id', 'expires_at'] : ['userId', 'expiresAt']
    const id = { text: 'text', uuid: 'uuid', serial: 'integer' }[layout.ids]
    const instant = {
      timestamptz: 'timestamp with time zone',
      timestamp: 'timestamp without time zone',
    }
    const columns = await sql`
      select table_schema, table_name, column_name, data_type
      from information_schema.columns
      where table_name = ${table('user')} and column_name = 'id'
        or table_name = ${table('session')} and column_name in (${userId}, ${expiresAt})
      order by table_name desc, data_type`
    expect(columns.map((column) => Object.values(column).join(' '))).toEqual([
      `${layout.schema} ${table('user')} id ${id}`,
      ...[
        `${layout.schema} ${table('session')} ${userId} ${id}`,
        `${layout.schema} ${table('session')} ${expiresAt} ${instant[layout.instants]}`,
      ].toSorted((a, b) => (a.split(' ')[3] ?? '').localeCompare(b.split(' ')[3] ?? '')),
    ])

    const ann = frontend.visitor()
    const { status, body } = await ann.signUp('ann@example.com')
    expect(status).toBe(200)
    expect(body.user.id).toBeString()
    expect(await ann.token()).toStartWith('ey')

    // A `timestamp` is UTC, in whatever zone the process is.
    await frontend.expire(body.token, hour)
    const [session] = await sql`
      select extract(epoch from ${sql(expiresAt)})::float - extract(epoch from now())::float as left
      from ${sql(layout.schema)}.${sql(table('session'))}`
    expect(session?.['left']).toBeWithin(hour / 2, hour + 1)

    await frontend.expire(body.token, -hour)
    expect((await ann.send('GET', '/api/auth/get-session')).text).toBe('null')
    await sessionOf(ann, 'ann@example.com')
    expect((await ann.signOut()).status).toBe(200)
    await sessionOf(ann, 'ann@example.com')
    expect((await ann.deleteUser()).status).toBe(200)
    expect(await sql`select from ${sql(layout.schema)}.${sql(table('user'))}`).toHaveLength(0)
  })

  test.each(zonesOf(layout))('is where Docket is at home, in %s', async (zone) => {
    const { url, frontend, sql } = await inhabit(layout, zone)
    const email = 'ann@example.com'
    const ann = frontend.visitor()
    const { id } = (await ann.signUp(email)).body.user
    const jwt = await ann.token()
    const [ending, expired, ended, open] = [
      await sessionOf(frontend.visitor(), email),
      await sessionOf(frontend.visitor(), email),
      await sessionOf(ann, email),
      await sessionOf(frontend.visitor(), email),
    ]
    await frontend.expire(ending, hour)
    await frontend.expire(expired, -hour)
    expect((await ann.signOut()).status).toBe(200)
    await sessionOf(ann, email)
    const catalog = await catalogOf(sql, layout.schema)
    const rows = await rowsOf(sql, layout.schema)

    // The connection string is the frontend's, and nothing else is said.
    const docket = await startServer({
      env: {
        DATABASE_URL: url,
        BETTER_AUTH_SECRET: secret,
        TZ: zone,
        AUTH_ISSUER: 'on',
        AUTH_URL: issuerUrl,
        CORS_ORIGINS: issuerUrl,
      },
    })
    onTestFinished(async () => {
      await docket.end('SIGKILL')
    })
    const call = async (token: string, path: string, method = 'GET', body?: unknown) => {
      const response = await fetch(`${docket.address}${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as any }
    }
    for (const token of [open, ending, jwt]) {
      expect(await call(token, '/api/me')).toMatchObject({ status: 200, body: { id } })
    }
    const cookie = await fetch(`${docket.address}/api/me`, {
      headers: { cookie: ann.cookieHeader() },
    })
    expect(cookie.status).toBe(200)
    for (const token of [expired, ended]) expect((await call(token, '/api/me')).status).toBe(401)

    expect((await call(open, '/api/tasks', 'POST', { title: 'Buy milk' })).status).toBe(201)
    const itself = await tokenOf(id)
    expect((await call(itself, '/api/tasks')).body).toHaveLength(1)

    // One trigger more, and else what was there: each relation, each row, and no second set.
    const before = catalog.split('\n')
    const after = (await catalogOf(sql, layout.schema)).split('\n')
    expect(after.filter((line) => !before.includes(line))).toEqual([
      expect.stringMatching(layout.plural ? /^trigger users / : /^trigger user /),
    ])
    expect(after.filter((line) => before.includes(line))).toEqual(before)
    expect(await rowsOf(sql, layout.schema)).toBe(rows)
    const sets = await sql`
      select from pg_class where relkind = 'r' and relname in ('session', 'sessions')`
    expect(sets).toHaveLength(1)

    expect((await ann.deleteUser()).status).toBe(200)
    expect((await call(itself, '/api/tasks')).body).toEqual([])
    expect((await call(open, '/api/me')).status).toBe(401)

    // The built-in issuer and the frontend's are one: who signs up with either signs in with the other.
    const kim = browser(docket.address, issuerUrl)
    const { status, body } = await kim.signUp('kim@example.com')
    expect(status).toBe(200)
    expect(await call(await kim.token(), '/api/me')).toMatchObject({ body: { id: body.user.id } })
    const here = frontend.visitor()
    const there = await sessionOf(here, 'kim@example.com')
    expect(await call(there, '/api/me/sessions')).toMatchObject({ body: [{}, {}] })
    expect((await kim.signOut()).status).toBe(200)
    expect((await call(body.token, '/api/me')).status).toBe(401)
    expect((await kim.signIn('kim@example.com')).status).toBe(200)
    expect((await call(there, '/api/me', 'DELETE', { confirm: body.user.id })).body).toEqual({
      id: body.user.id,
      tasks: 0,
      account: true,
    })
    expect((await here.signIn('kim@example.com')).status).toBe(401)
  })
})
