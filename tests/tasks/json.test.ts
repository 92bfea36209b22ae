import { expect, test } from 'bun:test'
import { TaskSchema } from '../../src/tasks/schema.ts'
import { sql } from '../support/app.ts'

/** What PostgreSQL's own writer of JSON makes of the same row. */
const reference = () => sql`
  (
    select row_to_json(task)::text
    from (
      select t.id, t.user_id, t.list_id, t.parent_id, t.position, t.title, t.description, t.completed_at is not null as completed, t.completed_at,
        t.priority, t.tags, t.due_date, t.due_time, t.time_zone, t.recurrence, t.repeat_from,
        t.series_id, t.occurrence, t.reminders, t.version, t.created_at, t.updated_at, t.deleted_at
    ) task
  )`

const awkward = 'a "quoted" \\ back\\slash, \n a line, \t \u0001 \u2028 %s {} null 🌱'

async function insert(fields: object): Promise<string> {
  const userId = `json "${crypto.randomUUID()}"`
  await sql`insert into docket.users (id) values (${userId})`
  await sql`insert into docket.tasks ${sql({ user_id: userId, id: crypto.randomUUID(), ...fields })}`
  return userId
}

test.each([
  ['nothing but a title', { title: 'A' }],
  [
    'everything',
    {
      title: awkward,
      description: awkward,
      completed_at: '2026-02-03T04:05:06.000007Z',
      priority: 'high',
      tags: ['null', awkward.replace('\n', ''), 'a,b', '{}'],
      due_date: '2026-12-01',
      due_time: '18:30:00',
      time_zone: 'Europe/Berlin',
      recurrence: 'FREQ=WEEKLY;BYDAY=MO',
      repeat_from: 'completion',
      series_id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
      occurrence: '2026-11-30',
      reminders: ['-PT30M', '-P1D'],
      deleted_at: '2026-02-03T04:05:06Z',
      created_at: '2026-02-03T04:05:06.1Z',
    },
  ],
])('the JSON of a task with %s is what row_to_json writes', async (_name, fields) => {
  const userId = await insert(fields)
  const [row] = await sql<{ json: string; reference: string }[]>`
    select t.json, ${reference()} as reference
    from docket.tasks t
    where t.user_id = ${userId}`

  expect(row?.json).toBe(row?.reference ?? 'no task')
  expect(Object.keys(JSON.parse(row?.json ?? ''))).toEqual(Object.keys(TaskSchema.properties))
})

test('the JSON of a task is in UTC and ISO 8601, however the session that wrote it likes its times', async () => {
  const userId = await insert({ title: 'A', due_date: '2026-12-01', due_time: '18:30:00' })
  const [row] = await sql.begin(async (session) => {
    await session`set local time zone 'Asia/Tokyo'`
    await session`set local datestyle = 'German'`
    return session<{ json: string }[]>`
      update docket.tasks
      set completed_at = '2026-02-03T04:05:06.5Z'
      where user_id = ${userId}
      returning json`
  })

  expect(JSON.parse(row?.json ?? '')).toMatchObject({
    completed_at: '2026-02-03T04:05:06.5+00:00',
    due_date: '2026-12-01',
    due_time: '18:30:00',
  })
})
