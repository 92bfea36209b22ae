import { expect, test } from 'bun:test'
import { signUp, sql, type TestUser } from '../support/app.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { expectInvalid } from '../support/tasks.ts'
import { lists, makeList, names } from './support.ts'

async function withLists(...all: string[]) {
  const alice = await signUp()
  const ids: Record<string, string> = {}
  for (const name of all) ids[name] = (await makeList(alice, { name })).id
  const move = (name: string, to: { before?: string; after?: string }, headers = {}) =>
    alice.send(
      'POST',
      `/api/lists/${ids[name]}/move`,
      Object.fromEntries(Object.entries(to).map(([side, one]) => [side, ids[one] ?? one])),
      headers,
    )
  return { alice, ids, move }
}

test('before or after another one, or to the end', async () => {
  const { alice, move } = await withLists('A', 'B', 'C', 'D')
  const order = async () => (await names(alice)).join('')

  const { body } = await move('D', { before: 'B' })
  expect(body).toMatchObject({ name: 'D', version: 2 })
  expect(await order()).toBe('ADBC')
  await move('C', { before: 'A' })
  expect(await order()).toBe('CADB')
  await move('C', { after: 'B' })
  expect(await order()).toBe('ADBC')
  await move('A', { after: 'D' })
  expect(await order()).toBe('DABC')
  await move('D', {})
  expect(await order()).toBe('ABCD')
  await makeList(alice, { name: 'E' })
  expect(await order()).toBe('ABCDE')

  const log = await readLog(sql, [alice.id])
  expect(faultsOf(log)).toEqual([])
  expect(log.changes.map(({ action }) => action)).toEqual([
    ...Array(4).fill('created'),
    ...Array(5).fill('moved'),
    'created',
  ])
})

test('refuse what is no place', async () => {
  const { alice, ids, move } = await withLists('A', 'B')

  expectInvalid(await move('A', { before: 'B', after: 'B' }), '/after')
  expectInvalid(await move('A', { before: 'A' }), '/before')
  expectInvalid(await move('A', { after: ids['A']?.toUpperCase() ?? '' }), '/after')
  expectInvalid(await move('A', { before: 'no-uuid' }), '/before')
  expect((await move('A', { before: 'B' }, { 'if-match': '"2"' })).status).toBe(412)
  await alice.send('DELETE', `/api/lists/${ids['B']}`)
  expect((await move('A', { before: 'B' })).status).toBe(404)
  expect((await move('B', { before: 'A' })).status).toBe(404)
})

test('sent again with its key it is once, though the other one is gone by then', async () => {
  const { alice, ids, move } = await withLists('A', 'B', 'C')
  const key = { 'idempotency-key': 'a key' }
  const first = await move('C', { before: 'B' }, key)
  await alice.send('DELETE', `/api/lists/${ids['B']}`)

  const again = await move('C', { before: 'B' }, key)

  expect([again.status, again.text]).toEqual([200, first.text])
})

test('many at one place at once are all there, each with a position of its own', async () => {
  const all = Array.from({ length: 12 }, (_, index) => `L${index}`)
  const { alice, move } = await withLists('A', 'B', ...all)

  await Promise.all(all.map((name) => move(name, { after: 'A' })))

  const found = await lists(alice)
  expect(new Set(found.map(({ position }) => position)).size).toBe(14)
  expect(found[0]?.name).toBe('A')
  expect(found.at(-1)?.name).toBe('B')
  expect(found.map(({ name }) => name).toSorted()).toEqual(['A', 'B', ...all].toSorted())
})

/** Two lists, and a place between them that is used again and again. */
async function squeezed(user: TestUser): Promise<{ most: number; order: string[] }> {
  const order = ['A', 'B', 'C', 'D']
  const ids: Record<string, string> = {}
  for (const name of order) ids[name] = (await makeList(user, { name })).id
  let most = 0
  for (let n = 0; n < 40; n += 1) {
    const [, own = '', other = ''] = order
    const { body } = await user.send('POST', `/api/lists/${ids[other]}/move`, { before: ids[own] })
    order.splice(1, 2, other, own)
    most = Math.max(most, body.position.length)
    expect(await names(user)).toEqual(order)
  }
  return { most, order }
}

test('positions do not grow without end', async () => {
  const alice = await signUp()

  const { most } = await squeezed(alice)

  expect(most).toBeLessThanOrEqual(50)
  const found = await lists(alice)
  expect(found.map(({ position }) => position).toSorted()).toEqual(
    found.map(({ position }) => position),
  )
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('beside one of two that have one position', async () => {
  const { alice, ids, move } = await withLists('A', 'B', 'C')
  const [a = '', b = ''] = [ids['A'] ?? '', ids['B'] ?? ''].toSorted((x, y) => (x < y ? -1 : 1))
  await sql`update docket.lists set position = 'i000000001' where user_id = ${alice.id} and id in (${a}, ${b})`

  await move('C', { before: Object.keys(ids).find((name) => ids[name] === a) ?? '' })

  expect((await lists(alice)).map(({ id }) => id)).toEqual([ids['C'] ?? '', a, b])
})
