import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { grantable } from '../../src/auth/scopes.ts'
import { readConfig } from '../../src/config.ts'
import { statuses } from '../../src/http/problem.ts'
import { app, send, signUp } from '../support/app.ts'
import { emptyDatabase } from '../support/database.ts'
import { blocksOf, pages, textOf } from './reading.ts'

// What README.md and docs/ say, held against the code and the figures.

const { body: document } = await send('GET', '/swagger/json')
const api = textOf('docs/api.md')

const rowsOf = (text: string): string[][] =>
  Array.from(text.matchAll(/^\| (.*) \|$/gm), ([, row = '']) => row.split(' | '))

test('docs/api.md has every route with its answer, and no other', () => {
  const [, table = ''] = api.split('## Every route')
  const told = rowsOf(table).flatMap(([request = '', answer = '']) =>
    Array.from(request.matchAll(/`([A-Z]+ \/[^`]*)`/g), ([, route]) => [route, answer.slice(0, 3)]),
  )
  const routes = Object.entries<Record<string, { responses: object }>>(document.paths)
    .filter(([path]) => !path.includes('{user_id}'))
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, { responses }]) => [
        `${method.toUpperCase()} ${path}`,
        Object.keys(responses).find((status) => status.startsWith('2')),
      ]),
    )
  // A row without a status is as the one above it, or of another protocol.
  const answers = new Map(told.map(([route = '', status = '']) => [route, status]))
  answers.delete('POST /mcp')
  answers.delete('GET /health')
  answers.delete('GET /ready')

  for (const [route = '', status = ''] of routes) {
    if (route.endsWith('/health') || route.endsWith('/ready')) continue
    const said = answers.get(route)
    expect([route, said === 'the' ? status : said]).toEqual([route, status])
    answers.delete(route)
  }
  expect([...answers.keys()]).toEqual([])
})

test('docs/api.md has every parameter of a list of tasks', () => {
  const [, section = ''] = /## Reading tasks(.*?)### Pages/s.exec(api) ?? []
  const told = rowsOf(section).flatMap(([names = '']) =>
    Array.from(names.matchAll(/`(\w+)`/g), ([, name = '']) => name),
  )
  const parameters: { name: string; in: string }[] = document.paths['/api/tasks'].get.parameters
  const known = parameters.filter((one) => one.in === 'query').map(({ name }) => name)

  // Some have a second name, which the document leaves out.
  for (const name of known) expect(told).toContain(name)
})

test('docs/api.md has filters that are some', async () => {
  const alice = await signUp()
  await alice.send('POST', '/api/lists', { name: 'Home' })
  const [, section = ''] = /## Filters(.*?)\n## /s.exec(api) ?? []
  const filters = blocksOf(section)
    .find(({ language }) => language === '')
    ?.text.trim()
    .split('\n')

  expect(filters).toHaveLength(2)
  for (const filter of filters ?? []) {
    const { status } = await alice.send('GET', `/api/tasks?filter=${encodeURIComponent(filter)}`)
    expect([filter, status]).toEqual([filter, 200])
  }
})

test('docs/api.md has every code of a problem, and no other', async () => {
  const [, section = ''] = /## Errors(.*?)## Every route/s.exec(api) ?? []
  const told = rowsOf(section).flatMap(([, codes = '']) =>
    Array.from(codes.matchAll(/`(\w+)`/g), ([, code = '']) => code),
  )
  const source = await Array.fromAsync(new Bun.Glob('src/**/*.ts').scan('.'), (file) =>
    Bun.file(file).text(),
  )
  const usual = Object.values(statuses).map(([, code]) => code)

  for (const code of usual) expect(told).toContain(code)
  for (const code of told) {
    expect([code, source.some((text) => text.includes(`'${code}'`))]).toEqual([code, true])
  }
})

test('docs/configuration.md has every variable of .env.example, and the commands', async () => {
  const text = textOf('docs/configuration.md')
  const example = await Bun.file('.env.example').text()
  const variables = Array.from(example.matchAll(/^([A-Z_]+)=/gm), ([, name = '']) => name)
  const told = rowsOf(text).flatMap(([names = '']) =>
    Array.from(names.matchAll(/`([A-Z_]+)`/g), ([, name = '']) => name),
  )
  const commands = blocksOf(text).find(({ text: body }) => body.startsWith('docket '))?.text ?? ''
  const help = (await Bun.file('src/index.ts').text()).replaceAll(/^ {2}(?=docket | {8})/gm, '')

  expect(told.toSorted()).toEqual(variables.toSorted())
  expect(help).toContain(commands.trim())
})

test('no page names a variable that there is not', async () => {
  const example = await Bun.file('.env.example').text()
  // Of the tests, of examples, and of others.
  const others =
    /^(WEBHOOK_SECRET|COMMIT|NODE_EXTRA_CA_CERTS|TOKEN|OTHER|TASK|LIST|BINS|CALL|(TEST|FUZZ|SOAK|POWER|NEIGHBOUR|UNDO|RECURRENCE|UPKEEP|BENCH)_\w+)$/
  for (const [file, text] of pages) {
    for (const [, name = ''] of text.matchAll(/(?:^|[\s`(])([A-Z]{2,}_?[A-Z_]*)=/gm)) {
      if (/^(FREQ|BYDAY|INTERVAL)$/.test(name) || others.test(name)) continue
      expect([file, name, example.includes(`${name}=`)]).toEqual([file, name, true])
    }
  }
})

