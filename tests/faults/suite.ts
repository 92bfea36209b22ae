import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/database/open.ts'
import { schemaFilesWithoutAccounts } from '../../src/database/schema/files.ts'
import { settingsFor } from '../../src/database/settings.ts'
import { docket, type Server, startServer } from '../support/process.ts'
import { scenes } from './scenes.ts'
import { type Authority, makeAuthority } from './support/authority.ts'
import { caller, deadline, type Report, secret, startLoad } from './support/load.ts'
import { type Proxy, startProxy } from './support/proxy.ts'
import { addRow, renderTable, verify } from './support/report.ts'
import {
  type Postgres,
  password,
  serverFolder,
  startPgBouncer,
  startPostgres,
  stopServers,
  straight,
} from './support/servers.ts'

// The program against a real PostgreSQL, straight and through a PgBouncer in transaction mode, while whatever can
// happen to a database on a network happens to it. `bun run faults`; not part of `bun test`.

setDefaultTimeout(60_000)

/** Milliseconds from the return of the database to the first success, and what a slow machine may add. */
const recovery = { direct: 2000, pooled: 10_000 }
const slack = 1000

const nothing = { lost: 0, doubled: 0, stray: 0 }

let database: Postgres
let pooler: number
let stranger: Authority
beforeAll(async () => {
  database = await startPostgres()
  pooler = await startPgBouncer(database)
  stranger = await makeAuthority(await serverFolder())
})
afterAll(async () => {
  console.log(renderTable())
  await stopServers()
})

/** As a console gives it. */
const urlOf = (port: number, name = 'docket', host = '127.0.0.1'): string =>
  `postgresql://docket:${password}@${host}:${port}/${name}?sslmode=require&channel_binding=require`

const environment = (url: string, pooled = false): Record<string, string> => ({
  DATABASE_URL: url,
  DATABASE_CA_FILE: database.authority.ca,
  DATABASE_DEADLINE: String(deadline),
  DATABASE_PREPARE: pooled ? 'off' : 'on',
  BETTER_AUTH_SECRET: secret,
})

