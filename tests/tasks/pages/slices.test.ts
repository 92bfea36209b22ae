import { beforeAll, describe, expect, test } from 'bun:test'
import { Unavailable } from '../../../src/database/gate/faults.ts'
import type { Db } from '../../../src/database/gate/gate.ts'
import { readPage } from '../../../src/tasks/pages/read.ts'
import type { Task } from '../../../src/tasks/schema.ts'
import { db, signUp, sql, type TestUser } from '../../support/app.ts'
import { expectInvalid, idsOf, list, nextOf, numberTasks, readPages } from '../../support/tasks.ts'

// Lists of a user who has more than one statement looks at, and tasks that are longer than a page.

const total = 11_000

/** Whether the task of this number has a word, is urgent, is in the trash: a few of each, far from each other. */
const isRare = (n: number) => n % 2750 === 1
const isUrgent = (n: number) => n % 1000 === 7
const isTrash = (n: number) => n % 2 === 0

describe('of a user with many tasks', () => {
  let alice: TestUser
  beforeAll(async () => {
    alice = await signUp()
    await sql`insert into docket.users (id) values (${alice.id})`
    await sql`
      insert into docket.tasks (user_id, id, title, words, priority, due_date, created_at, updated_at, deleted_at)
      select
        ${alice.id},
        gen_random_uuid(),
        'Task ' || n || case when n % 2750 = 1 or n % 2750 = 0 then ' quixotic' else '' end,
        'task ' || n || case when n % 2750 = 1 or n % 2750 = 0 then ' quixotic' else '' end,
        (case when n % 1000 = 7 then 'high' else 'low' end)::docket.task_priority,
        case when n % 3 > 0 then date '2026-01-01' + n % 365 end,
        timestamptz '2026-01-01' + n * interval '1 second',
        timestamptz '2026-01-01' + (n * 7919 % ${total}::integer) * interval '1 second',
        case when n % 2 = 0 then now() end
      from generate_series(1, ${total}::integer) n`
    await numberTasks(sql)
  }, 60_000)

  const numberOf = ({ title }: Task) => Number(title.split(' ')[1])
  const numbers = Array.from({ length: total }, (_, index) => index + 1)
  const sorts = ['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position']
  const orders = sorts.flatMap((sort) =>
    ['asc', 'desc'].map((order) => `sort=${sort}&order=${order}`),
  )

  /** All that a list has, by its pages. */
  async function walk(query: string): Promise<Task[]> {
    const pages = await readPages(alice, `/api/tasks?${query}`)
    return pages.flat()
  }

  test.each(orders)('finds all with a word, by %s, wherever they are', async (order) => {
    const tasks = await walk(`q=QUIX&${order}`)
    const trash = await walk(`q=quixotic task&deleted=true&${order}`)

    const sorted = (found: Task[]) => found.map(numberOf).toSorted((a, b) => a - b)
    expect(sorted(tasks)).toEqual(numbers.filter((n) => isRare(n) && !isTrash(n)))
    expect(sorted(trash)).toEqual(numbers.filter((n) => n % 2750 === 0 && isTrash(n)))
  })

  test.each(orders)(
    'finds all that pass a filter, by %s, in the order of the list',
    async (order) => {
      const tasks = await walk(`priority=high&limit=3&${order}`)
      const everything = await walk(`limit=200&${order}`)

      expect(everything.length).toBe(total / 2)
      expect(new Set(idsOf(everything)).size).toBe(total / 2)
      expect(idsOf(tasks)).toEqual(idsOf(everything.filter((task) => isUrgent(numberOf(task)))))
    },
  )

  test('finds nothing where there is nothing, and then nothing more', async () => {
    for (const query of [
      'q=zzzz',
      'tag=nowhere',
      'q=task&due_after=2027-01-01',
      'status=completed',
    ]) {
      const answer = await alice.send('GET', `/api/tasks?${query}`)

      expect([answer.status, answer.body, nextOf(answer)]).toEqual([200, [], null])
    }
  })

  test('goes on after what was found when the database has no more time', async () => {
    let left = 1
    const tired = {
      share: (shared, ask) => {
        if (left-- <= 0) throw new Unavailable('too many statements wait')
        return db.share(shared, ask)
      },
    } as Db
    // Those with a date first, and then those without.
    const query = { q: 'quixotic', sort: 'due_date', order: 'desc' } as const
    const late: Db = { ...tired, share: async (shared, ask) => tired.share(shared, ask) }
    const first = await readPage(late, alice.id, query, null, 50)
    const rest = await readPage(db, alice.id, query, first.next, 50)

    expect(first.next).not.toBeNull()
    const found = [...JSON.parse(first.text), ...JSON.parse(rest.text)]
    expect(found.map(numberOf).toSorted((a, b) => a - b)).toEqual(
      numbers.filter((n) => isRare(n) && !isTrash(n)),
    )
    left = 0
    expect(readPage(late, alice.id, query, null, 50)).rejects.toBeInstanceOf(Unavailable)
  })
})

