import postgres from 'postgres'
import type { Embedded } from '../../../src/database/embedded/start.ts'

/** A postgres.js on the one connection of an embedded database. */
export function connect(embedded: Embedded) {
  const options = {
    socket: embedded.socket,
    user: 'postgres',
    database: 'postgres',
    max: 1,
    max_lifetime: null,
    fetch_types: false,
    onnotice() {},
  }
  return postgres(options)
}
