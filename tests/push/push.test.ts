import { afterEach, describe, expect, test } from 'bun:test'
import { createECDH } from 'node:crypto'
import { createClient, faultOfAddress } from '../../src/deliveries/client.ts'
import { createCourier } from '../../src/deliveries/courier.ts'
import { createKeys } from '../../src/push/keys.ts'
import { pushKind } from '../../src/push/kind.ts'
import { pushReminders } from '../../src/push/writes.ts'
import { createReminding } from '../../src/reminders/reminding.ts'
import { eventually } from '../deliveries/support.ts'
import { createTestApp, db, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'
import { claimsOf, decrypt, startPushService } from './browser.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

function pushService(...parameters: Parameters<typeof startPushService>) {
  const service = startPushService(...parameters)
  closing.push(service.stop)
  return service
}

const subject = 'mailto:ops@example.com'
const keysOf = createKeys()

/** Has what is overdue come, and sends it. */
function deliver(pauses: number[] = [0.05, 0.05]) {
  const failures: unknown[] = []
  const post = createClient({ isPrivate: true, patience: 2000 })
  const onFailure = (error: unknown) => failures.push(error)
  const courier = createCourier({
    db,
    kinds: [pushKind({ db, keysOf, subject, post })],
    pauses,
    onFailure,
  })
  const reminding = createReminding({
    db,
    makings: { make: [pushReminders] },
    onEvent: () => {},
    onFired: courier.wake,
    listeners: () => [],
    onFailure,
  })
  closing.push(async () => {
    await reminding.stop()
    await courier.stop()
    expect(failures).toEqual([])
  })
  reminding.wake()
}

/** Has a task remind now. */
async function remind({ id }: TestUser, task: { id: string }): Promise<void> {
  await sql`
    insert into docket.alarms (user_id, task_id, reminder, fires_at)
    values (${id}, ${task.id}, '-PT30M', date_trunc('second', now()) - interval '1 second')`
}

const subscribed = async (user: TestUser) => (await user.send('GET', '/api/me/push')).body

test('the browser of the tests reads what RFC 8291 has as its example', () => {
  const own = createECDH('prime256v1')
  own.setPrivateKey(Buffer.from('q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94', 'base64url'))
  const body = Buffer.from(
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
    'base64url',
  )

  const text = decrypt(body, own, Buffer.from('BTBZMqHH6r4Tts7J_aSIgg', 'base64url'))

  expect(text).toBe('When I grow up, I want to be a watermelon')
})

test('a reminder comes to every browser of its user, encrypted for it, and signed', async () => {
  const { messages, subscribe, origin } = pushService()
  const [alice, bob] = [await signUp(), await signUp()]
  for (const user of [alice, alice, bob]) await user.send('POST', '/api/me/push', subscribe())
  const { public_key } = await subscribed(alice)
  const due = { due_date: '2100-12-01', due_time: '18:30', time_zone: 'Europe/Berlin' }
  const task = await alice.create({ title: 'Zürich 🌱', ...due })
  await remind(alice, task)

  deliver()
  await eventually(() => messages.length === 2)

  const [first, second] = messages
  const data = JSON.parse(first?.text ?? '')
  expect(first?.text).toBe(second?.text as string)
  expect(first?.path).not.toBe(second?.path as string)
  expect(data).toEqual({
    type: 'reminder.due',
    id: expect.stringMatching(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    ),
    task: { id: task.id, title: 'Zürich 🌱', ...due, due_time: '18:30:00' },
    reminder: '-PT30M',
    timestamp: expect.any(String),
  })
  expect(Date.now() - Date.parse(data.timestamp)).toBeLessThan(60_000)
  for (const { headers } of messages) {
    const { exp, ...claims } = claimsOf(headers, public_key)
    expect(claims).toEqual({ aud: origin, sub: subject })
    expect(Number(exp)).toBeGreaterThan(Date.now() / 1000)
    expect(Number(exp)).toBeLessThan(Date.now() / 1000 + 86_400)
    expect(headers.get('content-encoding')).toBe('aes128gcm')
    expect(headers.get('ttl')).toBe('86400')
    expect(headers.get('topic')).toMatch(/^[0-9a-f]{32}$/)
  }
})

test('no title is too long for a push', async () => {
  const { messages, subscribe } = pushService()
  const alice = await signUp()
  await alice.send('POST', '/api/me/push', subscribe())
  for (const title of [`\u0001${'\u0002'.repeat(498)}A`, '🌱'.repeat(500)]) {
    await remind(alice, await alice.create({ title, due_date: '2100-12-01' }))
  }

  deliver()
  await eventually(() => messages.length === 2)

  for (const { bytes, text } of messages) {
    expect(bytes).toBeLessThanOrEqual(4096)
    expect([...JSON.parse(text ?? '').task.title]).toHaveLength(500)
  }
})

test('a push service that fails is tried again, under the same topic', async () => {
  const { messages, subscribe } = pushService((_path, count) => (count < 3 ? 503 : 201))
  const alice = await signUp()
  await alice.send('POST', '/api/me/push', subscribe())
  await remind(alice, await alice.create())

  deliver()
  await eventually(() => messages.length === 3)

  expect(new Set(messages.map(({ text }) => JSON.parse(text ?? '').id)).size).toBe(1)
  expect(new Set(messages.map(({ headers }) => headers.get('topic'))).size).toBe(1)
})

test.each([404, 410])(
  'a browser of which the push service says %i is forgotten',
  async (status) => {
    const { messages, subscribe } = pushService((path) => (path === gone ? status : 201))
    const alice = await signUp()
    const [first, second] = [subscribe(), subscribe()]
    const gone = new URL(first.endpoint).pathname
    for (const one of [first, second]) await alice.send('POST', '/api/me/push', one)
    await remind(alice, await alice.create())

    deliver()
    await eventually(async () => (await subscribed(alice)).subscriptions.length === 1)

    await eventually(() => messages.length === 2)
  },
)

test('the same browser is one subscription, and that of who has said so last', async () => {
  const { messages, subscribe } = pushService()
  const [alice, bob] = [await signUp(), await signUp()]
  const browser = subscribe()
  const first = await alice.send('POST', '/api/me/push', browser)
  const again = await alice.send('POST', '/api/me/push', browser)
  await remind(alice, await alice.create())
  const moved = await bob.send('POST', '/api/me/push', browser)

  expect([first.status, again.status, moved.status]).toEqual([201, 201, 201])
  expect(again.body).toMatchObject({ id: first.body.id, user_id: alice.id })
  expect((await subscribed(alice)).subscriptions).toEqual([])
  expect((await subscribed(bob)).subscriptions).toEqual([moved.body])
  expect(moved.text).not.toContain(browser.endpoint)
  await remind(bob, await bob.create())
  deliver()
  await eventually(() => messages.length === 1)
  await Bun.sleep(100)
  expect(messages).toHaveLength(1)
})

test('of more than twenty the one that was not heard of for longest goes', async () => {
  const { subscribe } = pushService()
  const alice = await signUp()
  const ids: string[] = []
  for (let n = 0; n < 22; n += 1) {
    // The clock of the embedded database goes by milliseconds.
    for (const before = Date.now(); Date.now() === before; ) await Bun.sleep(1)
    ids.push((await alice.send('POST', '/api/me/push', subscribe())).body.id)
  }

  const { subscriptions } = await subscribed(alice)

  expect(subscriptions.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2).toReversed())
})

