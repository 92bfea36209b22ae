import { afterAll, expect, test } from 'bun:test'
import { createGate } from '../../src/database/gate/gate.ts'
import { readHeads } from '../../src/database/log/heads.ts'
import { createTestApp, db, sign, signUp, sql, streams, type TestUser } from '../support/app.ts'
import { gateOf } from '../support/database.ts'

// Those who follow what changes, over a port.

const app = createTestApp()
app.listen({ port: 0, hostname: '127.0.0.1' })
const address = `http://127.0.0.1:${app.server?.port}`
afterAll(() => app.server?.stop(true))

type Event = { id?: string; event?: string; data?: any }

/** A client of the stream: its events one after the other. */
async function follow(
  { authorization }: Pick<TestUser, 'authorization'>,
  query = '',
  headers: Record<string, string> = {},
  at = address,
) {
  const aborting = new AbortController()
  const response = await fetch(`${at}/api/events${query}`, {
    headers: { authorization, ...headers },
    signal: aborting.signal,
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  async function next(): Promise<Event | null> {
    for (;;) {
      const end = rest.indexOf('\n\n')
      if (end !== -1) {
        const block = rest.slice(0, end)
        rest = rest.slice(end + 2)
        const fields = block.split('\n').flatMap((line) => {
          const [, name, value] = /^(\w+): (.*)$/.exec(line) ?? []
          return name === undefined
            ? []
            : [[name, name === 'data' ? JSON.parse(value ?? '') : value]]
        })
        const event = Object.fromEntries(fields)
        if (event.event !== undefined) return event
        continue
      }
      const read = await reader?.read().catch(() => undefined)
      if (read === undefined || read.done) return null
      rest += read.value
    }
  }
  const several = async (count: number): Promise<Event[]> => {
    const events: Event[] = []
    while (events.length < count) {
      const event = await next()
      if (event === null) throw new Error(`The stream ended after ${events.length} events.`)
      events.push(event)
    }
    return events
  }
  return { response, next, several, close: () => aborting.abort() }
}

test('hears of what changes, of one’s own only, in the order of the numbers', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  await alice.create({ title: 'Before' })
  const stream = await follow(alice)
  const other = await follow(bob)

  const task = await alice.create({ title: 'New' })
  const foreign = await bob.create({ title: 'Of Bob' })
  const { body: changed } = await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'Changed' })
  const { body: trashed } = await alice.send('DELETE', `/api/tasks/${task.id}`)

  expect(stream.response.status).toBe(200)
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream;charset=utf-8')
  expect(stream.response.headers.get('cache-control')).toBe('no-cache, no-transform')
  let last: Event = {}
  let before = 0
  while (last.data?.task.deleted_at == null) {
    ;[last = {}] = await stream.several(1)
    expect(last).toMatchObject({ event: 'change', data: { type: 'task', id: task.id } })
    expect(Number(last.id)).toBe(last.data.seq)
    expect(Number(last.id)).toBeGreaterThan(before)
    before = Number(last.id)
  }
  expect(last.data.task).toEqual(trashed)
  expect(changed.title).toBe('Changed')
  expect((await other.several(1))[0]?.data.task).toEqual(foreign)
  stream.close()
  other.close()
})

test('goes on after the last event, without missing or repeating any', async () => {
  const alice = await signUp()
  const stream = await follow(alice)
  await alice.create({ title: '1' })
  const [first] = await stream.several(1)
  stream.close()
  const missed = [await alice.create({ title: '2' }), await alice.create({ title: '3' })]

  const again = await follow(alice, '?since=0', { 'last-event-id': String(first?.id) })
  const events = await again.several(2)
  const later = await alice.create({ title: '4' })

  expect(events.map(({ data }) => data.task)).toEqual(missed)
  expect((await again.several(1))[0]?.data.task).toEqual(later)
  again.close()
})

test('begins with all there is, if it is asked to', async () => {
  const alice = await signUp()
  const tasks = []
  for (let n = 0; n < 450; n += 1) tasks.push(await alice.create({ title: `${n}` }))

  const stream = await follow(alice, '?since=0')

  expect((await stream.several(450)).map(({ data }) => data.task.id)).toEqual(
    tasks.map(({ id }) => id),
  )
  stream.close()
}, 30_000)

test('says that a number means nothing', async () => {
  const alice = await signUp()
  await alice.create()

  for (const [query, headers] of [
    ['?since=99', {}],
    ['', { 'last-event-id': '99' }],
    ['?since=1&epoch=another', {}],
  ] as const) {
    const stream = await follow(alice, query, headers)
    expect(await stream.next()).toEqual({ event: 'resync', data: {} })
    expect(await stream.next()).toBeNull()
  }
  const { response } = await follow(alice, '', { 'last-event-id': 'abc' })
  expect(response.status).toBe(422)
})

test('ends with the account', async () => {
  const alice = await signUp()
  await alice.create()
  const stream = await follow(alice)

  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect(await stream.next()).toEqual({ event: 'resync', data: {} })
  expect(await stream.next()).toBeNull()
})

test('ends with the token: nothing is sent after it', async () => {
  const id = crypto.randomUUID()
  const alice = await signUp(id)
  const soon = Math.floor(Date.now() / 1000) + 2
  const stream = await follow({ authorization: `Bearer ${await sign({ sub: id }, soon)}` })
  await alice.create({ title: 'In time' })
  expect((await stream.next())?.data.task.title).toBe('In time')

  while (Date.now() < soon * 1000) await Bun.sleep(50)
  await alice.create({ title: 'Late' })

  expect(await stream.next()).toBeNull()
})

