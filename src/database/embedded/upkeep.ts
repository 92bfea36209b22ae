import type { Engine } from './engine.ts'
import type { Upkeep } from './messages.ts'
import { simpleQuery } from './protocol.ts'

const checkpoint = simpleQuery('checkpoint')
const vacuum = simpleQuery('vacuum (analyze)')

/**
 * What a server's background processes do, and PGlite has none of: checkpoints, which bound the log
 * and the time to recover, and vacuuming. Only after something was written: an idle database rests.
 */
export function createUpkeep(engine: Engine, { checkpointEvery, vacuumEvery }: Upkeep) {
  const unsaved = createChore(checkpointEvery)
  const untidy = createChore(vacuumEvery)
  let seen = engine.syncs()

  /** Call it when the session is idle. Does the chores whose time has come. */
  return async function upkeep() {
    // Every commit that wrote something syncs; so do the chores, which must not count as writes.
    if (engine.syncs() !== seen) {
      unsaved.needed = true
      untidy.needed = true
    }
    if (untidy.isDue()) {
      await engine.run(vacuum)
      untidy.done()
      unsaved.needed = true
    }
    if (unsaved.isDue()) {
      await engine.run(checkpoint)
      unsaved.done()
    }
    seen = engine.syncs()
  }
}

function createChore(every: number) {
  let last = performance.now()
  const chore = {
    needed: false,
    isDue: () => chore.needed && performance.now() - last >= every,
    done: () => {
      chore.needed = false
      last = performance.now()
    },
  }
  return chore
}
