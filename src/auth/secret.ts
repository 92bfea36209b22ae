import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Config, OperatorError } from '../config.ts'

/**
 * What tokens are signed with: BETTER_AUTH_SECRET, or the one made on the first start and kept in the data folder,
 * readable by its owner only.
 */
export function loadSecret({ secret, dataDir }: Config): string {
  if (secret !== null) return secret
  const path = join(dataDir, 'secret')
  if (existsSync(path)) return readSecret(path)
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    makeSecret(path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') {
      throw new OperatorError(
        `Cannot write to ${dataDir} (${String(codeOf(error))}): make it writable, or set DATA_DIR to another folder.`,
      )
    }
  }
  return readSecret(path)
}

function readSecret(path: string): string {
  let kept: string
  try {
    kept = readFileSync(path, 'utf8')
  } catch (error) {
    throw new OperatorError(
      `Cannot read ${path} (${String(codeOf(error))}): make it readable, or set BETTER_AUTH_SECRET.`,
    )
  }
  if (Buffer.byteLength(kept) >= 32) return kept
  throw new OperatorError(`${path} holds no secret of 32 bytes: remove it, and a new one is made.`)
}

/**
 * Under a name of its own first: of processes that start together one gives it the real name, and all read it whole. It is on the
 * disk by then: one that is empty after a loss of power would be refused.
 */
function makeSecret(path: string): void {
  const own = `${path}.${randomBytes(8).toString('hex')}`
  const file = openSync(own, 'wx', 0o600)
  try {
    writeFileSync(file, randomBytes(32).toString('base64url'))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(own, path)
  } finally {
    rmSync(own)
  }
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error
