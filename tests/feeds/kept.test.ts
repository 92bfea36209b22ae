import { expect, test } from 'bun:test'
import { createCalendars, type Kept } from '../../src/feeds/kept.ts'

const calendar = (text = 'a calendar', userId = 'alice'): Kept => ({ userId, text, tag: 1 })
const minutes = (count: number) => count * 60_000

/** With what is made when it is asked for: `asked` says of what. */
function create(now?: () => number) {
  const calendars = createCalendars(now)
  const asked: string[] = []
  const get = async (key: string, made: Kept | null | Promise<Kept | null> = calendar()) =>
    calendars.get(key, async () => {
      asked.push(key)
      return made
    })
  return { ...calendars, get, asked }
}

test('keeps a calendar for five minutes', async () => {
  let now = 0
  const { get, asked } = create(() => now)
  await get('a')

  now = minutes(5) - 1
  expect((await get('a'))?.text).toBe('a calendar')
  expect(asked).toEqual(['a'])
  now = minutes(5)
  await get('a')
  expect(asked).toEqual(['a', 'a'])
})

test('keeps nothing of what is not there, or fails', async () => {
  const { get, asked } = create()

  expect(await get('a', null)).toBeNull()
  expect(get('a', Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  await Bun.sleep(0)
  expect((await get('a'))?.userId).toBe('alice')

  expect(asked).toEqual(['a', 'a', 'a'])
})

test('makes one once for all who ask at the same time', async () => {
  const { get, asked } = create()
  const { promise, resolve } = Promise.withResolvers<Kept>()

  const answers = [get('a', promise), get('a', promise), get('b')]
  resolve(calendar('one'))

  expect((await Promise.all(answers)).map((one) => one?.text)).toEqual(['one', 'one', 'a calendar'])
  expect(asked).toEqual(['a', 'b'])
})

test('forgets what is of a user for whom something was written, and nothing else', async () => {
  const { get, forget, asked } = create()
  await Promise.all([get('a'), get('b'), get('c', calendar('another', 'bob'))])

  forget(new Set(['alice', 'carol']))
  await Promise.all([get('a'), get('b'), get('c')])

  expect(asked).toEqual(['a', 'b', 'c', 'a', 'b'])
})

test('keeps nothing that was read before something was written, nor gives it to who comes later', async () => {
  const { get, forget, asked } = create()
  const before = Promise.withResolvers<void>()
  const reading = (userId: string) => before.promise.then(() => calendar('of before', userId))
  const early = [get('a', reading('alice')), get('b', reading('bob'))]

  forget(new Set(['alice']))
  const late = get('a', calendar('of after'))
  expect((await late)?.text).toBe('of after')
  before.resolve()

  // It is an answer to who asked before.
  expect((await Promise.all(early)).map((one) => one?.text)).toEqual(['of before', 'of before'])
  expect((await get('a'))?.text).toBe('of after')
  expect((await get('b'))?.text).toBe('of before')
  expect(asked).toEqual(['a', 'b', 'a'])
})

test('keeps 32 million characters in all, and of them what was made last', async () => {
  const { get, asked } = create()
  const large = calendar('x'.repeat(10_000_000))
  for (const key of ['a', 'b', 'c', 'd']) await get(key, large)

  for (const key of ['d', 'c', 'b']) await get(key, large)
  expect(asked).toEqual(['a', 'b', 'c', 'd'])
  await get('a', large)
  // In the place of b, which was made first of those that were left.
  for (const key of ['c', 'd', 'b']) await get(key, large)
  expect(asked).toEqual(['a', 'b', 'c', 'd', 'a', 'b'])
})
