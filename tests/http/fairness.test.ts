import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { createLoad, type Load } from '../../src/http/load.ts'
import { memoryRates } from '../../src/http/rates.ts'
import { createTestApp, db, origin, sign, signUp } from '../support/app.ts'

/** The database, which answers nobody before it is let go, and then one after the other. */
function heldDatabase() {
  const { promise, resolve: letGo } = Promise.withResolvers<void>()
  let last: Promise<unknown> = promise
  const inTurn = <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = last.then(ask)
    last = answer.catch(() => {})
    return answer
  }
  const held: typeof db = {
    ...db,
    for: (request) => {
      const way = db.for(request)
      return {
        ...way,
        read: (statement) => inTurn(() => way.read(statement)),
        share: (shared, ask) => inTurn(() => way.share(shared, ask)),
      }
    },
  }
  return { held, letGo }
}

const tokenOf = async (id: string = crypto.randomUUID()) => `Bearer ${await sign({ sub: id })}`

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries += 1) await Bun.sleep(10)
  expect(condition()).toBe(true)
}

/** As many requests, one after the other as a server gets them, none of which is waited for. */
async function sendMany(
  count: number,
  send: () => Promise<Response>,
): Promise<Promise<Response>[]> {
  const answers: Promise<Response>[] = []
  while (answers.length < count) {
    answers.push(send())
    await Bun.sleep(0)
  }
  return answers
}

const statusesOf = async (answers: Promise<Response>[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { status } of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test('answers others, however many requests one user has in flight', async () => {
  const load = createLoad(64, 250)
  const { held, letGo } = heldDatabase()
  const app = createTestApp({ load, db: held })
  const [greedy, newcomer] = [await tokenOf(), await tokenOf()]
  const ask = (authorization: string, path = '/api/tasks') =>
    app.handle(new Request(`http://localhost${path}`, { headers: { authorization, origin } }))

  const many = await sendMany(2000, () => ask(greedy))
  await until(() => load.inFlight === 512)
  const few = await sendMany(20, () => ask(newcomer))
  const refused = await ask(greedy)
  await until(() => load.inFlight === 532 && load.owners === 2)
  letGo()

  expect(await statusesOf(many)).toEqual({ 200: 512, 503: 1488 })
  expect(await statusesOf(few)).toEqual({ 200: 20 })
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.get('access-control-allow-origin')).toBe(origin)
  expect(await refused.json()).toMatchObject({ status: 503, code: 'overloaded' })
  expect([load.inFlight, load.owners]).toEqual([0, 0])
})

test('answers users with a token, however many strangers of one address are looked for', async () => {
  const load = createLoad(64, 250)
  const { held, letGo } = heldDatabase()
  const app = createTestApp({ load, db: held })
  const user = await tokenOf()
  const ask = (authorization: string, address: string) =>
    app.handle(
      new Request('http://localhost/api/tasks', {
        headers: { authorization, 'x-forwarded-for': address },
      }),
    )

  // What looks like the token of a session has to be looked for in the database.
  const strangers = await sendMany(1500, () => ask(`Bearer ${'x'.repeat(31)}y`, '203.0.113.7'))
  await until(() => load.inFlight === 512)
  const answers = [
    ask(user, '203.0.113.7'),
    ask(user, '203.0.113.8'),
    ask(`Bearer ${'x'.repeat(31)}z`, '203.0.113.9'),
  ]
  await until(() => load.inFlight === 515)
  letGo()

  expect(await statusesOf(strangers)).toEqual({ 401: 512, 503: 988 })
  expect(await statusesOf(answers)).toEqual({ 200: 2, 401: 1 })
  expect([load.inFlight, load.owners]).toEqual([0, 0])
})

test('refuses everybody at the door when there is no place left, but not /health and /ready', async () => {
  const load = createLoad(64, 250)
  const app = createTestApp({ load })
  const authorization = await tokenOf()
  const ask = (path: string) =>
    app.handle(new Request(`http://localhost${path}`, { headers: { authorization } }))
  const places = Array.from({ length: 1024 }, () => load.enter())

  const full = []
  for (const path of ['/health', '/ready/', '/api/tasks', '/api/me', '/nowhere', '/healthy']) {
    full.push((await ask(path)).status)
  }
  for (const place of places) place?.leave(true)

  expect(full).toEqual([200, 200, 503, 503, 503, 503])
  expect((await ask('/api/tasks')).status).toBe(200)
  expect(load.inFlight).toBe(0)
})

test('refuses a request whose body came when there was too much to do, and writes nothing', async () => {
  const load = createLoad(64, 250, 8)
  const app = createTestApp({ load })
  const alice = await signUp()
  const send = () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const answer = app.handle(
      new Request('http://localhost/api/tasks', {
        method: 'POST',
        body: readable,
        headers: { authorization: alice.authorization, 'content-type': 'application/json' },
      }),
    )
    return { answer, writer: writable.getWriter() }
  }
  const sent: ReturnType<typeof send>[] = []
  while (sent.length < 20) {
    sent.push(send())
    await until(() => load.inFlight === 0)
  }

  const text = new TextEncoder().encode('{"title":"A task"}')
  await Promise.all(sent.map(({ writer }) => writer.write(text).then(() => writer.close())))
  const counts = await statusesOf(sent.map(({ answer }) => answer))

  const { body: tasks } = await alice.send('GET', '/api/tasks')
  expect(counts[503]).toBeGreaterThan(0)
  expect(counts[201]).toBe(tasks.length)
  expect([load.inFlight, load.owners]).toEqual([0, 0])
})

