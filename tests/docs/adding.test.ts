import { expect, test } from 'bun:test'
import { emptyDatabase, layOut } from '../support/database.ts'
import { blocksOf, textOf } from './reading.ts'

// The list of places in docs/adding.md, held against the code.

const text = textOf('docs/adding.md')
const [fields = '', resources = ''] = text.split('## A resource')

/** The files that a part names, as they are for a field or a resource that is there. */
const namedIn = (part: string): string[] =>
  Array.from(part.matchAll(/`((?:src|sql)\/[\w./-]+\.(?:ts|sql))`/g), ([, file = '']) => file)

const code = await Promise.all(
  (await Array.fromAsync(new Bun.Glob('{src,sql}/**/*.{ts,sql}').scan('.'))).map(async (file) => {
    const lines = (await Bun.file(file).text()).split('\n')
    // Not what is said of it, nor where it comes from.
    const told = lines.filter((line) => !/^\s*(\/\/|\/?\*|--|import )/.test(line))
    return { file, lines, told: told.map((line) => line.replace(/ (?:--|\/\/) .*$/, '')) }
  }),
)
const sortedFiles = (files: Iterable<string>): string[] => [...new Set(files)].toSorted()

test('names every place of a field: those of `reminders`', () => {
  // What sends them, or counts them, is about more than the field.
  const others = /^src\/(app|serve|changes\/streams|http\/metrics|(me|push|reminders)\/\w+)\.ts$/
  const places = code
    .filter(
      ({ file, told }) => !others.test(file) && told.some((line) => /\breminders\b/.test(line)),
    )
    .map(({ file }) => (file.startsWith('sql/') ? 'sql/014_mood.sql' : file))

  expect(sortedFiles(places)).toEqual(sortedFiles(namedIn(fields)))
})

test('counts what every field needs', () => {
  const [, table = ''] = /These nine places are needed(.*?)TypeScript names/s.exec(fields) ?? []

  expect(table.match(/^\| `/gm)).toHaveLength(9)
})

test('names where one filters and sorts: by `priority`', () => {
  const [, list = ''] = /To filter and sort by a field(.*?)\n\n/s.exec(fields) ?? []
  const named = Array.from(list.matchAll(/`([\w/-]+\.ts)`/g), ([, file]) => `src/tasks/${file}`)
  const already = namedIn(fields)
  const places = code
    .filter(
      ({ file, told }) =>
        file.startsWith('src/tasks/') &&
        !already.includes(file) &&
        told.some((line) => /\bpriority\b/.test(line)),
    )
    .map(({ file }) => file)

  expect(sortedFiles(places)).toEqual(sortedFiles(named))
})

test('names every place of a resource: those of `filters`', () => {
  const mark = /\.\/filters\/\w+\.ts'|^\s*filters: '|\|filters\||name: 'Filters'/
  const places = code
    .filter(
      ({ file, lines }) =>
        !file.startsWith('src/filters/') && lines.some((line) => mark.test(line)),
    )
    .map(({ file }) => file)

  expect(sortedFiles([...places, 'src/database/schema/files.ts'])).toEqual(
    sortedFiles(namedIn(resources)),
  )
})

test('has a schema file that works', async () => {
  const database = await emptyDatabase()
  await layOut(database.sql)
  const [block] = blocksOf(text).filter(({ language }) => language === 'sql')

  await database.sql.unsafe(`
    insert into docket.users (id) values ('alice');
    insert into docket.tasks (user_id, id, title) values ('alice', gen_random_uuid(), 'Before')`)
  await database.sql.unsafe(block?.text ?? '')
  await database.sql.unsafe(
    `insert into docket.tasks (user_id, id, title, mood) values ('alice', gen_random_uuid(), 'After', 'good "so far"')`,
  )
  const rows = await database.sql<{ json: string }[]>`
    select json from docket.tasks order by title`
  await database.close()

  expect(rows.map(({ json }) => JSON.parse(json))).toMatchObject([
    { title: 'After', mood: 'good "so far"', deleted_at: null },
    { title: 'Before', mood: null },
  ])
})
