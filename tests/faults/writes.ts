import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type Server, startServer } from '../support/process.ts'
import { caller, secret } from './support/load.ts'
import { type Proxy, startProxy } from './support/proxy.ts'
import { p99, startReaders, type Work } from './support/readers.ts'
import {
  type Postgres,
  password,
  startPgBouncer,
  startPostgres,
  startStandby,
  stopServers,
  straight,
  until,
} from './support/servers.ts'

// The program with six clients who read and one who writes, while a PostgreSQL can be read and not written to, and while
// another one takes its place. `bun run faults`; not part of `bun test`.

setDefaultTimeout(120_000)

/** Milliseconds until writes are taken again after a server takes them, and what a slow machine may add. */
const recovery = 5000
const slack = 3000

/** Milliseconds that a read may take at worst, while nothing is wrong with reads. */
const slowest = 2500

const rows: string[][] = []
const ending: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).toReversed()) await end()
})
afterAll(async () => {
  console.log(rows.map(([name = '', ...cells]) => name.padEnd(58) + cells.join(', ')).join('\n'))
  await stopServers()
})

const urlOf = (hosts: string, parameters = ''): string =>
  `postgresql://docket:${password}@${hosts}/docket?sslmode=require${parameters}`

async function serve(url: string, { authority }: Postgres, more = {}): Promise<Server> {
  const server = await startServer({
    env: {
      DATABASE_URL: url,
      DATABASE_CA_FILE: authority.ca,
      BETTER_AUTH_SECRET: secret,
      // As fast as they can.
      RATE_LIMIT: '0',
      ...more,
    },
  })
  ending.push(() => server.end('SIGTERM'))
  return server
}

async function proxyTo(port: number): Promise<Proxy> {
  const proxy = await startProxy(port)
  ending.push(() => proxy.close())
  return proxy
}

const readyOf = async ({ address }: Server): Promise<string> => {
  const response = await fetch(`${address}/ready`)
  return response.status === 200
    ? ((await response.json()) as { status: string }).status
    : 'not ready'
}

const setReadOnly = async ({ admin }: Postgres, value: 'on' | 'off'): Promise<void> => {
  await admin.unsafe(`alter system set default_transaction_read_only = ${value}`)
  await admin.unsafe('select pg_reload_conf()')
}

/** Ends Docket's connections, so that the next ones have what its role has now. */
const renew = ({ admin }: Postgres) => admin`
  select pg_terminate_backend(pid)
  from pg_stat_activity
  where usename = 'docket'`

/** One second of peace, what happens, and a second in which all is well again. */
async function scene(
  name: string,
  server: Server,
  happens: (work: Work) => Promise<number>,
): Promise<{ work: Work; refused: Work['writes'] }> {
  const said = server.said().length
  const work = await startReaders(server.address)
  await Bun.sleep(1500)
  const began = performance.now()
  const back = await happens(work)
  const isBack = ({ at, ms, status }: { at: number; ms: number; status: number }) =>
    status === 201 && at - ms > back
  await until('a write', async () => work.writes.some(isBack))
  const again = (work.writes.find(isBack)?.at ?? Number.POSITIVE_INFINITY) - back
  const over = performance.now()
  await Bun.sleep(1000)
  await work.stop()

  const before = work.reads.filter(({ at }) => at < began)
  const during = work.reads.filter(({ at }) => at >= began && at < over)
  const refused = work.writes.filter(({ status }) => status === 503)
  rows.push([
    name,
    `reads ${before.length} + ${during.length}`,
    `p99 ${p99(before).toFixed(1)} -> ${p99(during).toFixed(1)} ms`,
    `slowest ${Math.max(...during.map(({ ms }) => ms)).toFixed(0)} ms`,
    `writes again after ${again.toFixed(0)} ms`,
    `${work.writes.length - refused.length} written, ${refused.length} refused`,
  ])
  expect(work.wrong).toEqual([])
  expect(work.reads.filter(({ status }) => status !== 200)).toEqual([])
  expect(during.length).toBeGreaterThan(50)
  expect(Math.max(...during.map(({ ms }) => ms))).toBeLessThan(slowest)
  expect(again).toBeLessThan(recovery + slack)
  expect(work.writes.at(-1)?.status).toBe(201)
  expect(server.said().slice(said)).not.toMatch(/"level":[56]0|unhandled|\n\s+at /i)
  return { work, refused }
}

