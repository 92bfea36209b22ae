import { OperatorError } from '../config.ts'
import type { Backup } from '../database/backup/backup.ts'
import type { Gate } from '../database/gate/gate.ts'
import type { SourceName } from '../imports/schema.ts'
import { importFile } from '../transfer/import-file.ts'
import { exportUser, importUsers } from '../transfer/transfer.ts'

/** What a command wants of the database, done by whoever has it open: the command itself, or a server that runs. */
export type Errand =
  | { name: 'backup' }
  | { name: 'export'; user: string; hasHistory: boolean }
  | { name: 'import' }
  | { name: 'import-file'; user: string; from: SourceName; path: string; isDry: boolean }

export type Means = {
  db: Gate
  backup: Backup | null
  /** Is told for whom something was written without their own part of a statement. */
  onWrite: (users: ReadonlySet<string>) => void
}

type Input = ReadableStream<Uint8Array>

/**
 * Gives what the command writes, piece by piece. What is refused as a whole is refused before the first.
 * @param input what the command has to give
 * @throws OperatorError
 */
export async function* run(
  { db, backup, onWrite }: Means,
  errand: Errand,
  input: Input,
): AsyncGenerator<Uint8Array | string> {
  switch (errand.name) {
    case 'backup':
      if (backup === null) throw new OperatorError(noBackup)
      return yield* backup()
    case 'export':
      return yield* exportUser(db, errand.user, errand.hasHistory)
    case 'import':
      return yield linesOf(await importUsers(db, input, onWrite))
    case 'import-file': {
      const { user, from, path, isDry } = errand
      const bytes = await new Response(input).bytes()
      return yield linesOf(await importFile(db, user, { from, path, bytes }, isDry))
    }
    default:
      throw new OperatorError('The Docket that runs cannot do that: it is of another version.')
  }
}

export const noBackup =
  'docket backup is for the embedded database: of the one of DATABASE_URL make backups with pg_dump, or have its provider make them.'

const linesOf = (lines: string[]): string => lines.map((line) => `${line}\n`).join('')
