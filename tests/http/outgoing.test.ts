import { expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { createOutgoing, textAnswer } from '../../src/http/outgoing.ts'
import { createTestApp, signUp, sql, type TestUser } from '../support/app.ts'

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000 && !condition(); tries += 1) await Bun.sleep(10)
  expect(condition()).toBe(true)
}

/** More than the buffers of two sockets on one machine take. */
const large = 12_000_000

/** A server whose every answer has as many characters as its path says, to the owner that it says too. */
function serveTexts(outgoing: ReturnType<typeof createOutgoing>, idleTimeout = 60) {
  return Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout,
    fetch: async ({ url }) => {
      await Bun.sleep(0)
      const [, owner = '', length, character = 'x'] = new URL(url).pathname.split('/')
      const answer = textAnswer(decodeURIComponent(character).repeat(Number(length)), {})
      return outgoing.take(answer, owner, true) ? answer : new Response('refused', { status: 503 })
    },
  })
}

/** A client that asks, and reads only when it is told to. */
function ask({ port }: { port?: number | undefined }, path: string): Socket {
  const socket = connect(port ?? 0, '127.0.0.1')
  socket.pause()
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
  return socket
}

test.each(['x', '€'])('counts the bytes of an answer of %s until it is read', async (character) => {
  const outgoing = createOutgoing(100e6, 200e6)
  using server = serveTexts(outgoing)
  const bytes = large * Buffer.byteLength(character)

  const socket = ask(server, `/alice/${large}/${encodeURIComponent(character)}`)
  await until(() => outgoing.bytes > 0)
  await Bun.sleep(200)
  expect(outgoing.bytes).toBe(bytes)

  let read = 0
  socket.on('data', (chunk) => {
    read += chunk.length
  })
  socket.resume()
  await until(() => outgoing.bytes === 0)
  await until(() => read > bytes)
  socket.destroy()
})

test('gives back what a client that left had not read, or had not begun to', async () => {
  const outgoing = createOutgoing(100e6, 200e6)
  using server = serveTexts(outgoing)

  const sockets = Array.from({ length: 4 }, (_, index) => ask(server, `/${index}/${large}`))
  await until(() => outgoing.bytes === 4 * large)
  for (const socket of sockets) socket.destroy()
  await until(() => outgoing.bytes === 0)

  for (let times = 0; times < 20; times += 1) {
    const socket = ask(server, `/alice/${large}`)
    await Bun.sleep(times % 5)
    socket.destroy()
  }
  await Bun.sleep(100)
  await until(() => outgoing.bytes === 0)
})

test('gives back what is not read when the connection is hung up on', async () => {
  const outgoing = createOutgoing(100e6, 200e6)
  // On a busy machine a second may pass before the request is heard.
  using server = serveTexts(outgoing, 6)

  const socket = ask(server, `/alice/${large}`)
  await until(() => outgoing.bytes > 0)
  await until(() => outgoing.bytes === 0)
  socket.destroy()
})

test('refuses a user who does not read, and nobody else', async () => {
  const outgoing = createOutgoing(2.5 * large, 100 * large)
  using server = serveTexts(outgoing)

  const statusOf = async (path: string): Promise<number> => {
    const answer = await fetch(`${server.url.href}${path}`)
    // What is left unread would be on its way for as long.
    await answer.arrayBuffer()
    return answer.status
  }

  const sockets = []
  for (let times = 0; times < 5; times += 1) {
    sockets.push(ask(server, `/alice/${large}`))
    await Bun.sleep(150)
  }
  await until(() => outgoing.bytes === 2 * large)

  expect(await statusOf(`alice/${large}`)).toBe(503)
  expect(outgoing.isFull('alice')).toBe(false)
  expect(await statusOf('alice/12000')).toBe(200)
  expect(await statusOf(`bob/${large}`)).toBe(200)
  for (const socket of sockets) socket.destroy()
  await until(() => outgoing.bytes === 0)
  expect(await statusOf(`alice/${large}`)).toBe(200)
})

