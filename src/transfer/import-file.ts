import { OperatorError } from '../config.ts'
import type { Gate } from '../database/gate/gate.ts'
import { command } from '../database/log/moving.ts'
import { importPlan } from '../imports/importing.ts'
import { mostBytes, readPlan } from '../imports/readers.ts'
import type { SourceName } from '../imports/schema.ts'
import { findUser } from '../tasks/transfer.ts'
import { importStore } from './import-store.ts'

/** The command does not count what a user has. */
const setAside = () => ({ settle: () => {} })

/**
 * Imports a file of another program for a user, or only says what would become of it.
 * @returns that, in lines
 * @throws OperatorError
 */
export async function importFile(
  gate: Gate,
  userId: string,
  file: { from: SourceName; path: string; bytes: Uint8Array },
  isDry: boolean,
): Promise<string[]> {
  const db = gate.for(null, userId)
  const zone = (await findUser(db, userId))?.time_zone ?? 'UTC'
  const { from, path, bytes } = file
  const name = path.replace(/^.*[/\\]/, '')
  const plan = await readPlan(from, { bytes, name }, userId, zone)
  if (typeof plan === 'string') throw new OperatorError(`Cannot import ${path}: it ${plan}.`)

  const author = { user_id: userId, actor: command, request_id: crypto.randomUUID() }
  const way = { isDry, zone, store: importStore, setAside }
  const done = await importPlan(() => gate.for(null, userId), author, plan, way)
  const more = done.warning_count - done.warnings.length
  return [
    ...done.warnings.map(({ line, what }) => (line === null ? what : `Line ${line}: ${what}`)),
    ...(more > 0 ? [`And ${more} more like these.`] : []),
    `${isDry ? 'Would import' : 'Imported'} ${done.tasks} tasks and ${done.lists} lists. ${done.skipped} tasks were there already.`,
    ...(!isDry && done.tasks + done.lists > 0
      ? [`To undo it: POST /api/undo with {"request_id": "${done.request_id}"}.`]
      : []),
  ]
}

/** @throws OperatorError */
export async function readImport(path: string): Promise<Uint8Array> {
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