test('a subscription is deleted by whose it is, and by nobody else', async () => {
  const { subscribe } = pushService()
  const [alice, bob] = [await signUp(), await signUp()]
  const { body: made } = await alice.send('POST', '/api/me/push', subscribe())

  const foreign = await bob.send('DELETE', `/api/me/push/${made.id}`)
  const absent = await bob.send('DELETE', `/api/me/push/${crypto.randomUUID()}`)
  const odd = await bob.send('DELETE', '/api/me/push/not-a-uuid')
  const own = await alice.send('DELETE', `/api/me/push/${made.id}`)
  const twice = await alice.send('DELETE', `/api/me/push/${made.id}`)

  expect([foreign, absent, odd, own, twice].map(({ status }) => status)).toEqual([
    404, 404, 404, 200, 404,
  ])
  expect([foreign.text, odd.text]).toEqual([absent.text, absent.text])
  expect(own.body).toEqual(made)
})

test('a subscription comes along from a guest, and goes with the account', async () => {
  const { subscribe } = pushService()
  const [alice, guest] = [await signUp(), await signUp()]
  await guest.create()
  await guest.send('POST', '/api/me/push', subscribe())

  await alice.send('POST', '/api/me/adopt', {
    token: guest.authorization.replace('Bearer ', ''),
  })
  const { subscriptions } = await subscribed(alice)
  await alice.send('DELETE', '/api/me', { confirm: alice.id })

  expect(subscriptions).toHaveLength(1)
  expect((await subscribed(alice)).subscriptions).toEqual([])
})