test('docs/frontends.md has an example of COMPAT that is one', () => {
  const [, COMPAT = ''] = /^COMPAT='(.*)'$/m.exec(textOf('docs/frontends.md')) ?? []

  expect(readConfig({ COMPAT }).compat).not.toBeNull()
})

test('docs/agents.md has every tool, and docs/signing-in.md every scope', async () => {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const alice = await signUp()
  const answer = await app.handle(
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: { ...headers, authorization: alice.authorization },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
    }),
  )
  const names = Array.from(
    (await answer.text()).matchAll(/"name":"(\w+)"/g),
    ([, name = '']) => name,
  )
  const [, section = ''] =
    /## What they can do(.*?)You can call/s.exec(textOf('docs/agents.md')) ?? []
  const told = rowsOf(section).flatMap(([cell = '']) =>
    Array.from((cell.split(';')[0] ?? '').matchAll(/`(\w+)`/g), ([, name = '']) => name),
  )

  expect(told.toSorted()).toEqual(names.toSorted())
  const scopes = Array.from(
    textOf('docs/signing-in.md').matchAll(/^\| `([\w:]+)` \|/gm),
    ([, scope = '']) => scope,
  )
  expect(scopes).toEqual([...grantable])
})

test('README.md counts the routes under /api', () => {
  const routes = app.routes.filter(
    ({ method, path, hooks }) =>
      path.startsWith('/api') &&
      !['ALL', 'OPTIONS'].includes(method) &&
      !hooks.detail?.['x-refused'],
  )
  const [, told] = /^\| \*\*(\d+)\*\* \| routes/m.exec(textOf('README.md')) ?? []

  expect(Number(told)).toBe(routes.length)
})

type Run = { connections: number; workload: string; rate: number }

