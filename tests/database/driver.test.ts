import { afterEach, expect, spyOn, test } from 'bun:test'
import type { Socket, TCPSocketListener } from 'bun'
import { patchedDependencies } from '../../package.json' with { type: 'json' }
import { connect, type Sql } from '../../src/database/connect.ts'
import { emptyDatabase, serverEnvironment } from '../support/database.ts'

// What patches/ changes in the driver, each against a server that misbehaves in its own way.

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

type Server = { data?: (socket: Socket, bytes: Buffer) => void; open?: (socket: Socket) => void }

/** A server that does what it is told to, and a pool to it. */
function misbehaving({ data = () => {}, open = () => {} }: Server, { tls = false, max = 1 } = {}) {
  let accepted = 0
  const server: TCPSocketListener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data,
      open: (socket) => {
        accepted += 1
        open(socket)
      },
    },
  })
  const sql: Sql = connect(
    {
      host: '127.0.0.1',
      port: server.port,
      user: 'a',
      password: '',
      database: 'a',
      tls: tls ? { verified: true } : null,
      prepare: true,
      connectTimeout: null,
      searchPath: null,
      others: [],
    },
    { prepare: true, connectTimeout: 5, queryTimeout: 0.3, max, session: null, schema: 'docket' },
  )
  closing.push(
    () => sql.end({ timeout: 0 }),
    () => server.stop(true),
  )
  return { sql, accepted: () => accepted }
}

const codeOf = (query: PromiseLike<unknown>): Promise<string> =>
  Promise.resolve(query).then(
    () => 'no error',
    (error: { code: string }) => error.code,
  )

const welcome = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1')
const done = Buffer.from('C\0\0\0\x05\0Z\0\0\0\x05I', 'latin1')
const isStartup = (bytes: Buffer) => bytes[0] === 0

test('is patched, by a file that is named for the version that is installed', async () => {
  const { version } = await Bun.file('node_modules/postgres/package.json').json()

  expect(patchedDependencies).toEqual({ 'postgres@3.4.9': 'patches/postgres@3.4.9.patch' })
  expect(version).toBe('3.4.9')
})

test('settles when the server hangs up before it is ready, and does not try again by itself', async () => {
  const { sql, accepted } = misbehaving({ open: (socket) => socket.end() })

  expect(await codeOf(sql`select 1`)).toBe('CONNECT_CLOSED')
  await Bun.sleep(200)

  expect(accepted()).toBe(1)
})

test('gives up a connection that has gone silent', async () => {
  const { sql, accepted } = misbehaving({
    data: (socket, bytes) => {
      if (isStartup(bytes)) socket.write(welcome)
    },
  })

  expect(await codeOf(sql`select 1`)).toBe('QUERY_TIMEOUT')
  expect(await codeOf(sql`select 1`)).toBe('QUERY_TIMEOUT')
  expect(accepted()).toBe(2)
})

test('says that a server has no TLS', async () => {
  const { sql } = misbehaving({ data: (socket) => socket.write('N') }, { tls: true })

  expect(await codeOf(sql`select 1`)).toBe('SSL_NOT_SUPPORTED')
})

test('asks for no kind of server that the environment names', async () => {
  process.env['PGTARGETSESSIONATTRS'] = 'standby'
  const { sql } = misbehaving({
    data: (socket, bytes) => void socket.write(isStartup(bytes) ? welcome : done),
  })
  delete process.env['PGTARGETSESSIONATTRS']

  expect(await codeOf(sql.unsafe('x').simple())).toBe('no error')
})

test('uses a slot again whose connection was lost with a statement on its way', async () => {
  let connections = 0
  const { sql } = misbehaving({
    data: (socket, bytes) => {
      if (!isStartup(bytes)) return
      connections += 1
      // The first one hangs up as soon as it may be written to.
      if (connections === 1) socket.end(welcome)
      else socket.write(welcome)
    },
  })

  expect(await codeOf(sql`select 1`)).toBe('CONNECTION_CLOSED')
  // With nothing written on it the server would see no third connection.
  expect(await codeOf(sql`select 1`)).toBe('QUERY_TIMEOUT')
  expect(await codeOf(sql`select 1`)).toBe('QUERY_TIMEOUT')
  expect(connections).toBe(3)
})

test('gives the error of a connection that died to no statement of the next one', async () => {
  const fatal = Buffer.from('E\0\0\0\x19SFATAL\0C57P01\0Mgone\0\0', 'latin1')
  let connections = 0
  const { sql } = misbehaving({
    data: (socket, bytes) => {
      if (isStartup(bytes)) {
        connections += 1
        socket.write(welcome)
      } else if (connections === 1) socket.end(fatal)
    },
  })

  expect(await codeOf(sql`select 1`)).toBe('CONNECTION_CLOSED')
  expect(await codeOf(sql`select 1`)).toBe('QUERY_TIMEOUT')
})

