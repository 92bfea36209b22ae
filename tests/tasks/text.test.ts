import { expect, test } from 'bun:test'
import { taskText } from '../../src/tasks/queries.ts'
import { TaskSchema } from '../../src/tasks/schema.ts'
import { sql } from '../support/app.ts'

/** What PostgreSQL's own writer of JSON makes of the same row. */
const reference = () => sql`
  (
    select row_to_json(task)::text
    from (
      select t.id, t.user_id, t.title, t.description, t.completed_at is not null as completed, t.completed_at,
        t.priority, t.tags, t.due_date, t.due_time, t.time_zone, t.version, t.created_at, t.updated_at, t.deleted_at
    ) task
  )`

const awkward = 'a "quoted" \\ back\\slash, \n a line, \t \u0001 \u2028 %s {} null 🌱'

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
      deleted_at: '2026-02-03T04:05:06Z',
      created_at: '2026-02-03T04:05:06.1Z',
    },
  ],
])('the text of a task with %s is what row_to_json writes', async (_name, fields) => {
  const userId = `text "${crypto.randomUUID()}"`
  await sql`insert into users (id) values (${userId})`
  await sql`insert into tasks ${sql({ user_id: userId, id: crypto.randomUUID(), ...fields })}`
  const [row] = await sql<{ text: string; reference: string }[]>`
    select ${taskText(sql)} as text, ${reference()} as reference
    from tasks t
    where t.user_id = ${userId}`

  expect(row?.text).toBe(row?.reference ?? 'no task')
  expect(Object.keys(JSON.parse(row?.text ?? ''))).toEqual(Object.keys(TaskSchema.properties))
})
