import { expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createStreams } from '../../src/exports/streams.ts'

const text = 'x'.repeat(1_000_000)

const refuse = () => {
  throw new Error('There is no room.')
}

/** Whether a user may have one more. */
const hasRoom = (streams: ReturnType<typeof createStreams>, userId: string): boolean => {
  const leave = streams.enter(userId)
  leave?.()
  return leave !== null
}

/** A server that answers with the texts of a generator, and what became of it. */
function serve(texts: () => AsyncGenerator<string>) {
  const failures: unknown[] = []
  const ended = Promise.withResolvers<void>()
  const streams = createStreams((error) => failures.push(error))
  async function* watched() {
    try {
      yield* texts()
    } finally {
      ended.resolve()
    }
  }
  const server = Bun.serve({
    port: 0,
    fetch: (request) =>
      new Response(streams.open(watched(), request.signal, streams.enter('alice') ?? refuse)),
  })
  return { failures, streams, server, ended: ended.promise, address: String(server.url) }
}

test('asks for no more than the client takes', async () => {
  let given = 0
  const { server, ended } = serve(async function* () {
    for (; given < 100; given += 1) yield text
  })
  const socket = connect(server.port ?? 0, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
  await once(socket, 'readable')

  // Until it is as far as it goes.
  for (let before = -1; before !== given; ) {
    before = given
    await Bun.sleep(300)
  }
  expect(given).toBeLessThan(50)

  let taken = 0
  socket.on('data', (bytes: Buffer) => {
    taken += bytes.length
  })
  await once(socket, 'close')
  await ended
  expect([given, taken > 100_000_000]).toEqual([100, true])
  await server.stop(true)
})

test('is cut off where it fails, so that nobody takes the rest for all', async () => {
  const { server, failures, streams, address, ended } = serve(async function* () {
    yield 'one\n'
    await Bun.sleep(1)
    throw new Error('no database')
  })

  const answer = await fetch(address)

  expect(answer.status).toBe(200)
  expect(await answer.text().catch(() => 'cut off')).toBe('cut off')
  await ended
  expect(failures).toEqual([new Error('no database')])
  expect(hasRoom(streams, 'alice')).toBe(true)
  await server.stop(true)
})

test('ends with the client, and that is no failure', async () => {
  const { server, failures, streams, address, ended } = serve(async function* () {
    for (;;) {
      await Bun.sleep(1)
      yield text
    }
  })
  const leaving = new AbortController()
  const answer = await fetch(address, { signal: leaving.signal })
  await answer.body?.getReader().read()

  leaving.abort()

  await ended
  expect(failures).toEqual([])
  expect(hasRoom(streams, 'alice')).toBe(true)
  await server.stop(true)
})

test('a user has two at most, and others theirs', async () => {
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  const { server, streams, address } = serve(async function* () {
    yield 'one\n'
    await held
  })
  const answers = await Promise.all([fetch(address), fetch(address)])

  expect([hasRoom(streams, 'alice'), hasRoom(streams, 'bob')]).toEqual([false, true])

  release()
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['one\n', 'one\n'])
  expect(hasRoom(streams, 'alice')).toBe(true)
  await server.stop(true)
})