test('leaves room for others, however many do not read', () => {
  const outgoing = createOutgoing(8_000_000, 64_000_000)
  const send = (owner: string, length: number) =>
    outgoing.take(textAnswer('x'.repeat(length), {}), owner, true)

  for (let round = 0; round < 8; round += 1) {
    for (let user = 0; user < 100; user += 1) send(`user ${user}`, 1_000_000)
  }

  expect(outgoing.bytes).toBeLessThan(64_000_000)
  expect(send('bob', 400_000)).toBe(true)
  expect(outgoing.isFull('carol')).toBe(false)
  expect(outgoing.isFull('user 0')).toBe(true)
})

test('says what was done, however much is on its way', () => {
  const outgoing = createOutgoing(100_000, 200_000)
  const write = () => outgoing.take(textAnswer('x'.repeat(80_000), {}), 'alice', false)

  expect([write(), write(), write(), write()]).toEqual([true, true, true, true])
  expect(outgoing.isFull('alice')).toBe(true)
})

async function insertLongTasks({ id }: TestUser): Promise<void> {
  await sql`
    with owner as (
      insert into docket.users (id)
      values (${id})
    )
    insert into docket.tasks (user_id, id, title, description)
    select ${id}::text, gen_random_uuid(), 'Long', repeat('€', 20000)
    from generate_series(1, 200)`
}

test('refuses who does not read his pages before the database is asked, and lets in others', async () => {
  const outgoing = createOutgoing(500_000, 64_000_000)
  const app = createTestApp({ outgoing }).listen({ hostname: '127.0.0.1', port: 0 })
  const port = app.server?.port ?? 0
  const [alice, bob] = [await signUp(), await signUp()]
  await Promise.all([insertLongTasks(alice), insertLongTasks(bob)])
  const address = `http://127.0.0.1:${port}`
  const get = ({ authorization }: TestUser, path: string, headers = {}) =>
    fetch(`${address}${path}`, { headers: { authorization, ...headers } })
  const sleeper = connect(port, '127.0.0.1')
  sleeper.pause()
  // The kernel takes some megabytes, before anything is left with us.
  for (let pages = 0; outgoing.bytes === 0; pages += 1) {
    expect(pages).toBeLessThan(50)
    sleeper.write(
      `GET /api/tasks?limit=200 HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${alice.authorization}\r\n\r\n`,
    )
    await Bun.sleep(200)
  }

  const refused = await get(alice, '/api/me', { origin: 'https://app.example' })
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refused.json()).toMatchObject({ code: 'overloaded' })
  const others = await get(bob, '/api/tasks?limit=200')
  expect(others.status).toBe(200)
  expect((await others.text()).length).toBeGreaterThan(300_000)
  sleeper.destroy()
  await until(() => outgoing.bytes === 0)
  expect((await get(alice, '/api/me')).status).toBe(200)
  await app.server?.stop(true)
})

test('answers a refusal as a problem, with what browsers need to read it', async () => {
  const outgoing = createOutgoing(1_000_000, 1_000_000)
  const app = createTestApp({ outgoing })
  const alice = await signUp()
  await insertLongTasks(alice)
  const get = (method = 'GET') =>
    app.handle(
      new Request('http://localhost/api/tasks?limit=200', {
        method,
        headers: { authorization: alice.authorization, origin: 'https://app.example' },
      }),
    )

  const answer = await get()

  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect(answer.headers.get('x-frame-options')).toBe('DENY')
  expect(answer.headers.get('link')).toBeNull()
  expect(await answer.json()).toMatchObject({
    status: 503,
    code: 'overloaded',
    request_id: answer.headers.get('x-request-id'),
  })
  expect((await get('HEAD')).status).toBe(200)
  expect(outgoing.bytes).toBe(0)
})
