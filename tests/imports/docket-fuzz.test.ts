import { expect, test } from 'bun:test'
import { constantFrom, integer, nat, oneof, record, sample, string, tuple } from 'fast-check'
import { everything, exportOf, importLines, parsed } from '../exports/support.ts'
import { signUp, sql, type TestUser } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { linesOf } from '../support/moving.ts'

// What nobody would write: files of Docket that are damaged, and files that are right and want to do harm.

/** How many files: more are made when somebody asks. */
const inputs = Number(process.env['FUZZ_INPUTS'] ?? 400)

const ids = Array.from(
  { length: 6 },
  (_, n) => `${n}${n}${n}${n}${n}${n}${n}${n}-0000-7000-8000-00000000000A`,
)

/** Values that a field may get. */
const values = oneof(
  constantFrom<unknown>(
    null,
    true,
    false,
    -1,
    0,
    1e300,
    2_000_000_000,
    '',
    ' ',
    '\0',
    '\ud800',
    '__proto__',
    'constructor',
    '0001-01-01',
    '9999-12-31',
    '0001-01-01T00:00:00Z',
    '9999-12-31T23:59:59.999999+15:59',
    '2026-02-31T00:00:00Z',
    '00:00:00',
    'Europe/Berlin',
    'America/Ciudad_Juarez',
    'FREQ=DAILY;COUNT=1',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29',
    'due',
    'high',
    'i7ffffffff',
    'R000000000',
    'Rzzzzzzzzz',
    'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzV',
    'A00000000000000000000000000000000000000000000000000000000001',
    '#home',
    '@Next up',
    '((((',
    [],
    {},
    ['-P1D'],
    ['P99999D', '-PT1M'],
    ['2026-12-01T08:00:00+00:00'],
    [['a']],
    { a: '\0' },
    { a: { b: { c: { d: {} } } } },
    { a: 'x'.repeat(9000) },
    { a: 1e300 },
  ),
  constantFrom(...ids),
  string({ unit: 'binary', maxLength: 40 }),
  integer(),
)

const names =
  `id user_id list_id parent_id position title description completed completed_at priority tags due_date
  due_time time_zone recurrence repeat_from series_id occurrence reminders version created_at
  updated_at deleted_at extra name color archived_at filter __proto__`.split(/\s+/)

/** What is changed: of which line which field into what. */
const change = record({ line: nat(), name: constantFrom(...names), value: values })
const files = record({
  changes: tuple(change, change, change),
  count: integer({ min: 0, max: 3 }),
  /** Bytes that are cut out of the text. */
  cut: tuple(nat(), integer({ min: -40, max: 20 })),
  history: nat(2),
})

/** With few ids, so that everything meets everything. */
function base(user: TestUser): any[] {
  const known = new Map<string, string>()
  const short = (text: string) =>
    text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f-]{21}/g, (id) => {
      if (id === user.id) return id
      const one = known.get(id) ?? ids[known.size % ids.length] ?? id
      known.set(id, one)
      return one
    })
  return parsed(short(linesOf(everything(user.id))))
}

test('answers any file with 200 or 422, and whatever is asked then with no fault of its own', async () => {
  const counts = new Map<number, number>()
  const samples = sample(files, { numRuns: inputs, seed: 4 })
  for (let from = 0; from < samples.length; from += 40) {
    const user = await signUp()
    for (const { changes, count, cut, history } of samples.slice(from, from + 40)) {
      const lines = base(user)
      for (const { line, name, value } of changes.slice(0, count)) {
        const one = lines[line % lines.length]
        const kind = Object.keys(one)[0] ?? ''
        Object.assign(
          one[kind],
          JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value) ?? null}}`),
        )
        if (history === 0)
          one.history = [
            {
              at: '9999-01-01T00:00:00Z',
              by: null,
              request_id: 'x',
              action: 'updated',
              before: { ...one[kind], [name]: null },
            },
          ]
      }
      let text = linesOf(lines)
      const at = cut[0] % text.length
      if (cut[1] > 0) text = text.slice(0, at) + text.slice(at + cut[1])
      const { status, text: said } = await importLines(user, text)
      expect([status === 422 || status === 200, said]).toEqual([true, said])
      counts.set(status, (counts.get(status) ?? 0) + 1)
    }
    await use(user)
  }
  expect(counts.get(200)).toBeGreaterThan(inputs / 10)
  expect(counts.get(422)).toBeGreaterThan(inputs / 10)
}, 300_000)

/** Asks for all that there is now, and changes it. */
async function use(user: TestUser): Promise<void> {
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await user.send(method, `/api${path}`, body)
    expect([path, answer.status < 500, answer.text]).toEqual([path, true, answer.text])
    return answer.body
  }
  const text = await exportOf(user)
  const lines = parsed(text)
  expect(text).not.toContain('\\u0000')
  expect((await importLines(user, text)).body).toMatchObject({ tasks: 0, lists: 0 })
  expect(faultsOf(await readLog(sql, [user.id]))).toEqual([])
  const tasks = lines.flatMap(({ task }) => task ?? [])
  for (const path of [
    '/tasks?include=subtasks&sort=position',
    '/lists?counts=true',
    '/changes',
    '/tags',
  ]) {
    await call('GET', path)
  }
  for (const { filter } of lines.filter((line) => line['filter'])) {
    await call('GET', `/tasks?filter=${encodeURIComponent(filter.filter)}`)
  }
  for (const { id } of tasks) {
    await call('GET', `/tasks/${id}/history`)
    await call('GET', `/tasks/${id}/occurrences`)
    await call('POST', `/tasks/${id}/move`, {
      after: tasks[0].id === id ? tasks[1]?.id : tasks[0].id,
    })
    await call('POST', `/tasks/${id}/move`, {
      before: tasks.at(-1).id === id ? tasks[0].id : tasks.at(-1).id,
    })
    await call('POST', `/tasks/${id}/complete`)
    await call('POST', `/tasks/${id}/restore`)
    await call('DELETE', `/tasks/${id}`)
  }
  await call('POST', '/undo', { since: 0, force: true })
}
