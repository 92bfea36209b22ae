import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Attack, attackNames } from './neighbour/attacks.ts'
import { fillEmbedded, startServers } from './neighbour/databases.ts'
import { type Figures, openScene, type Scene, type Stage } from './neighbour/scene.ts'
import { faultsOf, show } from './neighbour/verdict.ts'
import { hasPgBouncer } from './pgbouncer.ts'
import { hasPostgres } from './postgres.ts'
import { setting } from './support.ts'

// One against all: what a neighbour notices while one user, or a stranger, does his worst within the default limits.
// One attack on one database, for longer:
//   NEIGHBOUR_DATABASE=embedded NEIGHBOUR_ATTACK=searches NEIGHBOUR_SECONDS=20 bun test ./tests/harden/neighbour.ts
// Several are separated by commas.

const seconds = setting('NEIGHBOUR_SECONDS', 4)

const databases = ['postgres', 'pgbouncer', 'embedded'] as const
type Database = (typeof databases)[number]

/** One after the other, and then all at once. */
const rounds: [string, Attack[]][] = [
  ...attackNames.map((name): [string, Attack[]] => [name, [name]]),
  ['all', attackNames],
]

const isChosen = (variable: string, name: string): boolean =>
  process.env[variable]?.split(',').includes(name) ?? true

const has = { postgres: hasPostgres, pgbouncer: hasPostgres && hasPgBouncer, embedded: true }
const chosen = databases
  .filter((database) => isChosen('NEIGHBOUR_DATABASE', database))
  .filter((database) => has[database])

const [servers, embedded] = await Promise.all([
  chosen.some((database) => database !== 'embedded') ? startServers() : null,
  chosen.includes('embedded') ? fillEmbedded() : {},
])
afterAll(() => servers?.stop())
const stages: { [K in Database]?: Stage } = { ...servers?.stages, ...embedded }

describe.each(chosen)('beside an attacker, on %s, the neighbour notices nothing of', (database) => {
  let scene: Scene
  let before: Figures
  beforeAll(async () => {
    const stage = stages[database]
    if (stage === undefined) throw new Error(`There is no ${database}.`)
    scene = await openScene(stage)
    before = await scene.play([], 3)
    show(`${database}: nobody else`, before)
  }, 60_000)
  afterAll(() => scene.end())

  test.each(rounds.filter(([name]) => isChosen('NEIGHBOUR_ATTACK', name)))(
    '%s',
    async (name, together) => {
      // It ends by itself, when there is nothing left to ask.
      const most = name === 'shapes' ? 3 * seconds : seconds
      const play = async (): Promise<Figures> => {
        const found = await scene.play(together, most)
        show(`${database}: ${name}`, found)
        return found
      }
      const judged = async (): Promise<string[]> => faultsOf(await play(), before, name === 'all')
      let faults = await judged()
      // A machine that is busy with something else for a moment is no fault of the server.
      if (faults.length > 0) faults = await judged()
      // So that the next attack is judged by its own doing.
      if (faults.length > 0) await scene.startAgain()
      expect(faults).toEqual([])
    },
    60_000 + 6000 * seconds,
  )
})