/** How many of the acknowledged tasks are not on a server. */
async function lostOn({ port }: Postgres, { writer, acknowledged }: Work): Promise<number> {
  const sql = straight({ port, user: 'admin', database: 'docket' })
  const stored = await sql<{ id: string }[]>`
    select id
    from docket.tasks
    where user_id = ${writer}`
  await sql.end()
  const ids = new Set(stored.map(({ id }) => id))
  return [...acknowledged].filter((id) => !ids.has(id)).length
}

const readOnly = {
  code: 'read_only',
  detail: 'The database takes no writes at the moment. Try again.',
}

describe('a server that does not take each write', () => {
  let database: Postgres
  let pooler: number
  beforeAll(async () => {
    database = await startPostgres()
    pooler = await startPgBouncer(database)
  })

  test.each(['direct', 'pooled'] as const)('turned read-only, %s', async (way) => {
    const port = way === 'pooled' ? pooler : database.port
    const server = await serve(urlOf(`127.0.0.1:${port}`), database, {
      DATABASE_PREPARE: way === 'pooled' ? 'off' : 'on',
    })

    const { refused } = await scene(`read-only, ${way}`, server, async () => {
      await setReadOnly(database, 'on')
      await Bun.sleep(3000)
      expect(await readyOf(server)).toBe('read_only')
      await setReadOnly(database, 'off')
      return performance.now()
    })

    expect(refused.length).toBeGreaterThan(20)
    for (const answer of refused) expect(answer).toMatchObject(readOnly)
    expect(await readyOf(server)).toBe('ok')
  })

  test('whose role was turned read-only, and back where connections stay as they were', async () => {
    const server = await serve(urlOf(`127.0.0.1:${database.port}`), database)

    const { refused } = await scene('role turned read-only', server, async () => {
      await database.admin.unsafe('alter role docket set default_transaction_read_only = on')
      await renew(database)
      await Bun.sleep(3000)
      await database.admin.unsafe('alter role docket reset default_transaction_read_only')
      return performance.now()
    })

    expect(refused.length).toBeGreaterThan(20)
    for (const answer of refused.slice(1)) expect(answer).toMatchObject(readOnly)
  })

  test('says by itself that it can be written to again, to who asks /ready alone', async () => {
    const server = await serve(urlOf(`127.0.0.1:${database.port}`), database)
    const said = (status: string) => until(status, async () => (await readyOf(server)) === status)

    await said('ok')
    await setReadOnly(database, 'on')
    await said('read_only')
    await setReadOnly(database, 'off')
    await said('ok')
  })

  test.each([
    ['53100', 'The disk of the database is full: nothing can be written. Try again.'],
    ['53200', 'The database is short of memory, or of room for locks. Try again.'],
    ['53400', 'The database has reached a limit of its own. Try again.'],
    ['58030', 'The database cannot read or write its disk. Try again.'],
    ['55P03', 'Others have locked what is to be changed. Try again.'],
  ])('that says %s', async (code, detail) => {
    const server = await serve(urlOf(`127.0.0.1:${database.port}`), database)
    const sql = straight({ port: database.port, user: 'admin', database: 'docket' })

    const { refused } = await scene(code, server, async () => {
      await sql.unsafe(`
        create function fail() returns trigger language plpgsql as $$ begin
          raise exception using errcode = '${code}';
        end $$;
        create trigger fail before insert on docket.tasks for each row execute function fail()`)
      await Bun.sleep(1000)
      expect(await readyOf(server)).toBe('ok')
      await sql.unsafe('drop trigger fail on docket.tasks; drop function fail')
      return performance.now()
    })
    await sql.end()

    expect(refused.length).toBeGreaterThan(5)
    for (const answer of refused) expect(answer).toMatchObject({ code: 'unavailable', detail })
    // At once.
    expect(Math.max(...refused.map(({ ms }) => ms))).toBeLessThan(slowest)
  })

  test('that rolls back what others change, with 16 who write to one task', async () => {
    await database.admin.unsafe(
      `alter role docket set default_transaction_isolation = 'repeatable read'`,
    )
    const server = await serve(urlOf(`127.0.0.1:${database.port}`), database)
    const sql = straight({ port: database.port, user: 'admin', database: 'docket' })
    // Whatever the isolation is: now and then as if two had waited for each other.
    await sql.unsafe(`
      create function clash() returns trigger language plpgsql as $$ begin
        if random() < 0.2 then raise exception using errcode = '40001'; end if;
        if random() < 0.2 then raise exception using errcode = '40P01'; end if;
        return new;
      end $$;
      create trigger clash before update on docket.tasks for each row execute function clash()`)
    const user = await caller(crypto.randomUUID())
    const send = (method: string, path: string, body: object) =>
      fetch(`${server.address}${path}`, {
        method,
        headers: user.headers,
        body: JSON.stringify(body),
      })
    const made = (await (await send('POST', '/api/tasks', { title: 'One' })).json()) as any
    const statuses: number[] = []

    await scene('40001 and 40P01, 16 writers on one task', server, async () => {
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let n = 0; n < 10; n += 1) {
            const title = crypto.randomUUID()
            const answer = await send('PATCH', `/api/tasks/${made.id}`, { title })
            statuses.push(answer.status)
            await answer.body?.cancel()
          }
        }),
      )
      return performance.now()
    })
    const [row] = await sql`
      select version
      from docket.tasks
      where id = ${made.id}`
    await sql.unsafe('drop trigger clash on docket.tasks; drop function clash')
    await sql.end()
    await database.admin.unsafe('alter role docket reset default_transaction_isolation')

    expect(statuses).toEqual(Array(160).fill(200))
    // Each once.
    expect(row?.['version']).toBe(made.version + 160)
  })
})

