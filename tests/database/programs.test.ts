import { expect, test } from 'bun:test'
import accounts from '../../sql/003_accounts.sql' with { type: 'text' }
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/database/open.ts'
import { temporaryFolder } from '../support/database.ts'

// Programs are let in where the accounts are Docket's own: beside those of a frontend there are no tables for it.

const open = (folder: string, more: Record<string, string> = {}) =>
  openDatabase(readConfig({ DATA_DIR: folder, ...more }), {
    onFailure: (error) => {
      throw error
    },
  })

test('has tables for programs where the issuer has made its own', async () => {
  const folder = temporaryFolder()
  const off = await open(folder, { AUTH_ISSUER: 'off' })
  expect(off.accounts.hasPrograms).toBe(false)
  expect(off.applied).not.toContain('013_oauth')
  await off.close()

  const on = await open(folder)
  expect(on.accounts.hasPrograms).toBe(true)
  expect(on.applied).toContain('013_oauth')
  await on.close()

  const again = await open(folder)
  expect([again.accounts.hasPrograms, again.applied]).toEqual([true, []])
  await again.close()
})

test('has none beside the tables of a frontend', async () => {
  const folder = temporaryFolder()
  const first = await open(folder, { AUTH_ISSUER: 'off' })
  const theirs = accounts.replaceAll('docket.', 'public.')
  await first.db.write((sql) => sql.unsafe(theirs).simple())
  await first.close()

  const second = await open(folder)
  expect(second.accounts.tables?.user.schema).toBe('public')
  expect(second.accounts.hasPrograms).toBe(false)
  expect(second.applied).toEqual([])
  await second.close()
})
