import { expect, test } from 'bun:test'
import { dirname, join } from 'node:path'

/** The floor of each file or folder, as in docs/inside.md: who is on one imports from lower ones only. */
const floors: [RegExp, number][] = [
  // They know of the server what a client of it may.
  [/^web\/pages\//, 9],
  [/^(config|auth\/scopes|database\/(settings|gate\/sqlstates))\.ts$|^[^/]+\.d\.ts$/, 0],
  [/^(index|build\/\w+)\.ts$/, 8],
  [/^serve\.ts$/, 7],
  [/^commands\//, 6],
  [/^transfer\/(transfer|import-file)\.ts$/, 5.5],
  [/^(app|client)\.ts$/, 5],
  [/^transfer\//, 4.5],
  [/^\w+\/routes\.ts$|^compat\/|^mcp\/(caller|fields|add-tasks|overview|tool|tools)\.ts$/, 4],
  [
    /^(auth\/.*|tasks\/(filter\/(condition|queries|resolve)|pages\/\w+|recurrence\/queries|trees\/\w+|usage\/[\w-]+)|(?!http|database|deliveries|reminders)\w+\/(queries|writes|streams|table|operations|transfer|adoption|within-lists|batch|bulk|tags|tag-queries|of-list|of-list-queries|moves|calendar|undo|trash|sweep|importing|readers|outbox|kind|keys)\.ts)/,
    3,
  ],
  [/^reminders\//, 1.7],
  [/^deliveries\//, 1.5],
  [
    /^mcp\/(protocol|wire|lean|stdio)\.ts$|^imports\/(found|pace|room|files|csv|zones|todoist|todoist-dates|ticktick|ical)\.ts$|^\w+\/(schema|rules|sizes|kept|time-zones|within|reminders)\.ts$|^tasks\/(filter|recurrence)\//,
    2,
  ],
  [/^database\/(connect|schema-name)\.ts$/, 0.3],
  [/^(http|database|web)\/[^/]+\.ts$|^web\/|^(launch|healthcheck)\.ts$/, 1],
  [/^database\/backup\//, 0.8],
  [/^database\/(auth-tables|embedded|log|schema)\//, 0.6],
  [/^database\/gate\//, 0.4],
  [/^database\/address\//, 0.2],
]

const floorOf = (path: string): number =>
  floors.find(([pattern]) => pattern.test(path))?.[1] ?? Number.NaN

/** Those of tasks are so many that they are in folders. */
const roomOf = (path: string): string => (path.startsWith('tasks/') ? 'tasks' : dirname(path))

const files = await Array.fromAsync(new Bun.Glob('**/*.ts').scan('src'))

async function importsOf(path: string): Promise<string[]> {
  const text = await Bun.file(join('src', path)).text()
  return Array.from(text.matchAll(/from '(\.[^']+\.ts)'/g), ([, target = '']) =>
    join(dirname(path), target),
  )
}

test.each(files)('src/%s imports from lower floors, or from its own folder', async (path) => {
  expect(floorOf(path)).not.toBeNaN()
  for (const target of await importsOf(path)) {
    const sameFolder = roomOf(target) === roomOf(path) && dirname(path) !== '.'
    const isLower = floorOf(target) < floorOf(path)
    const isBelow = floorOf(target) === floorOf(path) && target.startsWith(`${dirname(path)}/`)
    expect([target, isLower || sameFolder || isBelow || path === 'client.ts']).toEqual([
      target,
      true,
    ])
  }
})

test('no resource imports another', async () => {
  // The layer in front of them knows what they say.
  const shared =
    /^(build|commands|http|database|deliveries|reminders|auth|compat|transfer|config\.ts|[^/]+$)/
  for (const path of files.filter((file) => !shared.test(file))) {
    for (const target of await importsOf(path)) {
      expect([path, shared.test(target) || target.startsWith(`${roomOf(path)}/`)]).toEqual([
        path,
        true,
      ])
    }
  }
})

test('only config.ts reads the environment', async () => {
  for (const path of files) {
    const reads = /process\.env|Bun\.env|import\.meta\.env/.test(
      await Bun.file(join('src', path)).text(),
    )
    expect([path, reads]).toEqual([path, path === 'config.ts'])
  }
})

test('Better Auth is loaded by nobody but its own file, and that with the first request for it', async () => {
  const own = [
    'authorization-server',
    'better-auth',
    'issuer-database',
    'ownership',
    'providers',
  ].map((name) => `auth/${name}.ts`)
  for (const path of files.filter((file) => !own.includes(file))) {
    const text = await Bun.file(join('src', path)).text()
    const loads =
      /^(import|export) (?!type ).*from '(@?better-auth|kysely|\.\/(authorization-server|better-auth|issuer-database|providers))/m
    expect([path, loads.test(text)]).toEqual([path, false])
  }
})
