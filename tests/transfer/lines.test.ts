import { expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { isBlank, parseLine, readLines } from '../../src/transfer/lines.ts'

const task: Task = {
  id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31',
  user_id: 'alice',
  list_id: null,
  parent_id: null,
  position: 'i00000002a',
  title: 'Water the plants',
  description: null,
  completed: false,
  completed_at: null,
  priority: 'none',
  tags: [],
  due_date: '2028-02-29',
  due_time: '23:59:59',
  time_zone: 'Europe/Berlin',
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
  reminders: [],
  version: 2_000_000_000,
  created_at: '0001-01-01T00:00:00+00:00',
  updated_at: '9999-12-31T23:59:59.999999+00:00',
  deleted_at: '2026-11-20T22:36:42Z',
}
const rule = {
  recurrence: 'FREQ=WEEKLY',
  repeat_from: 'due' as const,
  series_id: task.id,
  occurrence: '2028-02-29',
}
const user = { id: 'alice', created_at: '2026-11-20T22:36:42.1+15:59' }

const parse = (line: unknown) => parseLine(Buffer.from(JSON.stringify(line)))

test('takes what is at the limits', () => {
  expect(parse({ task })).toEqual({ task })
  expect(parse({ user })).toEqual({ user })
  expect(parse({ task: { ...task, ...rule } })).toEqual({ task: { ...task, ...rule } })
  const kept = { ...task, extra: { category: 'home', order: [1, null] } }
  expect(parse({ task: kept })).toEqual({ task: kept })
})

test.each([
  [{ version: 2_000_000_001 }, 'version must be at most 2000000000'],
  [{ version: 1e300 }, 'version must be at most 2000000000'],
  [{ version: 0 }, 'version must be at least 1'],
  [{ extra: null }, 'extra'],
  [{ category: 'home' }, 'category is not known here'],
  [{ version: '1' }, 'version must be a whole number'],
  [{ due_date: null }, 'due_time needs a due_date'],
  [{ due_time: null }, 'time_zone needs a due_time'],
  [{ reminders: ['soon'] }, 'reminders/0 must be a duration'],
  [
    { due_date: null, due_time: null, time_zone: null, reminders: ['-P1D'] },
    'reminders needs a due_date',
  ],
  [{ due_date: '2027-02-29' }, 'due_date must be a day'],
  [{ due_date: '2026-02-31' }, 'due_date must be a day'],
  [{ due_date: '0000-05-05' }, 'due_date must be a day'],
  [{ due_time: '24:00:00' }, 'due_time must be a time'],
  [{ time_zone: '+02:00' }, 'time_zone must be a time zone'],
  [{ completed: true }, 'completed must be true where there is a completed_at'],
  [{ completed_at: '2026-01-01T00:00:00Z' }, 'completed must be true where'],
  [{ created_at: '2026-02-31T00:00:00Z' }, 'created_at must be an instant'],
  [{ created_at: '0000-01-01T00:00:00Z' }, 'created_at must be an instant'],
  [{ created_at: '0001-01-01T00:00:00+00:01' }, 'created_at must be an instant'],
  [{ updated_at: '9999-12-31T23:59:59-00:01' }, 'updated_at must be an instant'],
  [{ updated_at: '9999-12-31T23:59:59.9999999Z' }, 'updated_at must be an instant'],
  [{ deleted_at: '2026-01-01T24:00:00Z' }, 'deleted_at must be an instant'],
  [{ deleted_at: '2026-01-01' }, 'deleted_at must be an instant'],
  [{ deleted_at: '2026-01-01T00:00:00+16:00' }, 'deleted_at must be an instant'],
  [{ deleted_at: '2026-01-01 00:00:00Z' }, 'deleted_at must be an instant'],
  [{ deleted_at: 'yesterday' }, 'deleted_at'],
  [{ user_id: '' }, 'user_id must be 1 to 255 characters'],
  [{ user_id: 'a\0' }, 'user_id must be 1 to 255 characters'],
  [{ user_id: '\ud800' }, 'user_id must be 1 to 255 characters'],
  [{ user_id: 'a'.repeat(256) }, 'user_id must be 1 to 255 characters'],
  [{ title: '' }, 'title must not be empty'],
  [{ title: 'a\0' }, 'title must not contain NUL'],
  [{ description: '\udc00' }, 'description must not contain NUL or half'],
  [{ tags: ['a', 'a'] }, 'tags must not have the same item twice'],
  [{ tags: ['a', ''] }, 'tags/1 must not be empty'],
  [{ id: '1' }, 'id must be a UUID'],
  [{ colour: 'red' }, 'colour is not known here'],
  [{ ...rule, recurrence: 'sometimes' }, 'recurrence must be a rule as it is answered'],
  [{ ...rule, recurrence: 'FREQ=WEEKLY;INTERVAL=1' }, 'recurrence must be a rule as it is'],
  [{ ...rule, occurrence: null }, 'recurrence needs repeat_from, series_id and occurrence'],
  [{ ...rule, recurrence: null }, 'repeat_from needs a recurrence'],
  [{ ...rule, parent_id: task.id }, 'recurrence is not taken of a subtask'],
  [{ ...rule, due_date: null, due_time: null, time_zone: null }, 'recurrence needs a due_date'],
])('says what is wrong with a task of %j', (change, why) => {
  expect(parse({ task: { ...task, ...change } })).toContain(why)
})

const change = {
  at: '2026-11-20T22:36:42Z',
  by: { kind: 'jwt', name: 'half \ud800' },
  request_id: 'a-request',
  action: 'updated',
  before: task,
}

test('takes what was made of a task before', () => {
  const { description: _, ...short } = task
  const history = [
    { ...change, by: null, request_id: null, action: 'created', before: null },
    change,
    { ...change, before: short },
    { ...change, before: { id: task.id.toUpperCase(), user_id: 'alice' } },
  ]
  expect(parse({ task, history })).toEqual({ task, history })
  expect(parse({ task, history: [] })).toEqual({ task, history: [] })
})

test.each([
  [{ at: 'yesterday' }, 'history/1/at'],
  [{ at: '2026-02-31T00:00:00Z' }, 'history/1/at must be an instant'],
  [{ by: 'alice' }, 'history/1/by must be a JSON object, or be null'],
  [{ by: { kind: 'god', name: null } }, 'history/1/by/kind must be one of session, token'],
  [{ request_id: 'a\0' }, 'history/1/request_id must not contain NUL'],
  [{ action: 'purged' }, 'history/1/action must be one of created, updated'],
  [{ before: [] }, 'history/1/before must be a JSON object'],
  [{ before: {} }, 'history/1/before/id must be that of the task'],
  [{ before: { ...task, id: crypto.randomUUID() } }, 'before/id must be that of the task'],
  [{ before: { ...task, user_id: 'bob' } }, 'before/user_id must be that of the task'],
  [{ before: { ...task, colour: 'red' } }, 'history/1/before/colour is not known here'],
  [{ before: { ...task, title: '' } }, 'history/1/before/title must not be empty'],
  [{ before: { ...task, completed: true } }, 'history/1/before/completed must be true where'],
  [{ before: { ...task, due_date: null } }, 'history/1/before/due_time needs a due_date'],
  [{ before: { ...task, version: 2 ** 31 } }, 'history/1/before/version must be at most'],
  [{ before: { ...task, updated_at: '2026-02-31T00:00:00Z' } }, 'before/updated_at must be an'],
  [{ seq: 1 }, 'history/1/seq is not known here'],
])('says what is wrong with a history that has %j', (wrong, why) => {
  expect(parse({ task, history: [change, { ...change, ...wrong }] })).toContain(why)
})

test('takes no more than a thousand changes of a task', () => {
  const history = (length: number) => Array.from({ length }, () => change)
  expect(parse({ task, history: history(1000) })).toBeObject()
  expect(parse({ task, history: history(1001) })).toBe('history must have at most 1000 items')
})

test.each([
  [{ user: { ...user, id: 'a\0' } }, 'id must be 1 to 255 characters'],
  [{ user: { ...user, created_at: '2026-06-31T00:00:00Z' } }, 'created_at must be an instant'],
  [{ user: { id: 'alice' } }, 'created_at is required'],
  [{ user, task }, 'task is not known here'],
  [{}, 'task is required'],
  [[], 'it must be a JSON object'],
  [null, 'it must be a JSON object'],
])('says what is wrong with the line %j', (line, why) => {
  expect(parse(line)).toContain(why)
})

test.each([
  ['nothing', ''],
  ['half a line', '{"task":'],
  ['a byte order mark', '\ufeff{}'],
])('says that %s is no JSON', (_, text) => {
  expect(parseLine(Buffer.from(text))).toBe('it is not JSON in UTF-8')
})

test('says that other encodings than UTF-8 are none', () => {
  expect(parseLine(Uint8Array.of(0x22, 0xff, 0x22))).toBe('it is not JSON in UTF-8')
})

test('reads lines however they come, with an end or without', async () => {
  const bytes = Buffer.from('ä\n\nb\r\nlast')
  for (const size of [1, 2, 3, 100]) {
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) {
          controller.enqueue(bytes.subarray(at, at + size))
        }
        controller.close()
      },
    })
    const lines = await Array.fromAsync(readLines(stream), (line) => Buffer.from(line).toString())
    expect(lines).toEqual(['ä', '', 'b\r', 'last'])
  }
})

test.each([
  ['\uFEFFa\nb', ['a', 'b']],
  ['\uFEFF\r\na', ['\r', 'a']],
  ['a\n\uFEFFb\n', ['a', 'b']],
  ['\uFEFF', ['']],
  ['a\uFEFF', ['a\uFEFF']],
])('reads %j without the mark at the beginning of a line', async (text, lines) => {
  for (const size of [1, 2, 3, 100]) {
    const bytes = Buffer.from(text)
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    )
    const stream = new Blob(parts).stream()

    const read = await Array.fromAsync(readLines(stream), (line) => Buffer.from(line).toString())

    expect(read).toEqual(lines)
  }
})

test.each([
  ['', true],
  ['\r', true],
  [' \t\r', true],
  ['{}', false],
  ['\u00a0', false],
])('%j is blank: %p', (text, blank) => {
  expect(isBlank(Buffer.from(text))).toBe(blank)
})
