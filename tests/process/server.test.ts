import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import {
  connectTo,
  emptyDatabase,
  serverEnvironment,
  temporaryFolder,
} from '../support/database.ts'
import { docket, type Options, type Server, startServer } from '../support/process.ts'

const secret = 'a-secret-of-thirty-two-bytes-or-more'

/** A caller with a token from the command line, as a developer gets one. */
async function signIn(server: Server, options: Options, user: string = crypto.randomUUID()) {
  const { stdout } = await docket(['token', '--user', user], options)
  const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' }

  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${server.address}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as any,
    }
  }
}

test('serves a first task in an empty folder with an empty environment', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd })
  const call = await signIn(server, { cwd }, 'alice')

  const created = await call('POST', '/api/tasks', { title: 'Water the plants' })
  const listed = await call('GET', '/api/tasks')
  const completed = await call('PATCH', `/api/alice/tasks/${created.body.id}/complete`)
  const page = await fetch(`${server.address}/swagger`)
  const script = await fetch(`${server.address}/swagger/swagger-ui-bundle.js`)
  const guide = await fetch(`${server.address}/docs/api`)

  expect(created.status).toBe(201)
  expect(listed.body).toEqual([created.body])
  expect(completed.body).toMatchObject({ id: created.body.id, completed: true, version: 2 })
  expect(await page.text()).toContain('swagger-ui')
  expect((await script.text()).length).toBeGreaterThan(1_000_000)
  expect(await guide.text()).toContain('The API by example')
  expect(statSync(join(cwd, '.docket/secret')).mode & 0o777).toBe(0o600)
  expect(await server.end('SIGTERM')).toBe(0)
})

test('introduces itself in a few lines', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd })
  await server.end('SIGTERM')

  for (const said of [
    `${server.address}/docs`,
    `${server.address}/swagger`,
    '.docket',
    'http://localhost:3000',
    'token --user alice',
  ]) {
    expect(server.introduction).toContain(said)
  }
  expect(server.introduction.split('\n').length).toBeLessThan(13)
})

test('keeps its data over a restart, and over kill -9', async () => {
  const cwd = temporaryFolder()
  const titles: string[] = []

  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    const server = await startServer({ cwd })
    const call = await signIn(server, { cwd }, 'alice')
    const before = await call('GET', '/api/tasks?order=asc')
    expect(before.body.map(({ title }: { title: string }) => title)).toEqual(titles)

    const title = crypto.randomUUID()
    expect((await call('POST', '/api/tasks', { title })).status).toBe(201)
    titles.push(title)
    await server.end(signal)
  }
})

test('loses no task that it acknowledged to kill -9 under load', async () => {
  const cwd = temporaryFolder()
  const acknowledged: string[] = []

  for (let round = 0; round < 3; round += 1) {
    const server = await startServer({ cwd })
    const call = await signIn(server, { cwd }, 'alice')
    const write = async () => {
      for (;;) {
        const created = await call('POST', '/api/tasks', { title: 'A task' })
        acknowledged.push(created.body.id)
      }
    }
    // Each ends with the connection.
    const writers = Array.from({ length: 8 }, () => write().catch(() => {}))
    const enough = acknowledged.length + 100 + round * 37
    while (acknowledged.length < enough) await Bun.sleep(1)
    await server.end('SIGKILL')
    await Promise.all(writers)
  }

  const server = await startServer({ cwd })
  const call = await signIn(server, { cwd }, 'alice')
  const found = new Set<string>()
  for (let path: string | undefined = '/api/tasks?limit=200'; path; ) {
    const { body, headers } = await call('GET', path)
    for (const { id } of body) found.add(id)
    const query = /<(.*)>/.exec(headers.get('link') ?? '')?.[1]
    path = query && `/api/tasks${query}`
  }
  await server.end('SIGTERM')

  expect(acknowledged.length).toBeGreaterThan(300)
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([])
}, 60_000)

test('finishes what it is doing when it is told to stop', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd })
  const call = await signIn(server, { cwd })

  const writes = Array.from({ length: 20 }, () => call('POST', '/api/tasks', { title: 'A task' }))
  await Promise.any(writes)
  const ended = server.end('SIGTERM')

  for (const result of await Promise.allSettled(writes)) {
    // A connection that had not been accepted yet is refused; one that was is answered.
    if (result.status === 'fulfilled') expect(result.value.status).toBe(201)
  }
  expect(await ended).toBe(0)
})

