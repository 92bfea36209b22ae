import { createHash } from 'node:crypto'

/** What nobody can guess: 32 random bytes, in 43 characters. */
export const newSecret = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')

/** What is kept of a secret of ours: there is nothing to gain by many tries, so it needs no slow hash. */
export const digestOf = (secret: string): string =>
  createHash('sha256').update(secret).digest('hex')
