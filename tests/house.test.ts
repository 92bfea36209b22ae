import { expect, test } from 'bun:test'
import { dirname, join } from 'node:path'

/** The floor of each file or folder, as in the README: who is on one imports from lower ones only. */
const floors: [RegExp, number][] = [
  // They know of the server what a client of it may.
  [/^web\/pages\//, 9],
  [/^(config|auth\/scopes|database\/(settings|sqlstates))\.ts$|^[^/]+\.d\.ts$/, 0],
  [/^index\.ts$/, 8],
  [/^(serve|commands)\.ts$/, 7],
  [/^socket\.ts$/, 6],
  [/^errands\.ts$/, 5.8],
  [/^(transfer|import-file)\.ts$/, 5.5],
  [/^(app|client)\.ts$/, 5],
  [/^import-lines\.ts$/, 4.7],
  [/^import-places\.ts$/, 4.6],
  [/^import-(reading|refusals)\.ts$/, 4.5],
  [
    /^\w+\/routes\.ts$|^compat\/|^mcp\/(caller|fields|add-tasks|overview|tool|tools)\.ts$|^(import-store|export-lines|lines)\.ts$/,
    4,
  ],
  [
    /^(auth\/.*|(?!http|database|deliveries|reminders)\w+\/(queries|writes|streams|table|list-statements|known|pages?|operations|transfer|adoption|usage|usage-count|usage-queries|within-quota|within-lists|batch|bulk|tags|tag-queries|trees|tree-queries|series-queries|filter-statements|filter-queries|filters|of-list|of-list-queries|moves|calendar|undo|trash|sweep|importing|readers|outbox|kind|keys)\.ts)$/,
    3,
  ],
  [/^reminders\//, 1.7],
  [/^backups\.ts$/, 1.2],
  [/^deliveries\//, 1.5],
  [
    /^mcp\/(protocol|wire|lean|stdio)\.ts$|^imports\/(found|pace|room|files|csv|zones|todoist|todoist-dates|ticktick|ical)\.ts$|^\w+\/(schema|rules|sizes|kept|time-zones|series|within|reminders|recurrence(-\w+)?|filter(-(days|fields|meaning|tree))?)\.ts$/,
    2,
  ],
  [/^(http|database|web)\/|^(launch|healthcheck)\.ts$/, 1],
]

const floorOf = (path: string): number =>
  floors.find(([pattern]) => pattern.test(path))?.[1] ?? Number.NaN

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
    const sameFolder = dirname(target) === dirname(path) && dirname(path) !== '.'
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
  const shared = /^(http|database|deliveries|reminders|auth|compat|config\.ts|[^/]+$)/
  for (const path of files.filter((file) => !shared.test(file))) {
    for (const target of await importsOf(path)) {
      expect([path, shared.test(target) || target.startsWith(`${dirname(path)}/`)]).toEqual([
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