test('says nothing of its insides to a Host that is none', async () => {
  const server = await startServer()
  const { hostname, port } = new URL(server.address)

  for (const host of ['a', 'ab', 'a/b', '', 'exa mple', '[', '%']) {
    const answer = await rawRequest(
      hostname,
      Number(port),
      `GET /api/tasks HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    )

    expect(answer).toMatch(/^HTTP\/1\.1 (400|401|404) /)
  }
  await server.end('SIGTERM')
})

async function rawRequest(hostname: string, port: number, text: string): Promise<string> {
  let answer = ''
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = await Bun.connect({
    hostname,
    port,
    socket: {
      data: (_socket, chunk) => {
        answer += chunk.toString()
      },
      close: () => resolve(),
    },
  })
  socket.write(text)
  await promise
  return answer
}

const environment = serverEnvironment()

test.skipIf(environment === null)(
  "finds Better Auth's tables by the search path of DATABASE_URL",
  async () => {
    const { sql, close } = await emptyDatabase()
    const [row] = await sql`select current_database() as name`
    const columns = (...names: string[]) => names.map((name) => `${name} text`).join(', ')
    for (const schema of ['one', 'two']) {
      await sql.unsafe(`create schema ${schema}`)
      await sql.unsafe(
        `create table ${schema}.user (${columns('id', 'name', 'email')}, email_verified boolean, created_at timestamptz, updated_at timestamptz)`,
      )
      await sql.unsafe(
        `create table ${schema}.session (${columns('id', 'token', 'user_id', 'ip_address', 'user_agent')}, expires_at timestamptz, created_at timestamptz, updated_at timestamptz)`,
      )
    }
    const url = new URL(environment?.['DATABASE_URL'] ?? '')
    url.pathname = `/${row?.['name']}`
    const env = { ...environment, LOG_LEVEL: 'info', BETTER_AUTH_SECRET: secret, PORT: '0' }

    const lost = await docket([], { env: { ...env, DATABASE_URL: url.href } })
    url.searchParams.set('options', '-c search_path=two,public')
    const server = await startServer({ env: { ...env, DATABASE_URL: url.href } })
    await server.end('SIGTERM')
    await close()

    expect(lost.exitCode).toBe(1)
    expect(lost.stderr).toContain('in several schemas (one, two)')
    expect(server.said()).toContain('\\"two\\".\\"session\\"')
  },
)

test.skipIf(environment === null)(
  'serves from the database of DATABASE_URL, several on one',
  async () => {
    const env = { ...environment, BETTER_AUTH_SECRET: secret }
    const servers = await Promise.all([
      startServer({ env }),
      startServer({ env }),
      startServer({ env }),
    ])
    const [first, second] = servers
    if (first === undefined || second === undefined) throw new Error('expected servers')

    const user = crypto.randomUUID()
    const created = await (await signIn(first, { env }, user))('POST', '/api/tasks', {
      title: 'A task',
    })
    const found = await (await signIn(second, { env }, user))(
      'GET',
      `/api/tasks/${created.body.id}`,
    )

    expect(found.body).toEqual(created.body)
    expect((await fetch(`${first.address}/ready`)).status).toBe(200)
    for (const server of servers) expect(await server.end('SIGTERM')).toBe(0)
  },
)

test.skipIf(environment === null)(
  'answers 503 to who waits too long for a lock that somebody else holds',
  async () => {
    const env = { ...environment, BETTER_AUTH_SECRET: secret, DATABASE_DEADLINE: '1' }
    const server = await startServer({ env })
    const call = await signIn(server, { env })
    const { body: task } = await call('POST', '/api/tasks', { title: 'A task' })
    const path = `/api/tasks/${task.id}`
    const other = connectTo(environment?.['DATABASE_URL'] ?? '')
    const refused = {
      status: 503,
      body: { detail: 'Others have locked what is to be changed. Try again.' },
    }

    await other.begin(async (transaction) => {
      await transaction`select from docket.tasks where user_id = ${task.user_id} and id = ${task.id} for update`
      expect(await call('PATCH', path, { title: 'B' })).toMatchObject(refused)
      expect((await call('GET', path)).status).toBe(200)
      await transaction`lock table docket.tasks in access exclusive mode`
      expect(await call('GET', path)).toMatchObject(refused)
    })

    expect((await call('PATCH', path, { title: 'B' })).status).toBe(200)
    expect(server.said()).not.toContain('"level":"error"')
    await other.end({ timeout: 1 })
    await server.end('SIGTERM')
  },
)

test('is told nothing by the variables that other clients of PostgreSQL have', async () => {
  const env = {
    PGHOST: 'nowhere.invalid',
    PGOPTIONS: '-c search_path=nowhere',
    PGTZ: 'Asia/Kolkata',
    PGDATESTYLE: 'German',
    PGTARGETSESSIONATTRS: 'nobody',
    PGSSLNEGOTIATION: 'direct',
    PGDEBUG: '1',
    TZ: 'Asia/Kolkata',
  }
  const server = await startServer({ env: { ...environment, BETTER_AUTH_SECRET: secret, ...env } })

  expect((await fetch(`${server.address}/ready`)).status).toBe(200)
  await server.end('SIGTERM')
})

test('says at the start what COMPAT translates, and does', async () => {
  const server = await startServer({
    env: { COMPAT: 'prefix=/api/v1 names=message', LOG_LEVEL: 'info' },
  })

  const answer = await fetch(`${server.address}/api/v1/tasks`)

  expect(await answer.json()).toMatchObject({ status: 401, message: expect.any(String) })
  expect(await server.end('SIGTERM')).toBe(0)
  expect(server.said()).toContain('as COMPAT says: prefix=/api/v1 names=message')
})

test('shows metrics on the port of METRICS_PORT, and nowhere else', async () => {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  const { port } = listener
  listener.stop(true)
  const server = await startServer({ env: { METRICS_PORT: String(port) } })

  await fetch(`${server.address}/health`)
  const metrics = await fetch(`http://127.0.0.1:${port}/metrics`)
  const elsewhere = await fetch(`${server.address}/metrics`)

  expect(await metrics.text()).toContain('route="/health",status="200"} 1')
  expect(elsewhere.status).toBe(404)
  expect(await server.end('SIGTERM')).toBe(0)
})

test('shares its port with REUSE_PORT, and one goes on when the other ends', async () => {
  const first = await startServer({ env: { REUSE_PORT: 'on' } })
  const { port } = new URL(first.address)
  const second = await startServer({ env: { REUSE_PORT: 'on', PORT: port } })

  expect(second.address).toBe(first.address)
  expect(await first.end('SIGTERM')).toBe(0)
  expect((await fetch(`${second.address}/health`)).status).toBe(200)
  expect(await second.end('SIGTERM')).toBe(0)
})

test('limits each user, and failed sign-ins by the address of the connection', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd, env: { RATE_LIMIT: '5' } })
  const call = await signIn(server, { cwd }, 'alice')

  const statuses: number[] = []
  for (let index = 0; index < 7; index += 1) statuses.push((await call('GET', '/api/tasks')).status)
  const failed: number[] = []
  for (let index = 0; index < 62; index += 1) {
    const answer = await fetch(`${server.address}/api/tasks`, {
      headers: { authorization: 'Bearer x.y.z', 'x-forwarded-for': `203.0.113.${index}` },
    })
    failed.push(answer.status)
  }

  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
  expect(failed.slice(0, 60)).toEqual(failed.slice(0, 60).map(() => 401))
  expect(failed.at(-1)).toBe(429)
  await server.end('SIGTERM')
})

test('ends at once when it is told to stop twice', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd })
  const { port } = new URL(server.address)
  const { stdout } = await docket(['token', '--user', 'alice'], { cwd })
  // A body that never comes keeps the first signal waiting.
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: Number(port),
    socket: { data() {} },
  })
  socket.write(
    `POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${stdout.trim()}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n`,
  )
  await Bun.sleep(100)

  const ended = server.end('SIGTERM')
  const state = await Promise.race([ended, Bun.sleep(1500).then(() => 'still there')])
  const again = await server.end('SIGTERM')
  socket.end()

  expect(state).toBe('still there')
  expect(again).toBe(1)
})
