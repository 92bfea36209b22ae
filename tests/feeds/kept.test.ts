import { expect, test } from 'bun:test'
import { createCalendars } from '../../src/feeds/kept.ts'

const calendar = (text = 'a calendar', userId = 'alice') => ({ userId, text, tag: 1 })
const minutes = (count: number) => count * 60_000

test('keeps a calendar for five minutes', async () => {
  let now = 0
  const calendars = createCalendars(() => now)
  await calendars.make('a', async () => calendar())

  now = minutes(5) - 1
  expect(calendars.get('a')?.text).toBe('a calendar')
  now = minutes(5)
  expect(calendars.get('a')).toBeUndefined()
})

test('keeps nothing of what is not there, or fails', async () => {
  const calendars = createCalendars()

  expect(await calendars.make('a', async () => null)).toBeNull()
  expect(calendars.make('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')

  expect(calendars.get('a')).toBeUndefined()
})

test('forgets what is of a user for whom something was written, and nothing else', async () => {
  const calendars = createCalendars()
  await calendars.make('a', async () => calendar())
  await calendars.make('b', async () => calendar())
  await calendars.make('c', async () => calendar('another', 'bob'))

  calendars.forget(new Set(['alice', 'carol']))

  expect(['a', 'b', 'c'].map((key) => calendars.get(key)?.userId)).toEqual([
    undefined,
    undefined,
    'bob',
  ])
})

test('keeps nothing that was read before something was written', async () => {
  const calendars = createCalendars()
  const { promise, resolve } = Promise.withResolvers<void>()
  const making = (key: string, userId: string) =>
    calendars.make(key, async () => {
      await promise
      return calendar('of before', userId)
    })
  const made = [making('a', 'alice'), making('b', 'bob')]

  calendars.forget(new Set(['alice']))
  resolve()

  // It is an answer to who asked before.
  expect((await Promise.all(made)).map((one) => one?.text)).toEqual(['of before', 'of before'])
  expect([calendars.get('a'), calendars.get('b')?.userId]).toEqual([undefined, 'bob'])
})

test('keeps 32 million characters in all, and of them what was made last', async () => {
  const calendars = createCalendars()
  const large = 'x'.repeat(10_000_000)
  for (const key of ['a', 'b', 'c', 'd']) await calendars.make(key, async () => calendar(large))

  const there = () => ['a', 'b', 'c', 'd'].filter((key) => calendars.get(key) !== undefined)
  expect(there()).toEqual(['b', 'c', 'd'])
  // Again in the place of what it was.
  await calendars.make('b', async () => calendar(large))
  expect(there()).toEqual(['b', 'c', 'd'])
})
