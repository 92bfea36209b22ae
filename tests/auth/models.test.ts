import { expect, test } from 'bun:test'
import { issuerFault } from '../../src/auth/models.ts'
import { findAuthTables } from '../../src/database/auth-tables/find.ts'
import { schemaFiles } from '../../src/database/schema/files.ts'
import { applySchema } from '../../src/database/schema/ledger.ts'
import { emptyDatabase } from '../support/database.ts'

// On which tables the built-in issuer works; that it does, tests/frontends has.

test('says of names that Better Auth would read as two that it cannot ask for them', async () => {
  const { sql, close } = await emptyDatabase()
  await applySchema(sql, schemaFiles)
  const wanted = { schema: 'docket', searchPath: [], named: null, isIssuer: true }
  const faultOf = async () => issuerFault((await findAuthTables(sql, wanted)).tables)
  expect(await faultOf()).toBeNull()

  await sql.unsafe('alter table docket."session" rename to "app.sessions"')
  expect(await faultOf()).toContain('"app.sessions"')
  await sql.unsafe('alter table docket."app.sessions" rename to "sessions as they are"')
  expect(await faultOf()).toContain('"sessions as they are"')

  await close()
})
