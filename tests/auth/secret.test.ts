import { expect, test } from 'bun:test'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadSecret } from '../../src/auth/secret.ts'
import { readConfig } from '../../src/config.ts'
import { temporaryFolder } from '../support/database.ts'

const configFor = (dataDir: string) => readConfig({ DATA_DIR: dataDir })

test('makes a secret on the first start, for its owner only, and keeps it', () => {
  const dataDir = join(temporaryFolder(), 'new')

  const secret = loadSecret(configFor(dataDir))

  expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(32)
  expect(readFileSync(join(dataDir, 'secret'), 'utf8')).toBe(secret)
  expect(statSync(join(dataDir, 'secret')).mode & 0o777).toBe(0o600)
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  expect(loadSecret(configFor(dataDir))).toBe(secret)
})

test('makes another one in another folder', () => {
  expect(loadSecret(configFor(temporaryFolder()))).not.toBe(
    loadSecret(configFor(temporaryFolder())),
  )
})

test('prefers the one of the configuration, and writes nothing', () => {
  const dataDir = join(temporaryFolder(), 'new')
  const secret = 'a-secret-of-thirty-two-bytes-or-more'

  expect(loadSecret({ ...configFor(dataDir), secret })).toBe(secret)
  expect(() => statSync(dataDir)).toThrow()
})

test('refuses a file that was cut short', () => {
  const dataDir = temporaryFolder()
  writeFileSync(join(dataDir, 'secret'), 'short')

  expect(() => loadSecret(configFor(dataDir))).toThrow('holds no secret')
})

test('says so when the folder cannot be made', () => {
  const file = join(temporaryFolder(), 'file')
  writeFileSync(file, '')

  expect(() => loadSecret(configFor(join(file, 'data')))).toThrow('Cannot write to')
})

test('says so when the file cannot be read', () => {
  const dataDir = temporaryFolder()
  mkdirSync(join(dataDir, 'secret'))

  expect(() => loadSecret(configFor(dataDir))).toThrow('Cannot read')
})