describe('a server whose place another one takes', () => {
  let primary: Postgres
  let standby: Postgres

  /** Demotes the one, with its connections open, and promotes the other when it has all that was acknowledged. */
  async function failOver(): Promise<number> {
    await setReadOnly(primary, 'on')
    await Bun.sleep(1000)
    await catchUp()
    await standby.admin.unsafe('select pg_promote()')
    return performance.now()
  }

  async function catchUp(): Promise<void> {
    const [written] = await primary.admin`select pg_current_wal_lsn()::text as at`
    await until('the standby', async () => {
      const [row] = await standby.admin`
        select pg_last_wal_replay_lsn() >= ${written?.['at']}::pg_lsn as has_all`
      return row?.['has_all'] === true
    })
  }

  async function startBoth(): Promise<void> {
    primary = await startPostgres()
    standby = await startStandby(primary)
    ending.push(
      () => primary.stop('SIGQUIT'),
      () => standby.stop('SIGQUIT'),
    )
  }

  test('under one name that moves, while connections to the old one stay open', async () => {
    await startBoth()
    const proxy = await proxyTo(primary.port)
    const server = await serve(urlOf(`127.0.0.1:${proxy.port}`), primary)

    const { work, refused } = await scene('failover, one name', server, async () => {
      const back = failOver()
      await Bun.sleep(500)
      proxy.aim(standby.port)
      return back
    })

    expect(refused.length).toBeGreaterThan(5)
    for (const answer of refused) expect(answer).toMatchObject(readOnly)
    expect(await lostOn(standby, work)).toBe(0)
    // Nobody reads there any more.
    const [left] = await primary.admin`
      select count(*)::integer as count
      from pg_stat_activity
      where usename = 'docket'`
    expect(left?.['count']).toBe(0)
  })

  test('in a list of hosts, while connections to the old one stay open', async () => {
    await startBoth()
    const hosts = `127.0.0.1:${standby.port},127.0.0.1:${primary.port}`
    const server = await serve(urlOf(hosts, '&target_session_attrs=read-write'), primary)

    const { work, refused } = await scene('failover, list of hosts', server, failOver)

    expect(refused.length).toBeGreaterThan(5)
    for (const answer of refused) expect(answer).toMatchObject(readOnly)
    expect(await lostOn(standby, work)).toBe(0)
  })

  test('in a list of hosts, when it is gone: reads go on from the standby', async () => {
    await startBoth()
    const hosts = `127.0.0.1:${primary.port},127.0.0.1:${standby.port}`
    const server = await serve(urlOf(hosts), primary)

    const { refused } = await scene('primary gone, list of hosts', server, async () => {
      await primary.stop('SIGQUIT')
      await Bun.sleep(3000)
      expect(await readyOf(server)).toBe('read_only')
      await standby.admin.unsafe('select pg_promote()')
      return performance.now()
    })

    expect(refused.length).toBeGreaterThan(5)
    expect(await readyOf(server)).toBe('ok')
  })
})
