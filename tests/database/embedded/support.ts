import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { connect } from './client.ts'

/** A folder that is removed when it goes out of scope. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'docket-embedded-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** For tests that start engines or processes, on a machine that may be busy with much else. */
export const patience = 30_000

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
