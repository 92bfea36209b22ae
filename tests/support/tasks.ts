import { expect } from 'bun:test'
import type { Sql } from '../../src/database/connect.ts'
import type { Author } from '../../src/database/log/log.ts'
import { titleKey } from '../../src/http/fold.ts'
import type { Task } from '../../src/tasks/schema.ts'
import { type Answer, signUp, sql, type TestUser } from './app.ts'

/** A task with every optional field, none of them at its default. */
export const fullTask = {
  title: 'Water the plants',
  description: 'The **ferns** first.',
  completed: true,
  priority: 'high',
  tags: ['home', 'garden'],
  due_date: '2026-12-01',
  due_time: '18:30:00',
  time_zone: 'Europe/Berlin',
  reminders: ['-P1D', '-PT30M'],
}

/** Expects a 422 whose `errors` point to these fields or parameters, and whose `detail` names them all. */
export function expectInvalid(answer: Answer, ...pointers: string[]): void {
  expect(answer.status).toBe(422)
  expect(answer.body.errors.map((fault: { pointer: string }) => fault.pointer)).toEqual(pointers)
  for (const pointer of pointers) expect(answer.body.detail).toContain(pointer.slice(1))
}

/** Expects the same 404 where a task is absent, somebody else's, in somebody else's trash or no UUID. */
export async function expectNotFound(call: (id: string) => Promise<Answer>): Promise<void> {
  const stranger = await signUp()
  const foreign = await stranger.create()
  const { body: trashed } = await stranger.send(
    'DELETE',
    `/api/tasks/${(await stranger.create()).id}`,
  )

  const answers = await Promise.all(
    [crypto.randomUUID(), foreign.id, trashed.id, 'not-a-uuid'].map(call),
  )

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404])
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  expect(await list(stranger)).toEqual([foreign])
  expect(await list(stranger, '?deleted=true')).toEqual([trashed])
}

/** The id of a list that a user has. */
export async function newList({ id: user }: TestUser): Promise<string> {
  const id = Bun.randomUUIDv7()
  await sql`insert into docket.users (id) values (${user}) on conflict do nothing`
  await sql`
    insert into docket.lists (user_id, id, name, position) values (${user}, ${id}, 'A list', ${`i${id.replaceAll('-', '')}`})`
  return id
}

/** The tasks of a list, given the query with its `?`. */
export async function list(user: TestUser, query = ''): Promise<Task[]> {
  const { status, body } = await user.send('GET', `/api/tasks${query}`)
  expect(status).toBe(200)
  return body
}

export const titles = async (user: TestUser, query = ''): Promise<string[]> =>
  (await list(user, query)).map(({ title }) => title)

/** The path of the page after the one at `path`, or null on the last one. */
export function nextOf({ headers }: Pick<Answer, 'headers'>, path = '/api/tasks'): string | null {
  const link = headers.get('link')
  if (link === null) return null
  const query = /^<(\?[^<>]*)>; rel="next"$/.exec(link)?.[1]
  if (query === undefined) throw new Error(`Not a link to the next page: ${link}`)
  return `${path.split('?')[0]}${query}`
}

/** Every page of a list from `path` on; `between` is called before each page but the first. */
export async function readPages(
  user: TestUser,
  path: string,
  between: (page: Task[]) => Promise<void> = async () => {},
): Promise<Task[][]> {
  const pages: Task[][] = []
  for (let next: string | null = path; next !== null; ) {
    const previous = pages.at(-1)
    if (previous !== undefined) await between(previous)
    const answer: Answer = await user.send('GET', next)
    expect(answer.status).toBe(200)
    pages.push(answer.body)
    next = nextOf(answer, next)
  }
  return pages
}

export const idsOf = (tasks: Task[]): string[] => tasks.map(({ id }) => id)

