import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { type Embedded, startEmbedded } from '../../../src/database/embedded/start.ts'

/** A folder that is removed when it goes out of scope. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'docket-embedded-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

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

export const failOnFailure = (error: Error) => {
  throw error
}

/** Starts the database of a folder, and stops it and its client when it goes out of scope. */
export async function open(folder: string, onFailure = failOnFailure) {
  const embedded = await startEmbedded(folder, onFailure)
  const sql = connect(embedded)
  return {
    embedded,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end()
      await embedded.stop()
    },
  }
}

/** Runs one of the programs next to this file in a process of its own. */
export function run(program: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, program), ...args], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** Looks again and again until `condition` holds. The test's timeout is the limit. */
export async function until(condition: () => boolean | Promise<boolean>) {
  while (!(await condition())) await Bun.sleep(1)
}
