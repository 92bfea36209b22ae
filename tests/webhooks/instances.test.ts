import { afterEach, expect, test } from 'bun:test'
import { createDelivering, createFollowing } from '../../src/app.ts'
import type { Gate } from '../../src/database/gate/gate.ts'
import { observe } from '../../src/database/gate/observe.ts'
import { insertTask } from '../../src/tasks/writes.ts'
import { insertWebhook } from '../../src/webhooks/writes.ts'
import { eventually, startReceiver } from '../deliveries/support.ts'
import { emptyDatabase, gateOf, layOut } from '../support/database.ts'
import { author } from '../support/tasks.ts'

// Several instances on one database, each of which hears of its own writes only.

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function start(instances: number, roundPause?: number) {
  const { sql, close } = await emptyDatabase()
  closing.push(close)
  await layOut(sql)
  const failures: unknown[] = []
  const made = Array.from({ length: instances }, () => {
    let statements = 0
    const db: Gate = observe(
      gateOf(sql, (users) => delivering.wake(users)),
      () => {
        statements += 1
        return () => {}
      },
    )
    const delivering = createDelivering({
      db,
      streams: createFollowing(db),
      vapidSubject: null,
      isPrivate: true,
      onFailure: (error) => failures.push(error),
      ...(roundPause === undefined ? {} : { roundPause }),
    })
    closing.push(delivering.stop)
    delivering.begin()
    return {
      db,
      delivering,
      statements: () => statements,
      write: (user: string) =>
        insertTask(
          db.for(null, user),
          author(user),
          crypto.randomUUID(),
          { title: 'A task' },
          null,
        ),
    }
  })
  return { made, failures }
}

const hookFor = (db: Gate, user: string, url: string) =>
  insertWebhook(
    db.for(null, user),
    user,
    crypto.randomUUID(),
    { url, events: ['task.created'] },
    Buffer.alloc(32),
  )

test('a write of somebody without webhooks is one statement', async () => {
  const {
    made: [one],
    failures,
  } = await start(1)
  if (one === undefined) throw new Error('expected an instance')
  // What reminds, who has webhooks, what is due, what is old.
  await eventually(() => one.statements() === 4)

  for (let n = 0; n < 5; n += 1) await one.write('alice')
  await Bun.sleep(300)

  expect(one.statements()).toBe(9)
  expect(failures).toEqual([])
})

test('a webhook that was made on another instance is told of what was written before that was known', async () => {
  const {
    made: [one, other],
    failures,
  } = await start(2, 1500)
  if (one === undefined || other === undefined) throw new Error('expected two instances')
  const hook = startReceiver()
  closing.push(hook.stop)
  await eventually(() => other.statements() === 4)

  await hookFor(one.db, 'alice', hook.url)
  for (let n = 0; n < 3; n += 1) await other.write('alice')
  await hook.until(({ length }) => length === 3)

  expect(new Set(hook.ids()).size).toBe(3)
  expect(failures).toEqual([])
})

test('instances that look at the same changes at once make each one delivery', async () => {
  const { made, failures } = await start(3)
  const [one] = made
  if (one === undefined) throw new Error('expected an instance')
  const hook = startReceiver()
  closing.push(hook.stop)
  await hookFor(one.db, 'alice', hook.url)
  for (const { delivering } of made) delivering.sending.follow('alice')

  await Promise.all(
    Array.from({ length: 60 }, async (_, n) => {
      for (const { delivering } of made) delivering.wake(['alice'])
      await made[n % made.length]?.write('alice')
    }),
  )
  await hook.until(() => new Set(hook.ids()).size === 60)

  expect(hook.ids()).toHaveLength(60)
  expect(new Set(hook.received.map(({ body }) => JSON.parse(body).data.task.id)).size).toBe(60)
  expect(failures).toEqual([])
})