for (const way of ['direct', 'pooled'] as const) {
  describe(way, () => {
    let proxy: Proxy
    let server: Server
    beforeAll(async () => {
      proxy = await startProxy(way === 'pooled' ? pooler : database.port)
      server = await startServer({ env: environment(urlOf(proxy.port), way === 'pooled') })
    })
    afterAll(async () => {
      await server.end('SIGTERM')
      proxy.close()
    })

    test.each(
      scenes
        .filter(({ only }) => only === undefined || only === way)
        .map((scene) => [scene.name, scene] as const),
    )('%s', async (name, scene) => {
      const said = server.said().length
      const load = await startLoad(() => [server.address])
      await Bun.sleep(500)
      const accepted = proxy.accepted()
      const began = performance.now()

      const back = await scene.fault({ database, proxy, load })
      const attempts = scene.uncounted ? null : proxy.accepted() - accepted
      const first = await firstSuccess(load.report, back, recovery[way] + slack)
      await Bun.sleep(500)
      const report = await load.stop()

      const seconds = (back - began) / 1000
      const found = await verify(database.port, report)
      const errors =
        server
          .said()
          .slice(said)
          .match(/"level":[56]0|unhandled|\n\s+at /gi) ?? []
      addRow({ name: `${way}: ${name}`, report, first: first - back, attempts, ...found })
      expect(report.wrong).toEqual([])
      expect({ late: report.late, ...found }).toEqual({ late: 0, ...nothing })
      expect({ crashed: server.hasEnded(), errors }).toEqual({ crashed: false, errors: [] })
      expect(first - back).toBeLessThan(recovery[way] + slack)
      // Each of the 8 connections once for each time that all are lost, once more, and then twice a second at most. The
      // driver alone makes some hundred times as many.
      expect(attempts ?? 0).toBeLessThanOrEqual(8 * (scene.losses ?? 1) + 8 + 8 * 2 * seconds)
      if (scene.unnoticed) expect(report.unavailable).toBe(0)
    })

    test('a statement that is prepared costs one round trip of 300 ms', async () => {
      const user = await caller(crypto.randomUUID())
      const time = async () => {
        const started = performance.now()
        const response = await fetch(`${server.address}/api/tasks`, { headers: user.headers })
        expect(response.status).toBe(200)
        return performance.now() - started
      }
      // On each of the connections, which are taken in turn.
      await Promise.all(Array.from({ length: 32 }, time))
      proxy.delay(150)
      const times = [await time(), await time(), await time()]
      proxy.delay(0)

      console.log(`${way}: ${times.map(Math.round).join(', ')} ms with 300 ms on the wire`)
      const [fastest = 0] = times.toSorted((a, b) => a - b)
      expect(fastest).toBeGreaterThanOrEqual(300)
      // Without preparing there are two.
      expect(fastest).toBeLessThan(way === 'direct' ? 550 : 850)
    })

    test('nothing asks the database but requests, and who asks for /ready', async () => {
      const user = await caller(crypto.randomUUID())
      const statements = () => {
        const sent = proxy.sent()
        return Bun.sleep(1000).then(() => proxy.sent() - sent)
      }
      const ask = (path: string) => fetch(`${server.address}${path}`, user)
      const written = await fetch(`${server.address}/api/tasks`, {
        method: 'POST',
        headers: user.headers,
        body: '{"title": "Written"}',
      })
      expect(written.status).toBe(201)
      await Bun.sleep(100)

      // Answered by what the request has just found.
      const quiet = statements()
      for (let index = 0; index < 20; index += 1) {
        expect((await ask('/health')).status).toBe(200)
        expect((await ask('/ready')).status).toBe(200)
      }
      expect(await quiet).toBe(0)

      await Bun.sleep(3000)
      const asked = statements()
      for (let index = 0; index < 20; index += 1) expect((await ask('/ready')).status).toBe(200)
      // One statement, of one or two messages of the driver, or of a connection that it opens for it.
      expect(await asked).toBeGreaterThan(0)
      expect(await statements()).toBe(0)
    })

    test('a statement that takes longer than it may ends on the server, and is not sent again', async () => {
      const user = await caller(crypto.randomUUID())
      const sql = straight({ port: database.port, user: 'admin', database: 'docket' })
      await sql.unsafe(`
        create sequence tries;
        create function slow() returns trigger language plpgsql as $$ begin
          if new.title = 'slow' then perform nextval('public.tries'), pg_sleep(60); end if;
          return new;
        end $$;
        alter function slow() security definer;
        create trigger slow before insert on docket.tasks for each row execute function slow()`)
      const answer = await fetch(`${server.address}/api/tasks`, {
        method: 'POST',
        headers: { ...user.headers, 'content-type': 'application/json' },
        body: '{"title": "slow"}',
      })
      const { detail } = (await answer.json()) as { detail: string }
      const active = await sql`
        select pid
        from pg_stat_activity
        where usename = 'docket'
          and state = 'active'`
      const [tries] = await sql`select last_value::integer as count from tries`
      await sql.unsafe('drop trigger slow on docket.tasks; drop function slow; drop sequence tries')
      await sql.end()

      expect([answer.status, detail]).toEqual([503, 'The database took too long. Try again.'])
      expect(active.length).toBe(0)
      expect(tries?.['count']).toBe(1)
    })

    test('refuses at once who does not fit in, and gives the place of a client that left to the next', async () => {
      const user = await caller(crypto.randomUUID())
      const { hostname, port } = new URL(server.address)
      const text = `GET /api/tasks HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${user.headers['authorization']}\r\n\r\n`
      const client = () =>
        Bun.connect({
          hostname,
          port: Number(port),
          socket: { data() {}, open: (socket) => void socket.write(text) },
        })
      const time = async () => {
        const started = performance.now()
        const { status } = await fetch(`${server.address}/api/tasks`, user)
        return { status, ms: performance.now() - started }
      }
      await proxy.turn('lose')
      // As many as eight statements of lists answer, and as may wait.
      const clients = await Promise.all(Array.from({ length: 8 * 16 + 256 }, client))
      await Bun.sleep(1000)

      const refused = await time()
      for (const socket of clients) socket.terminate()
      await Bun.sleep(500)
      const admitted = time()
      await Bun.sleep(500)
      await proxy.turn('pass')

      expect(refused.status).toBe(503)
      expect(refused.ms).toBeLessThan(500)
      expect((await admitted).ms).toBeGreaterThan(500)
    })

    test('8 that start together on an empty database all start, and the schema is applied once', async () => {
      const name = `empty_${way}`
      await database.admin.unsafe(`create database ${name} owner docket`)
      const env = environment(
        urlOf(way === 'pooled' ? pooler : database.port, name),
        way === 'pooled',
      )

      const servers = await Promise.all(Array.from({ length: 8 }, () => startServer({ env })))

      const sql = straight({ port: database.port, user: 'admin', database: name })
      const applied = await sql`
        select name
        from docket.schema_migrations`
      await sql.end()
      expect(applied.map((row) => row['name'])).toEqual(
        schemaFilesWithoutAccounts.map((file) => file.name),
      )
      for (const one of servers) {
        expect((await fetch(`${one.address}/ready`)).status).toBe(200)
        expect(one.introduction).toStartWith('Docket is ready')
      }
      expect(await Promise.all(servers.map((one) => one.end('SIGTERM')))).toEqual(Array(8).fill(0))
    })

    test('one of two is killed under load, and nothing is lost', async () => {
      const env = environment(urlOf(proxy.port), way === 'pooled')
      const two = await Promise.all([startServer({ env }), startServer({ env })])
      const [one, other] = two
      if (one === undefined || other === undefined) throw new Error('expected two servers')
      let addresses = [one.address, other.address]
      const load = await startLoad(() => addresses)
      await Bun.sleep(1000)

      const killed = one.end('SIGKILL')
      addresses = [other.address] // As a reverse proxy that noticed.
      await killed
      const back = performance.now()
      const first = await firstSuccess(load.report, back, 2000)
      await Bun.sleep(1000)
      const report = await load.stop()
      await other.end('SIGTERM')

      const found = await verify(database.port, report)
      addRow({
        name: `${way}: one of two killed`,
        report,
        first: first - back,
        attempts: null,
        ...found,
      })
      expect(report.wrong).toEqual([])
      expect({ unavailable: report.unavailable, ...found }).toEqual({ unavailable: 0, ...nothing })
    })
  })
}