const medianOf = (figures: number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN

const medianRate = (runs: Run[], workload: string, connections: number): number =>
  medianOf(
    runs
      .filter((one) => one.workload === workload && one.connections === connections)
      .map(({ rate }) => rate),
  )

/** What docs/speed.md calls them. */
const workloads: Record<string, string> = {
  'one task': 'get',
  'a page of 50': 'page',
  'a page, filtered': 'filtered',
  'a page, searched': 'searched',
  create: 'post',
  change: 'patch',
  complete: 'complete',
  '80 % reads, 20 % writes': 'mix',
}

test('README.md and docs/speed.md have the figures of the last run', async () => {
  const { runs } = (await Bun.file('tests/bench/results/results.json').json()) as {
    runs: { load: (Run & { peer: string })[] }
  }
  const median = (peer: string, workload: string, connections: number): number =>
    medianRate(
      runs.load.filter((one) => one.peer === peer),
      workload,
      connections,
    )
  const peers = ['docket', 'straight', 'mended', 'hono', 'fastify', 'fastapi', 'pgbench']
  const [first = ''] = textOf('docs/speed.md').split('## On the embedded database')
  for (const [name = '', ...cells] of rowsOf(first.replaceAll(' | |', ' |  |'))) {
    const workload = workloads[name.trim()]
    if (workload === undefined) continue
    for (const [index, cell] of cells.entries()) {
      const peer = peers[index] ?? ''
      const told = cell.replaceAll('*', '').trim()
      if (told === '') continue
      const rate = median(peer, workload, peer === 'pgbench' ? 10 : 64)
      const ratio = rate / median('straight', workload, 64)
      const digits = told.split('.')[1]?.length ?? 0
      expect([name, peer, told]).toEqual([name, peer, ratio.toFixed(digits)])
    }
  }
  const ratio = median('docket', 'get', 64) / median('straight', 'get', 64)
  expect(textOf('README.md')).toContain(`**${ratio.toFixed(1)}×**`)
})

test('docs/speed.md has the figures of the last run on the embedded database', async () => {
  const { runs } = (await Bun.file('tests/bench/results/embedded.json').json()) as {
    runs: {
      embedded: (Run & { server: string })[]
      rest: { server: string; began: number; memory: number }[]
    }
  }
  const rate = (server: string, workload: string, connections: number): number =>
    medianRate(
      runs.embedded.filter((one) => one.server === server),
      workload,
      connections,
    )
  const [, section = ''] =
    /## On the embedded database(.*?)\n## /s.exec(textOf('docs/speed.md')) ?? []
  const found = rowsOf(section).flatMap(([name = '', ...cells]) => {
    const workload = workloads[name.trim()]
    return workload === undefined ? [] : [[name.trim(), ...cells.map((cell) => cell.trim())]]
  })
  const digits = (ratio: number): string => ratio.toFixed(ratio < 10 ? 1 : 0)
  expect(found).toEqual(
    found.map(([name = '']) => [
      name,
      ...[64, 1].flatMap((connections) =>
        ['pocketbase', 'pocketbase full'].map((server) =>
          digits(
            rate('docket', workloads[name] ?? '', connections) /
              rate(server, workloads[name] ?? '', connections),
          ),
        ),
      ),
    ]),
  )
  expect(found).toHaveLength(7)
  const [names = [], asItComes = [], durable = []] = rowsOf(
    /^\| for one of \|.*?\n\n/ms.exec(textOf('README.md'))?.[0] ?? '',
  )
  expect([names.slice(1), asItComes.slice(1), durable.slice(1)]).toEqual([
    found.map(([name = '']) => name),
    found.map(([, normal = '']) => normal),
    found.map(([, , full = '']) => full),
  ])
  const atRest = (server: string, of: 'began' | 'memory'): number =>
    medianOf(runs.rest.filter((one) => one.server === server).map((one) => one[of]))
  const seconds = (server: string): string => (atRest(server, 'began') / 1000).toFixed(2)
  const megabytes = (server: string): string => atRest(server, 'memory').toFixed(0)
  expect(section.replaceAll(/\s+/g, ' ')).toContain(
    `takes ${seconds('docket')} s to the first answer, PocketBase ${seconds('pocketbase')} s; idle it takes ${megabytes('docket')} MB, PocketBase ${megabytes('pocketbase')} MB.`,
  )
})

test('what the pages name of the repository is there: files, scripts, commands', async () => {
  const { scripts } = await Bun.file('package.json').json()
  const help = await Bun.file('src/index.ts').text()
  for (const [file, text] of pages) {
    for (const [, path = ''] of text.matchAll(
      /(?<![\w/.-])((?:tests|src|sql|patches)\/[\w./-]*\w)/g,
    )) {
      if (path === 'sql/014_mood.sql' || path === 'src/client.d.ts') continue
      expect([file, path, existsSync(path)]).toEqual([file, path, true])
    }
    for (const [, name = ''] of text.matchAll(/\bbun run ([a-z]+)/g)) {
      expect([file, name, scripts[name] !== undefined]).toEqual([file, name, true])
    }
    const typed = blocksOf(text).filter(
      ({ language }) => language === 'sh' || language === 'console',
    )
    for (const { text: body } of typed) {
      for (const [, name = ''] of body.matchAll(/(?:^|\.\/)docket ([a-z]+) /gm)) {
        expect([file, name, help.includes(`docket ${name}`)]).toEqual([file, name, true])
      }
    }
  }
})

test('docs/frontends.md says what becomes of what FastAPI would have taken', async () => {
  const [, section = ''] =
    /## Coming from FastAPI(.*?)\n## /s.exec(textOf('docs/frontends.md')) ?? []
  const user = await signUp()
  const task = { title: 'Mine' }
  const sent = [
    { ...task, category: 'home' },
    '_t=1',
    { ...task, completed: 'true' },
    { title: ' ' },
    { ...task, id: 7 },
    { ...task, due_date: '2026-11-27T00:00:00Z' },
    { ...task, due_date: '' },
    { ...task, user_id: 'bob' },
  ]
  const pointers = await Promise.all(
    sent.map(async (what) => {
      const { status, body } =
        typeof what === 'string'
          ? await user.send('GET', `/api/tasks?${what}`)
          : await user.send('POST', '/api/tasks', what)
      return `${status} \`${body.errors[0].pointer}\``
    }),
  )
  const told = rowsOf(section)
    .map(([, , here = '']) => here)
    .filter((here) => here.startsWith('422 `'))

  expect(told).toEqual(pointers)
})

// On a server, a role is of all its databases.
test.skipIf(process.env['TEST_DATABASE_URL'] !== undefined)(
  'docs/signing-in.md has all that a role needs',
  async () => {
    const { sql, close } = await emptyDatabase()
    const [block] = blocksOf(textOf('docs/signing-in.md')).filter(
      ({ language }) => language === 'sql',
    )
    const tables = ['"user"', 'session', 'account', 'verification', 'jwks']
    for (const table of tables) await sql.unsafe(`create table public.${table} (id text)`)
    const [{ name = '' } = {}] = await sql`select current_database() as name`
    await sql.unsafe('create role docket; set search_path to public')
    await sql.unsafe((block?.text ?? '').replace('database app', `database ${name}`))

    await sql.unsafe('set role docket')
    await sql.unsafe('create schema docket')
    await sql.unsafe('create table docket.tasks (id text)')
    for (const table of tables) await sql.unsafe(`select * from public.${table}`)
    for (const table of tables.slice(0, 2)) await sql.unsafe(`delete from public.${table}`)
    await sql.unsafe(`
      create function docket.forget() returns trigger language plpgsql as 'begin return null; end';
      create trigger forget after delete on public."user" execute function docket.forget()`)
    await close()
  },
)
