import { expect, test } from 'bun:test'
import { createQueue } from '../../src/auth/queue.ts'

test('does so many at a time, in the order that they came, and refuses who finds no room', async () => {
  const queue = createQueue(2, 3, () => new Error('full'))
  const begun: number[] = []
  const ends = Array.from({ length: 6 }, () => Promise.withResolvers<void>())
  const answers = ends.map(({ promise }, number) =>
    queue(async () => {
      begun.push(number)
      await promise
      if (number === 1) throw new Error('failed')
      return number
    }).catch((error: Error) => error.message),
  )

  expect(await answers[5]).toBe('full')
  expect(begun).toEqual([0, 1])
  ends[1]?.resolve()
  expect(await answers[1]).toBe('failed')
  expect(begun).toEqual([0, 1, 2])
  for (const { resolve } of ends) resolve()
  expect(await Promise.all(answers)).toEqual([0, 'failed', 2, 3, 4, 'full'])
  expect(await queue(async () => 'empty')).toBe('empty')
})
