import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { signUp, type TestUser } from '../support/app.ts'
import { act, stateOf, undo } from './support.ts'

// Whatever was done: undo of it all, request by request, gives back what was there, and undo of the undo what came of it.

const sequences = Number(process.env['UNDO_SEQUENCES'] ?? 100)

/** Sequences at a time, each of a user of its own. */
const together = 16

const date = fc.constantFrom('2026-12-01', '0001-01-01', '9999-12-31')
const due = fc.oneof(
  fc.constant({}),
  fc.record({ due_date: date }),
  fc.record({ due_date: date, due_time: fc.constantFrom('00:00', '23:59:59') }),
  fc.record({
    due_date: date,
    due_time: fc.constant('10:30'),
    time_zone: fc.constantFrom('Europe/Berlin', 'utc'),
  }),
  fc.constant({ due_date: null, due_time: null, time_zone: null }),
  fc.record({
    due_date: fc.constant('2099-01-31'),
    recurrence: fc.constantFrom('monthly', 'daily'),
  }),
  fc.record({
    due_date: fc.constant('2026-12-01'),
    recurrence: fc.constant('FREQ=DAILY;COUNT=2'),
    repeat_from: fc.constantFrom('due', 'completion'),
  }),
  fc.constant({ recurrence: null }),
)
const fields = fc
  .tuple(
    fc.record(
      {
        title: fc.constantFrom('A', 'ß', '"\\\n☃', 'Step 10', 'x'.repeat(500)),
        description: fc.constantFrom(null, '', 'Short', 'ä'.repeat(1500), 'z'.repeat(9000)),
        priority: fc.constantFrom('none', 'low', 'medium', 'high'),
        tags: fc.constantFrom([], ['home'], ['Büro', 'buro2', 'x,y'], ['{', '"', 'NULL']),
        completed: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    due,
  )
  .map(([some, when]) => ({ ...some, ...when }))

/** Of one of the tasks that there are by then. */
const which = fc.nat(3)
const anyStep = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), fields, which }),
  fc.record({ kind: fc.constant('patch' as const), fields, which }),
  fc.record({ kind: fc.constantFrom('complete', 'skip', 'delete', 'restore'), which }),
)
type Step = typeof anyStep extends fc.Arbitrary<infer S> ? S : never

/** Requests, of which each is what somebody did at once. */
const sequence = fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 6,
})

async function take(user: TestUser, step: Step, ids: string[], request: string): Promise<void> {
  const id = ids[step.which % Math.max(1, ids.length)] ?? crypto.randomUUID()
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await act(user, method, path, body, { 'x-request-id': request })
    const next = answer.body.next_task?.id
    if (next !== undefined && !ids.includes(next)) ids.push(next)
    return answer
  }
  // What comes after a task is purged where that is open again: no undo brings it back.
  if (step.kind === 'complete' || ('fields' in step && step.fields.completed === false)) {
    const { body } = await user.send('GET', `/api/tasks/${id}`)
    if (body.completed && body.recurrence !== null && step.kind !== 'create') return
  }
  if ('fields' in step) {
    if (step.kind === 'patch') return void (await call('PATCH', `/api/tasks/${id}`, step.fields))
    const { status, body } = await call('POST', '/api/tasks', { title: 'New', ...step.fields })
    if (status === 201) ids.push(body.id)
  } else if (step.kind === 'delete') await call('DELETE', `/api/tasks/${id}`)
  else await call('POST', `/api/tasks/${id}/${step.kind}`)
}

/** Undoes a request. Null: it has changed nothing. */
async function back(user: TestUser, request_id: string): Promise<string | null> {
  const { status, body, request } = await undo(user, { request_id })
  expect([status, status === 200 ? '' : body.detail]).toEqual(
    status === 404 ? [404, expect.stringContaining('nothing to undo')] : [200, ''],
  )
  return status === 200 && body.length > 0 ? request : null
}

async function holds(requests: Step[][]): Promise<void> {
  const user = await signUp()
  const ids: string[] = []
  for (const title of ['First', 'Second']) ids.push((await user.create({ title })).id)

  const done: { request: string; before: Awaited<ReturnType<typeof stateOf>> }[] = []
  for (const steps of requests) {
    const request = crypto.randomUUID()
    done.push({ request, before: await stateOf(user) })
    for (const one of steps) await take(user, one, ids, request)
  }
  const end = await stateOf(user)

  const undone: string[] = []
  for (const { request, before } of done.toReversed()) {
    const made = await back(user, request)
    if (made !== null) undone.push(made)
    const state = await stateOf(user)
    const known = new Set(before.map(({ id }) => id))
    expect(state.filter(({ id }) => known.has(id))).toEqual(before)
    for (const task of state) if (!known.has(task.id)) expect(task.deleted_at).toBeString()
  }
  for (const request of undone.toReversed()) expect(await back(user, request)).not.toBeNull()
  expect(await stateOf(user)).toEqual(end)
}

test(
  `${sequences} sequences of requests: undo gives back what was there, and undo of that what came of it`,
  async () => {
    const seed = Date.now()
    const all = fc.sample(sequence, { numRuns: sequences, seed })
    for (let from = 0; from < all.length; from += together) {
      await Promise.all(
        all.slice(from, from + together).map((requests) =>
          holds(requests).catch((error: unknown) => {
            throw new Error(`seed ${seed}: ${JSON.stringify(requests)}`, { cause: error })
          }),
        ),
      )
    }
  },
  { timeout: 30_000 + 300 * sequences },
)
