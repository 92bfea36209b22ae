import { expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import {
  array,
  assert,
  asyncProperty,
  constantFrom,
  nat,
  oneof,
  sample,
  string,
  tuple,
  uint8Array,
} from 'fast-check'
import { readPlan } from '../../src/imports/readers.ts'
import { type SourceName, sources } from '../../src/imports/schema.ts'
import { NewTaskSchema } from '../../src/tasks/schema.ts'
import { signUp } from '../support/app.ts'
import { bytesOf, fixture, importAs } from './support.ts'

const files: [SourceName, Buffer][] = []
for (const [from, name] of [
  ['todoist', 'todoist.csv'],
  ['todoist', 'todoist.json'],
  ['ticktick', 'ticktick.csv'],
  ['ical', 'tasks.ics'],
] as const) {
  files.push([from, Buffer.from(await fixture(name))])
}

/** What breaks texts: marks of the formats, numbers beyond all bounds, halves of characters. */
const pieces = oneof(
  constantFrom(
    '"',
    ',',
    ';',
    '\n',
    '\r',
    '\t',
    '\0',
    ':',
    '=',
    '\\',
    '{',
    '}',
    '[',
    ']',
    'BEGIN:VTODO',
    'END:VTODO',
    'BEGIN:VALARM',
    '-99999999999999',
    '99999999999999',
    '1e400',
    'null',
    '9999-12-31T23:59:59+0000',
    '20269999T999999Z',
    'P99999999999Y',
    '@@',
    '▫',
    '▪',
    '\ud83d',
    'RRULE:FREQ=YEARLY;BYMONTH=99;BYDAY=-9XX',
    'DUE;TZID=:',
    '__proto__',
    'constructor',
  ),
  string({ unit: 'binary', maxLength: 8 }),
)
const edits = array(tuple(nat(), nat(40), pieces), { minLength: 1, maxLength: 8 })

const edited = (text: string, changes: [number, number, string][]): string =>
  changes.reduce((before, [place, length, piece]) => {
    const at = place % (before.length + 1)
    return before.slice(0, at) + piece + before.slice(at + length)
  }, text)

/** Reads it, and holds every task to what the API takes. */
async function read(from: SourceName, bytes: Uint8Array): Promise<void> {
  const plan = await readPlan(from, { bytes, name: 'A file' }, 'alice', 'Europe/Berlin')
  if (typeof plan === 'string') return
  for (const {
    line: _line,
    reminders: _reminders,
    completed_at,
    created_at,
    ...task
  } of plan.tasks) {
    expect([...Value.Errors(NewTaskSchema, task)].map(({ path, value }) => [path, value])).toEqual(
      [],
    )
    expect([task.due_time, task.due_date ?? task.recurrence]).not.toEqual([
      expect.any(String),
      null,
    ])
    for (const at of [completed_at, created_at]) expect(at ?? '').toMatch(/^(|\d{4}-.*Z)$/)
  }
  for (const { what } of plan.warnings) expect(what.length).toBeLessThan(500)
}

test.each(files)('reads %s however it was damaged', async (from, bytes) => {
  const text = bytes.toString()
  await assert(
    asyncProperty(edits, (changes) => read(from, bytesOf(edited(text, changes)))),
    { numRuns: 300 },
  )
})

test.each([...sources])('reads any bytes as %s', async (from) => {
  const prefix = constantFrom(
    '',
    'PK\x03\x04',
    '[{',
    'TYPE,CONTENT\n',
    'List Name,Title\n',
    'BEGIN:VCALENDAR\nBEGIN:VTODO\n',
  )
  await assert(
    asyncProperty(prefix, uint8Array({ maxLength: 300 }), (head, bytes) =>
      read(from, Buffer.concat([Buffer.from(head), bytes])),
    ),
    { numRuns: 300 },
  )
})

test('answers whatever is sent with 200 or 422', async () => {
  const alice = await signUp()
  for (const [from, bytes] of files) {
    const samples = sample(edits, { numRuns: 12, seed: 1 })
    for (const changes of samples) {
      const { status, text } = await importAs(
        alice,
        `?from=${from}`,
        bytesOf(edited(bytes.toString(), changes)),
      )
      expect([status, text]).toEqual([status === 422 ? 422 : 200, text])
    }
  }
})
