import { expect, test } from 'bun:test'
import { Kysely, sql } from 'kysely'
import { dialectOf } from '../../src/auth/issuer-database.ts'
import { Unavailable } from '../../src/database/gate/faults.ts'
import type { Gate } from '../../src/database/gate/gate.ts'
import { db } from '../support/app.ts'

type Tables = { verification: { id: string; identifier: string; value: string; expiresAt: Date } }

/** A gate that counts what goes through it as a change and is not over. */
function counting() {
  let writing = 0
  const gate: Gate = {
    ...db,
    write: async (statement) => {
      writing += 1
      try {
        return await db.write(statement)
      } finally {
        writing -= 1
      }
    },
    for: () => gate,
  }
  return {
    tables: new Kysely<Tables>({ dialect: dialectOf(gate) }).withSchema('docket'),
    writing: () => writing,
  }
}

const row = () => ({
  id: crypto.randomUUID(),
  identifier: 'test',
  value: 'test',
  expiresAt: new Date(0),
})

test('begins a transaction with the first statement that changes something', async () => {
  const { tables, writing } = counting()
  const made = row()
  const find = (from: Kysely<Tables>) =>
    from.selectFrom('verification').select('id').where('id', '=', made.id).execute()

  await tables.transaction().execute(async (transaction) => {
    expect(await find(transaction)).toEqual([])
    // Here Better Auth hashes a password.
    expect(writing()).toBe(0)
    await transaction.insertInto('verification').values(made).execute()
    expect(writing()).toBe(1)
    expect(await find(transaction)).toEqual([{ id: made.id }])
  })

  expect(writing()).toBe(0)
  expect(await find(tables)).toEqual([{ id: made.id }])
})

test('takes back all that a transaction did that failed', async () => {
  const { tables, writing } = counting()
  const [first, second] = [row(), row()]

  const failed = tables.transaction().execute(async (transaction) => {
    await transaction.insertInto('verification').values(first).execute()
    await transaction.insertInto('verification').values(second).execute()
    await transaction.insertInto('verification').values(first).execute()
  })
  expect(await failed.catch((error: Error) => error.message)).toContain('duplicate key')

  expect(writing()).toBe(0)
  const left = await tables
    .selectFrom('verification')
    .select('id')
    .where('id', 'in', [first.id, second.id])
    .execute()
  expect(left).toEqual([])
})

const raise = (code: string) =>
  sql.raw(`do $$ begin raise exception using errcode = '${code}'; end $$`)

test.each(['25006', '40001', '53100', '55P03'])(
  'says of %s in a transaction that the database cannot do it now, and runs nothing again',
  async (code) => {
    const { tables } = counting()
    const made = row()
    const failed = tables.transaction().execute(async (transaction) => {
      await transaction.insertInto('verification').values(made).execute()
      await raise(code).execute(transaction)
    })

    const error = await failed.catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(Unavailable)
    expect(error).toMatchObject({ cause: { code } })
  },
)

test('does not take a transaction for made that was rolled back', async () => {
  const { tables } = counting()
  const made = row()
  const failed = tables.transaction().execute(async (transaction) => {
    await transaction.insertInto('verification').values(made).execute()
    await raise('40001')
      .execute(transaction)
      .catch(() => {})
  })

  expect(await failed.catch((thrown: unknown) => thrown)).toBeInstanceOf(Unavailable)
  expect(
    await tables.selectFrom('verification').select('id').where('id', '=', made.id).execute(),
  ).toEqual([])
})

test('ends a transaction that only read, or did nothing', async () => {
  const { tables, writing } = counting()

  await tables
    .transaction()
    .execute((transaction) =>
      transaction.selectFrom('verification').select('id').where('id', '=', 'x').execute(),
    )
  await tables.transaction().execute(async () => {})

  expect(writing()).toBe(0)
})
