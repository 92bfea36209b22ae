import { expect, test } from 'bun:test'
import { untilMade } from '../../../src/database/log/holding.ts'
import { withSchema } from '../../../src/database/schema-name.ts'
import { db, signUp, sql } from '../../support/app.ts'

test('attempts thrice, and once more while the user is held', async () => {
  const alice = await signUp()
  await alice.create()
  let attempts = 0

  const made = await untilMade(db, alice.id, async (to) => {
    attempts += 1
    if (attempts < 4) return undefined
    const [row] = await to.write(
      (inside) => inside<{ xmax: string; seq: string }[]>`
      update docket.users set seq = seq + 1 where id = ${alice.id}
      returning xmax::text, seq::text`,
    )
    return row
  })

  expect([attempts, made?.seq]).toEqual([4, '2'])
})

test('gives up where even that is not made', async () => {
  const alice = await signUp()
  let attempts = 0
  const nothing = async () => {
    attempts += 1
  }

  expect(await untilMade(db, alice.id, nothing)).toBeUndefined()
  expect(attempts).toBe(4)
})

test('says what is thrown, whoever throws it', async () => {
  const alice = await signUp()
  const fault = new Error('not so')
  let attempts = 0

  const made = untilMade(db, alice.id, async () => {
    attempts += 1
    if (attempts === 4) throw fault
    return undefined
  })

  expect(await made.catch((error: unknown) => error)).toBe(fault)
  expect((await alice.create()).title).toBe('A task')
})

test('a transaction is for the same schema as its pool', async () => {
  const find = (pool: typeof sql) =>
    pool.begin((transaction) => transaction`select to_regclass('docket.users')::text as found`)

  const [[here], [nowhere]] = [await find(sql), await find(withSchema(sql, 'nowhere'))]

  expect([here?.['found'], nowhere?.['found']]).toEqual(['docket.users', null])
})
