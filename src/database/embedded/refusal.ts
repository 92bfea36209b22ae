const notWritable = 'this user may not write there. Give it the folder'
const notFolder = 'a part of its path is a file. Move the file away'

const refusals: Record<string, string> = {
  SQLITE_BUSY: 'another Docket is using it. Stop it',
  SQLITE_READONLY: notWritable,
  SQLITE_CANTOPEN: notWritable,
  EACCES: notWritable,
  EPERM: notWritable,
  EROFS: notWritable,
  EEXIST: notFolder,
  ENOTDIR: notFolder,
  ENOSPC: 'the disk is full. Make room on it',
}

/** A folder that must not be opened. The message: `<state>. <What to do>`, without the last stop. */
export class Refusal extends Error {}

/** What went wrong with the folder, as one message for the operator. */
export function explain(folder: string, error: unknown): Error {
  const refusal = error instanceof Refusal ? error.message : refusals[codeOf(error)]
  const reason = refusal ? `${refusal}, or set DATA_DIR to another folder.` : messageOf(error)
  return new Error(`Cannot open the database in ${folder}: ${reason}`, { cause: error })
}

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error ? String(error.code) : ''

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))
