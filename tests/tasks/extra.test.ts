import { expect, test } from 'bun:test'
import { exportTasks, importTasks } from '../../src/tasks/transfer.ts'
import { insertTask, updateTask } from '../../src/tasks/writes.ts'
import { db, signUp } from '../support/app.ts'
import { expectInvalid } from '../support/tasks.ts'

type Extra = Record<string, unknown>

const made = (text: string): Extra => JSON.parse(text).extra

/** A task with these fields beside it, and what becomes of them by a change. */
async function begin(extra: Extra) {
  const author = { user_id: crypto.randomUUID(), actor: null, request_id: null }
  const id = Bun.randomUUIDv7()
  const written = await insertTask(db, author, id, { title: 'A task', extra })
  const change = (patch: Extra) =>
    updateTask(db, author, id, null, { changes: { extra: patch }, course: null })
  return { author, id, written, change }
}

test.each<[kept: Extra, given: Extra, left: Extra | undefined]>([
  [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
  [{ a: 1, b: [1, { c: null }] }, { a: null }, { b: [1, { c: null }] }],
  [{ a: { b: 1 } }, { a: { c: 2 } }, { a: { c: 2 } }],
  [{ a: 'null', b: '' }, { b: 'x, "y": z' }, { a: 'null', b: 'x, "y": z' }],
  [{ a: 1 }, { a: null, b: null }, undefined],
])('%j, given %j, becomes %j', async (kept, given, left) => {
  const { written, change } = await begin(kept)

  const changed = await change(given)

  expect(written).toMatchObject({ outcome: 'changed', row: { version: 1 } })
  expect(changed).toMatchObject({ outcome: 'changed', row: { version: 2 } })
  expect('row' in changed && made(changed.row.text)).toEqual(left as Extra)
})

test.each<[kept: Extra, given: Extra]>([
  [{ a: 1 }, { a: 1 }],
  [{ a: 1 }, { b: null }],
  [{ a: { c: 1, b: [] } }, { a: { b: [], c: 1 } }],
])('%j, given %j, is the same version', async (kept, given) => {
  const { change } = await begin(kept)

  expect(await change(given)).toMatchObject({ outcome: 'changed', row: { version: 1 } })
})

/** Of 8192 bytes, and as many more as `more` has. */
const sized: [name: string, make: (more: string) => Extra][] = [
  ['a long text', (more) => ({ a: 'x'.repeat(8184) + more })],
  ['many texts', (more) => ({ a: Array.from({ length: 2726 }, () => ''), b: more })],
  ['many numbers', (more) => ({ a: Array.from({ length: 4089 }, () => 1), b: more })],
  [
    'objects in objects',
    (more) => ({ a: [{}, [], { b: { c: [{ d: more }] } }], e: 'x'.repeat(8149) }),
  ],
  ['what looks like JSON', (more) => ({ 'a, "b": ': `": , ${'é'.repeat(4084)}x${more}` })],
]

test.each(sized)('8192 bytes are kept, and not one more: %s', async (_name, make) => {
  const most = make('')
  const { written, change } = await begin(most)

  expect(Buffer.byteLength(JSON.stringify(most))).toBe(8192)
  expect('row' in written && made(written.row.text)).toEqual(most)
  expect(await change(make('x')).catch((error: unknown) => error)).toMatchObject({
    constraint_name: 'tasks_extra_size',
  })
})

test('moves with the task, and is in no line without it', async () => {
  const { author, id } = await begin({ category: 'home', order: [1, null] })
  await insertTask(db, author, Bun.randomUUIDv7(), { title: 'Another' })

  const exported = async (userId: string) =>
    (await exportTasks(db, userId, '0', 10)).map(({ text }) => JSON.parse(text))
  const [kept, plain] = await exported(author.user_id)
  const heir = crypto.randomUUID()
  await importTasks(db, [{ task: { ...kept, user_id: heir } }], 'test')

  expect(kept).toMatchObject({ id, extra: { category: 'home', order: [1, null] } })
  expect(Object.keys(plain)).not.toContain('extra')
  expect(await exported(heir)).toEqual([{ ...kept, user_id: heir }])
})

test.each(['POST', 'PATCH', 'PUT'])('%s of a client has no such field', async (method) => {
  const alice = await signUp()
  const { id } = await alice.create()

  const path = method === 'POST' ? '/api/tasks' : `/api/tasks/${id}`
  const answer = await alice.send(method, path, { title: 'A task', extra: { a: 1 } })

  expectInvalid(answer, '/extra')
})
