import { expect, test } from 'bun:test'
import { createPage, type Page } from '../../../src/tasks/pages/page.ts'
import { between, betweenKeys, type Slice } from '../../../src/tasks/pages/statements.ts'

// How a page is cut: by tasks and by bytes, whatever the slices are that it comes in.

const order = { sort: 'title', direction: 'asc' } as const

/** A task whose JSON has so many bytes. */
function taskOf(n: number, bytes: number): string {
  const make = (title: string) => JSON.stringify({ id: String(n), title })
  return make(String(n).padEnd(bytes - make('').length, 'x'))
}

const keyOf = (id: string) => `the key of ${id}`

const sliceOf = (tasks: string[]): Slice => ({
  count: tasks.length,
  text: tasks.join(between),
  keys: tasks.map((task) => keyOf(JSON.parse(task).id)).join(betweenKeys),
  key: null,
  id: null,
  took: 0,
  archives: false,
  seq: null,
})

/** The page of what was read until it was full, or all. */
function pageOf(slices: string[][], limit: number): Page & { isFull: boolean } {
  const page = createPage(order, limit, 1000)
  for (const tasks of slices) {
    page.add(sliceOf(tasks))
    if (page.isFull()) break
  }
  return { ...page.end(null), isFull: page.isFull() }
}

const idsOf = ({ text }: Page): string[] => JSON.parse(text).map(({ id }: { id: string }) => id)

test('no task is left out without a next page, wherever the megabyte ends', () => {
  const count = 51
  for (let extra = -120; extra <= 120; extra += 1) {
    const size = Math.floor(1_000_000 / count)
    const sizes = Array.from({ length: count }, () => size)
    sizes[0] = 1_000_000 - size * (count - 1) + extra
    const tasks = sizes.map((bytes, n) => taskOf(n, bytes))
    for (const slices of [[tasks], [tasks.slice(0, 20), tasks.slice(20)]]) {
      const page = pageOf(slices, 200)
      const ids = idsOf(page)

      expect(Buffer.byteLength(page.text)).toBeLessThanOrEqual(1_000_002)
      // What was read to its end has nothing after it. What was full has, for there may be more than was read.
      const last = ids.at(-1) ?? ''
      if (page.isFull) expect(page.next).toEqual({ id: last, key: keyOf(last) })
      else expect([ids.length, page.next]).toEqual([count, null])
    }
  }
})

test.each([1, 2, 50, 200])('has %d tasks at most, and says where the last one is', (limit) => {
  const tasks = Array.from({ length: limit + 7 }, (_, n) => taskOf(n, 100))
  const page = pageOf([tasks.slice(0, 3), tasks.slice(3)], limit)

  expect(idsOf(page)).toEqual(Array.from({ length: limit }, (_, n) => String(n)))
  expect(page.next).toEqual({ id: String(limit - 1), key: keyOf(String(limit - 1)) })
})

test('a task that is larger than a page is a page', () => {
  const page = pageOf([[taskOf(0, 1_500_000), taskOf(1, 100)]], 50)

  expect(idsOf(page)).toEqual(['0'])
  expect(page.next?.id).toBe('0')
})

test('is empty of nothing', () => {
  expect(pageOf([[]], 50)).toMatchObject({ text: '[]', next: null })
})