test('sends a statement at once, as none will follow it on its connection', async () => {
  const { sql } = misbehaving({
    data: (socket, bytes) => void socket.write(isStartup(bytes) ? welcome : done),
  })
  await sql.unsafe('x').simple()

  using putOff = spyOn(globalThis, 'setImmediate')
  await sql.unsafe('x').simple()

  expect(putOff).toHaveBeenCalledTimes(0)
})

test('keeps nothing of the statements that were answered', async () => {
  const { sql, accepted } = misbehaving(
    { data: (socket, bytes) => void socket.write(isStartup(bytes) ? welcome : done) },
    { max: 2 },
  )
  const run = () => sql.unsafe('x').simple()
  await Promise.all([run(), run()])

  // The driver looks for a connection in its queues. While there was always one more that is free, a queue never became shorter.
  using looked = spyOn(Array.prototype, 'indexOf')
  for (let n = 0; n < 500; n += 1) await run()
  // What it was called on.
  const lengths = (looked.mock.contexts as unknown[][]).map(({ length }) => length)

  expect(accepted()).toBe(2)
  expect(lengths.length).toBeGreaterThanOrEqual(500)
  expect(Math.max(...lengths)).toBeLessThan(10)
})

test('has the connection that was used last run the next statement', async () => {
  const asked: unknown[] = []
  const { sql, accepted } = misbehaving(
    {
      data: (socket, bytes) => {
        if (!isStartup(bytes)) asked.push(socket)
        socket.write(isStartup(bytes) ? welcome : done)
      },
    },
    { max: 3 },
  )
  const run = () => sql.unsafe('x').simple()
  await Promise.all([run(), run(), run()])

  asked.length = 0
  for (let n = 0; n < 10; n += 1) await run()

  expect(accepted()).toBe(3)
  expect(asked).toHaveLength(10)
  expect(new Set(asked).size).toBe(1)
})

test('has a queue that is as short as what is in it, even if it is never empty', async () => {
  const file = '../../node_modules/postgres/src/queue.js'
  const { default: makeQueue } = await import(file)
  const queue = makeQueue(['a', 'b'])
  for (let n = 0; n < 500; n += 1) queue.push(queue.shift())

  using looked = spyOn(Array.prototype, 'indexOf')
  queue.remove('c')

  expect((looked.mock.contexts as unknown[][]).map(({ length }) => length)).toEqual([2])
})

test('has no statement of another inside a transaction that is rolled back', async () => {
  const { sql, close } = await emptyDatabase()
  closing.push(close)
  await sql`create table public.t (id integer)`

  const others: Promise<unknown>[] = []
  const rolledBack = sql.begin(async (transaction) => {
    await transaction`insert into public.t values (1)`
    others.push(
      sql`insert into public.t values (2)`.execute(),
      sql`insert into public.t values (3)`.execute(),
    )
    await transaction`insert into public.t values (4)`
    throw new Error('back')
  })

  expect(await rolledBack.catch((error: Error) => error.message)).toBe('back')
  await Promise.all(others)
  expect((await sql`select id from public.t order by id`).map(({ id }) => id)).toEqual([2, 3])
})

// The embedded database has no connections to be lost.
test.skipIf(serverEnvironment() === null)('ends a transaction with its connection', async () => {
  const { sql, close } = await emptyDatabase()
  closing.push(close)
  await sql`create table public.t (id integer)`

  const second = Promise.withResolvers<string>()
  const lost = sql.begin(async (transaction) => {
    await transaction`insert into public.t values (1)`
    await transaction`select pg_terminate_backend(pg_backend_pid())`.catch(() => {})
    // On a new connection this would be a statement of its own, and would stay; or it would never be answered.
    transaction`insert into public.t values (2)`.then(
      () => second.resolve('ran'),
      () => second.resolve('refused'),
    )
    await second.promise
  })
  const late = Bun.sleep(3000).then(() => 'not answered')

  expect(await lost.catch(() => 'lost')).toBe('lost')
  expect(await Promise.race([second.promise, late])).toBe('refused')
  expect(await sql`select id from public.t`).toHaveLength(0)
})

test('is used without what loses its way when a connection does', async () => {
  // Whatever the pool is called there. Better Auth has transactions over several round trips, and who holds the row of a user.
  const begins = [
    'src/auth/issuer-database.ts',
    'src/database/log/holding.ts',
    // Hands it on.
    'src/database/schema-name.ts',
    // What is sent to others, which is no database.
    'src/serve.ts',
  ]
  const unsafe = /\.(begin|subscribe|cursor|cancel)\(|\b(sql|pool)\.(listen|reserve)\(/
  const found: string[] = []
  for await (const path of new Bun.Glob('src/**/*.ts').scan('.')) {
    const code = (await Bun.file(path).text()).replace(/^\s*(\/?\*|\/\/).*$/gm, '')
    if (unsafe.test(begins.includes(path) ? code.replaceAll('.begin(', '(') : code))
      found.push(path)
  }

  expect(found).toEqual([])
})
