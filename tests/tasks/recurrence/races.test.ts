import { expect, test } from 'bun:test'
import type { Task } from '../../../src/tasks/schema.ts'
import { signUp, sql, type TestUser } from '../../support/app.ts'
import { list } from '../../support/tasks.ts'

// Several clients of one user at a task that repeats: of a series one is open, none is lost, and nobody is told more than that there is
// much to do.

const scale = Number(process.env['RECURRENCE_RACES'] ?? 0.2)
const races = Math.ceil(150 * scale)
const users = Math.ceil(40 * scale)
const steps = 25

/** Numbers that look random, the same each time. */
function randomOf(seed: number): (most: number) => number {
  let state = seed
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

const rules = [
  { recurrence: 'FREQ=DAILY;INTERVAL=3', repeat_from: 'due' },
  { recurrence: 'FREQ=WEEKLY;COUNT=9', repeat_from: 'completion' },
]

async function start(user: TestUser, which: number): Promise<Task> {
  const due_date = '2099-01-01'
  const task: Task = await user.create({ title: 'T', due_date, ...rules[which % rules.length] })
  const child = await user.create({ title: 'Child', parent_id: task.id, due_date })
  await user.create({ title: 'Grandchild', parent_id: child.id, completed: true })
  return task
}

type Act = (user: TestUser, id: string, n: number) => ReturnType<TestUser['send']>

const complete: Act = (user, id) =>
  user.send('POST', `/api/tasks/${id}/complete`, { completed: true })

const completions: Act[] = [
  complete,
  (user, id) => user.send('PATCH', `/api/tasks/${id}`, { completed: true }),
  (user, id) => user.send('POST', '/api/tasks/bulk', { ids: [id], action: 'complete' }),
]

const acts: Act[] = [
  ...completions,
  (user, id) => user.send('POST', `/api/tasks/${id}/complete`, { completed: false }),
  (user, id) => user.send('POST', `/api/tasks/${id}/complete`, { completed: false }),
  (user, id) => user.send('POST', `/api/tasks/${id}/skip`),
  (user, id) => user.send('DELETE', `/api/tasks/${id}`),
  (user, id) => user.send('POST', `/api/tasks/${id}/restore`),
  (user, id) => user.send('POST', `/api/tasks/${id}/restore`),
  (user, id, n) => user.send('PATCH', `/api/tasks/${id}`, { title: `T ${n}` }),
  (user, id, n) => user.send('POST', '/api/tasks', { title: `Child ${n}`, parent_id: id }),
]

/** One of several, whatever the number. */
const one = (some: Act[], n: number): Act => some[n % some.length] ?? complete

/** What is so whatever was done, and when. */
async function expectSound(user: TestUser): Promise<void> {
  const rows = await sql<Record<string, number>[]>`
    with own as (
      select t.*, t.completed_at is null and t.deleted_at is null as is_open
      from docket.tasks t
      where t.user_id = ${user.id}
    )
    select
      (select count(*)::integer from (
        select from own where is_open and recurrence is not null group by series_id having count(*) > 1
      ) twice) as twice,
      -- What is under something that is not there.
      (select count(*)::integer from own p where p.deleted_at is null and p.parent_id is not null and not exists (
        select from own t where t.id = p.parent_id and t.deleted_at is null
      )) as torn,
      -- What the log has of it is not the last of it, or that it is gone though it is there, or the other way round.
      (select count(*)::integer from own t where t.seq <> (
        select l.seq from docket.latest l where l.user_id = t.user_id and l.type = 'task' and l.id = t.id
      )) as unlogged,
      (select count(*)::integer from docket.latest l
        join docket.changes c on c.user_id = l.user_id and c.seq = l.seq
        where l.user_id = ${user.id} and (c.action = 'purged') = exists (select from own t where t.id = l.id)
      ) as unsaid`
  expect([...rows]).toEqual([{ twice: 0, torn: 0, unlogged: 0, unsaid: 0 }])
}

function expectTold({ status, headers, body }: Awaited<ReturnType<TestUser['send']>>): void {
  if (status >= 500) expect([status, headers.get('retry-after'), body]).toEqual([503, '1', body])
}

const days = (tasks: Task[]) => tasks.map(({ occurrence }) => occurrence ?? '').toSorted()

test(`${races} races to complete one task: one is made of it, with what is under it`, async () => {
  for (let race = 0; race < races; race += 1) {
    const user = await signUp()
    const task = await start(user, race)

    const answers = await Promise.all(
      Array.from({ length: 2 + (race % 7) }, (_, n) => one(completions, n)(user, task.id, n)),
    )

    for (const answer of answers) expectTold(answer)
    expect(answers.some(({ status }) => status === 200)).toBe(true)
    const tops = await list(user, '?parent=none')
    expect(tops).toHaveLength(2)
    expect(tops.filter(({ completed }) => !completed)).toHaveLength(1)
    expect(await list(user)).toHaveLength(6)
    await expectSound(user)
  }
}, 300_000)

test(`${races} races of whatever one may do with a task`, async () => {
  const random = randomOf(1)
  for (let race = 0; race < races; race += 1) {
    const user = await signUp()
    const task = await start(user, race)
    if (race % 2 === 1) await user.send('POST', `/api/tasks/${task.id}/complete`)

    const answers = await Promise.all(
      Array.from({ length: 2 + (race % 7) }, (_, n) =>
        one(acts, random(acts.length))(user, task.id, n),
      ),
    )

    for (const answer of answers) expectTold(answer)
    await expectSound(user)
  }
}, 300_000)

test(`${users * steps} steps by several clients at a series`, async () => {
  const random = randomOf(7)
  for (let n = 0; n < users; n += 1) {
    const user = await signUp()
    await start(user, n)
    for (let step = 0; step < steps; step += 1) {
      const known = [
        ...(await list(user, '?parent=none')),
        ...(await list(user, '?parent=none&deleted=true')),
      ]
      const answers = await Promise.all(
        Array.from({ length: 1 + random(4) }, () => {
          const task = known[random(known.length)]
          return one(acts, random(acts.length))(user, task?.id ?? '', step)
        }),
      )
      for (const answer of answers) expectTold(answer)
      await expectSound(user)
    }
  }
}, 300_000)

test(`${users} series that several clients complete to the end: each of its days once`, async () => {
  for (let n = 0; n < users; n += 1) {
    const user = await signUp()
    const end = { recurrence: 'FREQ=DAILY;COUNT=5', due_date: '2099-01-01' }
    let task: Task | undefined = await user.create({ title: 'T', ...end })
    while (task !== undefined) {
      const { id } = task
      await Promise.all(
        Array.from({ length: 2 + (n % 3) }, (_, k) => one(completions, k)(user, id, n)),
      )
      task = (await list(user, '?status=pending')).at(0)
    }

    expect(days(await list(user))).toEqual([1, 2, 3, 4, 5].map((day) => `2099-01-0${day}`))
  }
}, 300_000)