test.each([
  [
    'a certificate of another host',
    () => ({ DATABASE_URL: urlOf(database.port, 'docket', '127.0.0.2') }),
    'its certificate is of another host',
  ],
  [
    'a certificate of another host in a list',
    () => ({ DATABASE_URL: urlOf(database.port, 'docket', '127.0.0.1:1,127.0.0.2') }),
    'its certificate is of another host',
  ],
  [
    'a certificate of another authority',
    () => ({ DATABASE_CA_FILE: stranger.ca }),
    'not of an authority that is known here',
  ],
  [
    'a wrong password',
    () => ({ DATABASE_URL: urlOf(database.port).replace(password, 'hunter2') }),
    'it refuses the user "docket" or the password',
  ],
  [
    'a database that is not there',
    () => ({ DATABASE_URL: urlOf(database.port, 'nowhere') }),
    'there is no database "nowhere"',
  ],
  [
    'a wrong password at the pooler',
    () => ({ DATABASE_URL: urlOf(pooler).replace(password, 'hunter2') }),
    'Cannot use the database docket on 127.0.0.1',
  ],
  [
    'a host that is not there',
    () => ({ DATABASE_URL: urlOf(5432, 'docket', 'nowhere.invalid'), DATABASE_WAIT: '1' }),
    'there is no host "nowhere.invalid"',
  ],
] as const)('refuses %s in one sentence, without the password', async (_what, change, said) => {
  const started = performance.now()
  const { exitCode, stderr } = await docket([], {
    env: { ...environment(urlOf(database.port)), PORT: '0', ...change() },
  })

  expect(exitCode).toBe(1)
  expect(stderr).toContain(said)
  expect(stderr).not.toMatch(/hunter2|only-for-tests|\n\s+at /)
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2)
  expect(performance.now() - started).toBeLessThan(20_000)
})

test.each([
  ['refuses what is asked of it', {}],
  ['drops what is asked of it', { ignore_startup_parameters: Object.keys(settingsFor(1)).join() }],
  ['keeps a connection for each client', { pool_mode: 'session' }],
])('has its own settings through a pooler that %s', async (_what, more) => {
  const port = await startPgBouncer(database, more)
  const name = `unlike_${port}`
  await database.admin.unsafe(`create database ${name} owner docket`)
  for (const setting of [
    'DateStyle = German',
    'IntervalStyle = sql_standard',
    'default_transaction_isolation = serializable',
  ]) {
    await database.admin.unsafe(`alter database ${name} set ${setting}`)
  }

  const config = readConfig(environment(urlOf(port, name), true))
  const { db, close } = await openDatabase(config, { onFailure: () => {} })
  const [said] = await db.read(
    (sql) => sql`
      select
        current_setting('DateStyle') as date_style,
        current_setting('IntervalStyle') as interval_style,
        current_setting('transaction_isolation') as isolation,
        current_setting('statement_timeout') as most`,
  )
  await close()

  expect(said as unknown).toEqual({
    date_style: 'ISO, MDY',
    interval_style: 'postgres',
    isolation: 'read committed',
    most: `${(deadline / 2) * 1000}ms`,
  })
})

test('waits at startup for a database that is not there yet', async () => {
  await database.stop('SIGINT')
  const starting = startServer({ env: environment(urlOf(database.port)) })
  await Bun.sleep(2000)
  await database.start()

  const server = await starting
  expect(server.introduction).toContain('Waiting up to 60 s for the database docket on 127.0.0.1')
  expect(await server.end('SIGTERM')).toBe(0)
})

test('migrates by DATABASE_DIRECT_URL where the other way leads nowhere', async () => {
  const env = { ...environment(urlOf(1)), DATABASE_DIRECT_URL: urlOf(database.port) }

  expect(await docket(['migrate'], { env })).toMatchObject({
    exitCode: 0,
    stdout: 'The schema is up to date.\n',
  })
})

/** When the first request succeeded after the database was back, or Infinity. */
async function firstSuccess(
  { successes }: Report,
  back: number,
  patience: number,
): Promise<number> {
  for (;;) {
    const first = successes.find((at) => at > back)
    if (first !== undefined) return first
    if (performance.now() > back + patience) return Number.POSITIVE_INFINITY
    await Bun.sleep(20)
  }
}
