import { generateKeyPairSync } from 'node:crypto'
import type { Db } from '../database/gate/gate.ts'
import { findKeys, type Keys } from './queries.ts'
import { keepKeys } from './writes.ts'

/** What the server signs with, made when it is first asked for. All instances have the same. */
export function createKeys(): (db: Db) => Promise<Keys> {
  let known: Keys | undefined
  return async (db) => {
    known ??= (await findKeys(db)) ?? (await keepKeys(db, makeKeys())) ?? (await findKeys(db))
    if (known === undefined)
      throw new Error('Cannot keep the keys of Web Push: they are not there.')
    return known
  }
}

function makeKeys(): Keys {
  const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const { x = '', y = '', d = '' } = pair.privateKey.export({ format: 'jwk' })
  const point = [Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  return { public_key: Buffer.concat(point).toString('base64url'), private_key: d }
}
