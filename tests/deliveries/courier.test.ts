import { afterEach, expect, test } from 'bun:test'
import { eventually, startCouriers, startReceiver } from './support.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start(count = 1, pauses?: number[]) {
  const world = await startCouriers(count, pauses)
  closing.push(world.close)
  const [courier] = world.couriers
  if (courier === undefined) throw new Error('expected a courier')
  return { ...world, courier }
}

function receiver(...parameters: Parameters<typeof startReceiver>) {
  const made = startReceiver(...parameters)
  closing.push(made.stop)
  return made
}

test('sends each once, and asks the database nothing more', async () => {
  const { courier, make, to, rows, statements, failures } = await start()
  const { url, ids, until } = receiver()
  const made = await make(to(url), 30)

  courier.wake()
  await until((received) => received.length === 30)
  await eventually(async () => (await rows()).every(({ is_over }) => is_over))
  await courier.stop()

  expect(ids().toSorted()).toEqual(made.toSorted())
  expect(await rows()).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ outcome: 'delivered', code: 200, reason: null, tries: 1 }),
    ]),
  )
  const asked = statements()
  await Bun.sleep(300)
  expect(statements()).toBe(asked)
  expect(failures).toEqual([])
})

test('tries again with the same id, and gives up in the end', async () => {
  const { courier, make, to, rows } = await start()
  const broken = receiver((_, count) => new Response('no', { status: count < 3 ? 503 : 200 }))
  const dead = receiver(() => new Response('no', { status: 500 }))
  const [first] = await make(to(broken.url), 1)
  const [second] = await make(to(dead.url), 1)

  courier.wake()
  await eventually(async () => (await rows()).every(({ is_over }) => is_over))

  expect(broken.ids()).toEqual([first, first, first] as string[])
  expect(dead.ids()).toEqual([second, second, second] as string[])
  expect((await rows()).map(({ outcome, code, tries }) => [outcome, code, tries])).toEqual(
    expect.arrayContaining([
      ['delivered', 200, 3],
      ['failed', 500, 3],
    ]),
  )
})

test('ends with who is gone, and says why there was no answer', async () => {
  const { courier, make, to, rows } = await start(1, [])
  const away = receiver(() => new Response('gone', { status: 410 }))
  const moved = receiver(() => new Response(null, { status: 307, headers: { location: away.url } }))
  const closed = receiver()
  const targets = [to(away.url), to(moved.url), to(closed.url), to('none')]
  await closed.stop()
  for (const target of targets) await make(target, 1)

  courier.wake()
  await eventually(async () => (await rows()).every(({ is_over }) => is_over))

  const ended = await rows()
  expect(
    targets.map((one) => {
      const { outcome, code, reason } = ended.find(({ target }) => target === one) ?? {}
      return [outcome, code, reason]
    }),
  ).toEqual([
    ['failed', 410, null],
    ['failed', 307, null],
    ['failed', null, 'the connection was refused'],
    ['failed', null, 'the address is none'],
  ])
  expect(away.received).toHaveLength(1)
})

test('is held up by nobody who is slow, and has no more than its part on the way to each', async () => {
  const { courier, make, to } = await start(1, [])
  let atOnce = 0
  let most = 0
  const slow = receiver(async () => {
    most = Math.max(most, ++atOnce)
    await Bun.sleep(500)
    atOnce -= 1
    return new Response('late')
  })
  const quick = receiver()
  // Those of the slow one come first.
  await make(to(slow.url), 300)
  await make(to(quick.url), 50)

  courier.wake()
  await quick.until((received) => received.length === 50)

  expect(slow.received.length).toBeLessThan(50)
  expect(most).toBeLessThanOrEqual(4)
})

test('gives each to one of many, who all look at the same time', async () => {
  const { couriers, make, to, rows } = await start(3)
  const { url, ids } = receiver()
  const targets = Array.from({ length: 5 }, () => to(url))
  const made = (await Promise.all(targets.map((target) => make(target, 40)))).flat()

  for (const courier of couriers) courier.wake()
  await eventually(async () => (await rows()).filter(({ is_over }) => is_over).length > 150)

  await eventually(() => new Set(ids()).size === made.length)
  expect(ids()).toHaveLength(made.length)
})

test('rings for what is due later, without a look until then', async () => {
  const { courier, make, to, statements } = await start()
  const { url, received, until } = receiver()
  await make(to(url), 1, 1)
  courier.wake()
  await eventually(() => statements() === 1)

  expect(received).toHaveLength(0)
  await until((all) => all.length === 1)

  // One look that found when, one that found it, one that says what became of it.
  await eventually(() => statements() === 3)
})

test('keeps no more than the last ones of each', async () => {
  const { courier, make, to, rows } = await start()
  const { url } = receiver()
  await make(to(url), 130)

  courier.wake()
  await eventually(async () => (await rows()).every(({ is_over }) => is_over))

  expect((await rows()).length).toBeLessThan(90)
  expect((await rows()).length).toBeGreaterThanOrEqual(50)
})

test('leaves what it has not begun when it stops, and ends what it has', async () => {
  const { courier, make, to, rows } = await start()
  const slow = receiver(async () => {
    await Bun.sleep(200)
    return new Response('late')
  })
  await make(to(slow.url), 20)

  courier.wake()
  await slow.until((all) => all.length === 4)
  await courier.stop()

  const after = await rows()
  expect(after.filter(({ outcome }) => outcome === 'delivered')).toHaveLength(4)
  expect(after.filter(({ tries }) => tries === 0)).toHaveLength(16)
})