test('does not charge a request that was refused because of others to its user', async () => {
  const load = createLoad(0, 0, 1)
  const app = createTestApp({
    load,
    rates: { users: memoryRates(5), failures: memoryRates(1000), calendars: memoryRates(1000) },
  })
  const authorization = await tokenOf()
  const ask = () =>
    app.handle(new Request('http://localhost/api/tasks', { headers: { authorization } }))

  const refused = []
  for (let times = 0; times < 10; times += 1) refused.push((await ask()).status)

  expect(new Set(refused)).toEqual(new Set([503]))
  expect(refused.length).toBe(10)
})

/** Every way that a request can come to its end, each of them several times, on sockets. */
async function everyWayOut(port: number, load: Load, letGo: () => void): Promise<void> {
  const authorization = await tokenOf()
  const address = `http://127.0.0.1:${port}`
  const call = (
    method: string,
    path: string,
    init: { body?: string; headers?: Record<string, string> } = {},
  ) =>
    fetch(`${address}${path}`, {
      method,
      ...init,
      headers: { authorization, 'content-type': 'application/json', ...init.headers },
    }).then((answer) => answer.text())
  const raw = (text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(text.replaceAll('\n', '\r\n'))
    return socket
  }
  const head = `Host: localhost\nAuthorization: ${authorization}\nContent-Type: application/json\n`

  const answers = Array.from({ length: 5 }, () => [
    call('GET', '/api/tasks'),
    call('HEAD', '/api/tasks'),
    call('GET', '/nowhere'),
    call('PUT', '/api/tasks'),
    call('OPTIONS', '/api/tasks'),
    call('GET', '/api/tasks/no-uuid'),
    call('GET', `/api/tasks/${crypto.randomUUID()}`),
    call('GET', '/api/somebody/tasks'),
    call('GET', '/api/tasks?nonsense=1'),
    call('GET', '/api/tasks', { headers: { authorization: 'Bearer x.y.z' } }),
    call('GET', '/api/tasks', { headers: { authorization: `Bearer ${'x'.repeat(32)}` } }),
    call('POST', '/api/tasks', { body: '{"title":"A task"}' }),
    call('POST', '/api/tasks', { body: '{"title":' }),
    call('POST', '/api/tasks', { body: '{"title":""}' }),
    call('POST', '/api/tasks', { body: 'x'.repeat(70_000) }),
    call('POST', '/api/auth/sign-in/email', { body: '{}' }),
    call('GET', '/swagger/json'),
    call('GET', '/health'),
    call('GET', '/ready'),
  ]).flat()
  const sockets = Array.from({ length: 5 }, () => [
    // The body stops in the middle, chunked and not; the client goes while the database is asked; it sends nonsense.
    raw(`POST /api/tasks HTTP/1.1\n${head}Content-Length: 100\n\n{"title":`),
    raw(`POST /api/tasks HTTP/1.1\n${head}Transfer-Encoding: chunked\n\n9\n{"title":\n`),
    raw(`GET /api/tasks HTTP/1.1\n${head}\n`),
    raw(`DELETE /api/tasks/${crypto.randomUUID()} HTTP/1.1\n${head}\n`),
    raw(`GET /api/tasks HTTP/1.1\n${head}Content-Length: 5\n\n`),
    raw('nonsense\n\n'),
  ]).flat()
  await until(() => load.owners > 1)
  await Bun.sleep(100)
  for (const socket of sockets) socket.destroy()
  await Bun.sleep(20)
  letGo()
  await Promise.all(answers.map((answer) => answer.catch(() => '')))
}

test('counts nothing any more when every request has come to its end, whatever that was', async () => {
  const load = createLoad(64, 250)
  const { held, letGo } = heldDatabase()
  const app = createTestApp({
    load,
    db: held,
    rates: { users: memoryRates(40), failures: memoryRates(10), calendars: memoryRates(1000) },
  }).listen({ hostname: '127.0.0.1', port: 0 })
  const port = app.server?.port ?? 0

  await everyWayOut(port, load, letGo)
  await until(() => load.inFlight === 0)

  expect(load.owners).toBe(0)
  expect(load.total).toBeGreaterThan(100)
  await app.server?.stop(true)
})

test('holds what was slow against nobody who comes when it is over', () => {
  let now = 0
  const load = createLoad(64, 250, 1024, () => now)
  const places: NonNullable<ReturnType<Load['enter']>>[] = []
  const come = (count: number): number => {
    const welcome = Array.from({ length: count }, (_, index) => {
      const place = load.enter()
      if (place?.claim(`${index}`)) return places.push(place)
      place?.leave(false)
      return undefined
    })
    return welcome.filter((found) => found !== undefined).length
  }
  /** The places are left one by one, each after so many milliseconds. */
  const answer = (count: number, milliseconds: number): void => {
    for (const place of places.splice(0, count)) {
      now += milliseconds
      place.leave(true)
    }
  }

  come(100)
  answer(30, 20)
  const whileSlow = [come(60), come(1)]
  answer(Number.POSITIVE_INFINITY, 20)
  now += 1000
  expect([whileSlow, load.inFlight, come(200)]).toEqual([[0, 0], 0, 200])

  // Nothing at all is answered any more.
  answer(10, 1)
  now += 240
  expect(come(10)).toBe(0)
})