/** With a session in the database. */
async function signUpWithSession() {
  const id = crypto.randomUUID()
  const alice = await signUp(id)
  const token = crypto.randomUUID().replaceAll('-', '')
  await sql`
    insert into docket."user" (id, name, email, "emailVerified", "createdAt", "updatedAt")
    values (${id}, 'Alice', ${`${id}@example.com`}, true, now(), now())`
  await sql`
    insert into docket.session (id, "expiresAt", token, "createdAt", "updatedAt", "userId")
    values (${id}, now() + interval '1 day', ${token}, now(), now(), ${id})`
  return { alice, token, session: { authorization: `Bearer ${token}` } }
}

test('goes on for longer than a request may take', async () => {
  const { alice, session } = await signUpWithSession()
  const deadline = 1000
  const short = createTestApp({ db: createGate(sql, { permits: 4, deadline }) })
  short.listen({ port: 0, hostname: '127.0.0.1' })
  const stream = await follow(session, '', {}, `http://127.0.0.1:${short.server?.port}`)
  const began = performance.now()
  await alice.create({ title: 'Early' })
  expect((await stream.next())?.data.task.title).toBe('Early')

  while (performance.now() - began <= deadline) await Bun.sleep(50)
  await alice.create({ title: 'Late' })

  expect((await stream.next())?.data.task.title).toBe('Late')
  stream.close()
  await short.server?.stop(true)
})

test('ends with the session: nothing is sent after it', async () => {
  const { alice, token, session } = await signUpWithSession()
  const [first, second] = [await follow(session), await follow(session)]
  await alice.create({ title: 'In time' })
  expect((await first.next())?.data.task.title).toBe('In time')
  expect((await second.next())?.data.task.title).toBe('In time')

  // Signed out where it began; and the other way here, after which there need be no change.
  await sql`delete from docket.session where token = ${token}`
  await alice.create({ title: 'Late' })

  expect(await first.next()).toBeNull()
  expect(await second.next()).toBeNull()
})

test('one who does not read is left alone, gets all that was missed, and others are not held up', async () => {
  const alice = await signUp()
  const idle = await follow(alice)
  const stream = await follow(alice)
  const description = 'x'.repeat(15_000)
  const tasks: { id: string }[] = []
  // More than the sockets hold.
  for (let n = 0; n < 600; n += 1) tasks.push(await alice.create({ description }))

  const seen: string[] = []
  while (seen.length < 600) seen.push(...(await stream.several(1)).map(({ data }) => data.id))
  expect(seen).toEqual(tasks.map(({ id }) => id))
  const late = (await idle.several(600)).map(({ data }) => data.id)
  expect(late).toEqual(seen)
  stream.close()
  idle.close()
}, 60_000)

test('nobody has more than a hundred streams', async () => {
  const alice = await signUp()
  const all = await Promise.all(Array.from({ length: 100 }, () => follow(alice)))
  expect(all.map(({ response }) => response.status)).toEqual(Array(100).fill(200))

  expect((await follow(alice)).response.status).toBe(503)
  for (const stream of all) stream.close()
  // Once we know that they are gone.
  let status = 503
  while (status === 503) {
    const stream = await follow(alice)
    status = stream.response.status
    stream.close()
  }
  expect(status).toBe(200)
})

test('is refused to who is nobody', async () => {
  const { response } = await follow({ authorization: 'Bearer x.y.z' })
  expect(response.status).toBe(401)
})

test('of what another process wrote hears who is told to look', async () => {
  const alice = await signUp()
  await alice.create()
  const stream = await follow(alice)
  // As another process would, of which nobody here is told.
  const other = createTestApp({ db: gateOf(sql) })
  await other.handle(
    new Request('http://localhost/api/tasks', {
      method: 'POST',
      headers: { authorization: alice.authorization, 'content-type': 'application/json' },
      body: '{"title":"Elsewhere"}',
    }),
  )
  streams.compare(await readHeads(db, streams.listeners()))

  expect((await stream.next())?.data.task.title).toBe('Elsewhere')
  stream.close()
})

test('hears of a reminder of one’s own, once, which has no number', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  await alice.create()
  const [stream, second, other] = [await follow(alice), await follow(alice), await follow(bob)]
  const id = crypto.randomUUID()
  for (let time = 0; time < 2; time += 1) {
    streams.remind(alice.id, id, JSON.stringify({ id, title: 'Water the plants' }))
  }
  const task = await alice.create()
  const own = await bob.create()

  const event = { event: 'reminder', data: { id, title: 'Water the plants' } }
  for (const each of [stream, second]) {
    const [reminder, change] = await each.several(2)
    expect(reminder).toEqual(event)
    expect([change?.event, change?.id, change?.data.task]).toEqual(['change', '2', task])
  }
  expect((await other.several(1))[0]?.data.task).toEqual(own)
  for (const each of [stream, second, other]) each.close()
})

test('gets the reminder that came while it was away for a moment, and who is new does not', async () => {
  const alice = await signUp()
  await alice.create()
  const id = crypto.randomUUID()
  streams.remind(alice.id, id, JSON.stringify({ id }))

  const back = await follow(alice, '', { 'last-event-id': '0' })
  const fresh = await follow(alice)
  await alice.create()

  const events = await back.several(3)
  const names = events.map(({ event }) => event ?? '').toSorted((a, b) => a.localeCompare(b))
  expect(names).toEqual(['change', 'change', 'reminder'])
  expect((await fresh.several(1))[0]?.event).toBe('change')
  for (const each of [back, fresh]) each.close()
})