describe('no subscription is', () => {
  const { endpoint, keys } = {
    endpoint: 'https://push.example/1',
    keys: {
      p256dh:
        'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
  }
  test.each([
    ['one without keys', { endpoint }, '/keys'],
    ['one without an endpoint', { keys }, '/endpoint'],
    ['a key that is none', { endpoint, keys: { ...keys, p256dh: 'AAAA' } }, '/keys/p256dh'],
    [
      'a point that is not on the curve',
      { endpoint, keys: { ...keys, p256dh: `${keys.p256dh.slice(0, -4)}AAA4` } },
      '/keys/p256dh',
    ],
    ['a secret that is too short', { endpoint, keys: { ...keys, auth: 'AAAA' } }, '/keys/auth'],
    ['no address', { endpoint: 'push.example', keys }, '/endpoint'],
    ['another scheme', { endpoint: 'ftp://push.example/1', keys }, '/endpoint'],
    ['one with a password', { endpoint: 'https://a:b@push.example/1', keys }, '/endpoint'],
    ['one with more in it', { endpoint, keys, more: 1 }, '/more'],
  ])('%s', async (_name, body, pointer) => {
    const alice = await signUp()

    expectInvalid(await alice.send('POST', '/api/me/push', body), pointer)
  })

  test.each([
    'http://push.example/1',
    'https://127.0.0.1/1',
    'https://0x7f.1/1',
    'https://2130706433/1',
    'https://①②⑦.0.0.1/1',
    'https://[::1]/1',
    'https://[::ffff:10.0.0.1]/1',
    'https://169.254.169.254/latest',
  ])('one at %s, unless private addresses are allowed', (address) => {
    expect(faultOfAddress(address, false)).toBeString()
    expect(faultOfAddress(address, true)).toBeNull()
    expect(faultOfAddress('https://push.example/1', false)).toBeNull()
  })
})

test('the key is the same for all and for good', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const instances = [createKeys(), createKeys(), createKeys()]
  const kept = await Promise.all(instances.map((keys) => keys(db)))
  const [hers, his] = [await subscribed(alice), await subscribed(bob)]

  expect(
    new Set([...kept.map((keys) => keys.public_key), hers.public_key, his.public_key]).size,
  ).toBe(1)
  expect(Buffer.from(hers.public_key, 'base64url')).toHaveLength(65)
})

test('where nobody answers for it there is no Web Push', async () => {
  const alice = await signUp()
  const off = createTestApp({ push: null })
  const headers = { authorization: alice.authorization }

  const read = await send('GET', '/api/me/push', { app: off, headers })
  const { subscribe } = pushService()
  const refused = await send('POST', '/api/me/push', { app: off, headers, body: subscribe() })

  expect(read.body).toEqual({ public_key: null, subscriptions: [] })
  expect([refused.status, refused.body.code]).toEqual([409, 'push_off'])
  expect(refused.body.detail).toContain('VAPID_SUBJECT')
})
