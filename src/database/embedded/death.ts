// The underscores are Emscripten's.
// oxlint-disable no-underscore-dangle
import type { PGlite } from '@electric-sql/pglite'

// The status with which PostgreSQL's C code leaves its main loop after an ordinary error.
const ordinaryError = 100

/**
 * Makes the death of the engine (a PANIC, a FATAL, a trap in the WebAssembly) an exception.
 * PGlite's loop over the messages swallows every one of them and would go on with a dead engine:
 * it would answer "ready" to a commit that never reached the disk, or spin for ever.
 */
export function throwOnDeath(database: PGlite) {
  const module = database.Module
  const mainLoopOnce = module._PostgresMainLoopOnce
  let death: unknown

  module._PostgresMainLoopOnce = () => {
    if (death !== undefined) throw death
    try {
      mainLoopOnce()
    } catch (error) {
      if (statusOf(error) !== ordinaryError) die(error)
      throw error
    }
  }

  function die(error: unknown) {
    death = error
    // The first thing that PGlite's loop does with a caught exception: the way out of it.
    module.stackRestore = () => {
      throw death
    }
  }
}

const statusOf = (error: unknown) =>
  typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
