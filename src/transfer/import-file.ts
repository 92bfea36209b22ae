import { type Config, OperatorError } from '../config.ts'
import { command } from '../database/log/moving.ts'
import { importPlan } from '../imports/importing.ts'
import { mostBytes, readPlan } from '../imports/readers.ts'
import type { SourceName } from '../imports/schema.ts'
import { findUser } from '../tasks/transfer.ts'
import { withDatabase } from './commands.ts'
import { importStore } from './import-store.ts'

/** The command does not count what a user has. */
const setAside = () => ({ settle: () => {} })

/** Imports a file of another program for a user, or only says what would become of it. */
export const importFile = (
  config: Config,
  userId: string,
  file: { from: SourceName; path: string },
  isDry: boolean,
): Promise<void> =>
  withDatabase(config, async (db) => {
    const bytes = await readFile(file.path)
    const zone = (await findUser(db, userId))?.time_zone ?? 'UTC'
    const name = file.path.replace(/^.*[/\\]/, '')
    const plan = await readPlan(file.from, { bytes, name }, userId, zone)
    if (typeof plan === 'string') throw new OperatorError(`Cannot import ${file.path}: it ${plan}.`)

    const author = { user_id: userId, actor: command, request_id: crypto.randomUUID() }
    const way = { isDry, zone, store: importStore, setAside }
    const done = await importPlan(() => db, author, plan, way)
    for (const { line, what } of done.warnings) {
      console.log(line === null ? what : `Line ${line}: ${what}`)
    }
    const more = done.warning_count - done.warnings.length
    if (more > 0) console.log(`And ${more} more like these.`)
    console.log(
      `${isDry ? 'Would import' : 'Imported'} ${done.tasks} tasks and ${done.lists} lists. ${done.skipped} tasks were there already.`,
    )
    if (!isDry && done.tasks + done.lists > 0) {
      console.log(`To undo it: POST /api/undo with {"request_id": "${done.request_id}"}.`)
    }
  })

async function readFile(path: string): Promise<Uint8Array> {
  const file = Bun.file(path)
  if (file.size > mostBytes) {
    throw new OperatorError(`Cannot import ${path}: it has more than ${mostBytes} bytes.`)
  }
  try {
    return await file.bytes()
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new OperatorError(`Cannot read ${path}: ${why}.`)
  }
}