/** Gives tasks that were written by hand their number in the order of changes, by updated_at and then by id. */
export async function numberTasks(to: Sql): Promise<void> {
  await to`
    with numbered as (
      select t.user_id, t.id, u.seq + row_number() over (partition by t.user_id order by t.updated_at, t.id) as seq
      from docket.tasks t
      join docket.users u on u.id = t.user_id
      where t.seq = 0
    ), changed as (
      update docket.tasks t
      set seq = numbered.seq
      from numbered
      where t.user_id = numbered.user_id
        and t.id = numbered.id
    ), counted as (
      update docket.users u
      set seq = last.seq
      from (select user_id, max(seq) as seq from numbered group by user_id) last
      where u.id = last.user_id
    )
    insert into docket.latest (user_id, seq, type, id)
    select user_id, seq, 'task', id
    from numbered`
}

/** Inserts tasks that no sort key tells apart, fast, and gives their ids. */
export async function insertEqualTasks({ id }: TestUser, count: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    with owner as (
      insert into docket.users (id)
      values (${id})
      on conflict (id) do nothing
    )
    insert into docket.tasks (user_id, id, title, title_key, words, priority, due_date, created_at, updated_at)
    select
      ${id}::text,
      gen_random_uuid(),
      'The same',
      ${titleKey('The same')}::text,
      'the same',
      'low',
      '2026-12-01',
      '2026-11-20T22:36:42.123456Z',
      '2026-11-20T22:36:42.123456Z'
    from generate_series(1, ${count}::integer)
    returning id`
  await numberTasks(sql)
  return rows.map((row) => row.id)
}

const codePoints = (first: number, last: number): string =>
  Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index)).join(
    '',
  )

/** Texts that programs have been seen to change, none longer than a title may be. */
export const naughtyTexts: [name: string, text: string][] = [
  ['emoji', '👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇩🇪 ☎️'],
  ['right to left', 'مرحبا שלום \u202Eabc\u202C \u2067x\u2069'],
  [
    'combining characters, decomposed and composed',
    'e\u0301 é Z\u0351\u036B\u0343 ñ n\u0303 가 가',
  ],
  ['zero width', '\uFEFFa\u200Bb\u200Cc\u200Dd\u2060e\uFEFF'],
  ['line ends', 'a\nb\r\nc\rd\u0085e\u2028f\u2029g\n'],
  ['spaces at the ends', ' \t\u00A0\u3000a \t\u00A0\u3000'],
  ['quotes', `'"\`''""‘’“”«»`],
  ['backslashes', '\\ \\\\ \\n \\u0041 \\x00 C:\\temp\\'],
  ['patterns', '% _ %_ \\% \\_ * ? [a-z] ^$ .* (?i)'],
  ['HTML', '<script>alert(1)</script> &amp; &lt;b&gt; <!-- --> </textarea>'],
  ['SQL', `'; drop table docket.tasks; -- $1 $$ E'\\n' :name ?`],
  ['templates', '${7*7} {{7*7}} %s %d <%= 1 %> #{1}'],
  ['JSON', '{"title": null, "tags": ["a"]} \\" \\u0000'],
  ['words that mean nothing or something elsewhere', 'null NULL undefined NaN true 1e3 infinity'],
  ['control characters', codePoints(0x01, 0x1f) + codePoints(0x7f, 0x9f)],
  ['private use and non-characters', '\uE000\uF8FF\uFDD0\uFFFD\uFFFE\uFFFF\u{1FFFE}\u{10FFFF}'],
  ['letters that change length with case', 'ß ẞ İ ı ŉ ǰ ﬁ ΐ Ⱥ K Å'],
  [
    'the first of each plane',
    Array.from({ length: 16 }, (_, plane) =>
      codePoints((plane + 1) * 0x10000, (plane + 1) * 0x10000 + 7),
    ).join(''),
  ],
]

/** Tags that an array literal of PostgreSQL or a comma-separated list would take apart. */
export const naughtyTags = [
  'a,b',
  ',',
  '"',
  '"quoted"',
  'half "quoted',
  "'",
  '{',
  '}',
  '{a,b}',
  '{"a","b"}',
  '\\',
  '\\\\',
  'back\\slash',
  '\\"',
  'NULL',
  '  spaces  ',
  '\nnewlines\n',
  '[1:2]={a,b}',
]

/** Somebody who writes, to the log. */
export const author = (user_id: string): Author => ({
  user_id,
  actor: JSON.stringify({ kind: 'jwt', name: null }),
  request_id: 'test',
})