describe('of long tasks', () => {
  const texts = {
    ascii: 'lorem ipsum '.repeat(1666),
    'three bytes a character': '漢字'.repeat(10_000),
    'escaped in JSON': '"\\\n'.repeat(6000),
  }

  test.each(Object.entries(texts))('a page ends at a megabyte: %s', async (_name, description) => {
    const alice = await signUp()
    const count = 70
    for (let from = 0; from < count; from += 10) {
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          alice.create({ title: `Task ${from + index}`, description }),
        ),
      )
    }
    const sizes: number[] = []
    const tasks: Task[] = []
    for (let next: string | null = '/api/tasks?limit=200&sort=title'; next !== null; ) {
      const answer = await alice.send('GET', next)
      expect(answer.status).toBe(200)
      sizes.push(Buffer.byteLength(answer.text))
      tasks.push(...answer.body)
      next = nextOf(answer)
    }

    expect(new Set(idsOf(tasks)).size).toBe(count)
    expect(tasks.length).toBe(count)
    expect(tasks.every((task) => task.description === description)).toBe(true)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000_000 + 1000)
    // And not before.
    const one = Buffer.byteLength(JSON.stringify(tasks[0]))
    for (const size of sizes.slice(0, -1)) expect(size).toBeGreaterThan(1_000_000 - 2 * one)
  })

  test('finds what is beyond as many as one statement looks at', async () => {
    const alice = await signUp()
    const filler = 'needle in a haystack of words '.repeat(40)
    const word = `thimble${crypto.randomUUID().slice(0, 8)}`
    await alice.create({ title: 'First', description: `${filler} ${word}` })
    for (let round = 0; round < 15; round += 1) {
      await Promise.all(
        Array.from({ length: 10 }, () => alice.create({ title: 'Other', description: filler })),
      )
    }

    expect((await list(alice, `?q=needle ${word} HAYSTACK`)).map(({ title }) => title)).toEqual([
      'First',
    ])
    expect((await list(alice, `?q=${word}&status=pending&sort=title`)).length).toBe(1)
    expect((await list(alice, '?q=needle&limit=200')).length).toBe(151)
    const pages = await readPages(alice, '/api/tasks?q=haystack&limit=40')
    expect(pages.map(({ length }) => length)).toEqual([40, 40, 40, 31])
  })
})

describe('parameters that would cost much', () => {
  test('a search has eight words at most', async () => {
    const alice = await signUp()
    await alice.create({ title: 'one two three four five six seven eight nine' })

    const eight = '  one two\tthree four five six\nseven eight '
    expect((await list(alice, `?q=${encodeURIComponent(eight)}`)).length).toBe(1)
    const answers = await Promise.all(
      [`${eight} nine`, 'a '.repeat(60), 'ä ö ü ß é è ê ë ñ'].map((q) =>
        alice.send('GET', `/api/tasks?q=${encodeURIComponent(q)}`),
      ),
    )
    for (const answer of answers) expectInvalid(answer, '/q')
    expect(answers[0]?.body.detail).toBe('q must have at most 8 words.')
  })

  test('a value that is given twice is one value', async () => {
    const alice = await signUp()
    await alice.create({ title: 'A', priority: 'high', tags: ['home'] })

    const many = Array.from({ length: 1000 }, () => 'high').join()
    expect((await list(alice, `?priority=${many}&priority=high,low`)).length).toBe(1)
    expect((await list(alice, `?${'tag=home&'.repeat(100)}`)).length).toBe(1)
    const first = await alice.send('GET', '/api/tasks?priority=high&limit=1')
    expect(first.status).toBe(200)
  })
})
