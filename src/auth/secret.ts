import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, OperatorError } from '../config.ts'

/**
 * What tokens are signed with: BETTER_AUTH_SECRET, or the one made on the first start and kept in the data folder,
 * readable by its owner only.
 */
export function loadSecret({ secret, dataDir }: Config): string {
  if (secret !== null) return secret
  const path = join(dataDir, 'secret')
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    // `wx`: of two processes that start together one makes it, and both read it.
    writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') {
      throw new OperatorError(
        `Cannot write to ${dataDir} (${String(codeOf(error))}): make it writable, or set DATA_DIR to another folder.`,
      )
    }
  }
  const kept = readFileSync(path, 'utf8')
  if (Buffer.byteLength(kept) < 32) {
    throw new OperatorError(
      `${path} holds no secret of 32 bytes: remove it, and a new one is made.`,
    )
  }
  return kept
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : error
