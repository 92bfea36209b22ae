import { expect, test } from 'bun:test'
import { signUp, type TestUser } from '../support/app.ts'
import { nextOf, titles } from '../support/tasks.ts'

/** The titles of the tasks that `q` finds, in alphabetical order: the same in whatever order a page is. */
async function search(user: TestUser, q: string): Promise<string[]> {
  const found = await titles(user, `?sort=title&q=${encodeURIComponent(q)}`)
  const newest = await titles(user, `?q=${encodeURIComponent(q)}`)
  expect(newest.toSorted()).toEqual(found.toSorted())
  return found
}

async function signUpWithTasks(): Promise<TestUser> {
  const user = await signUp()
  await user.create({
    title: 'Apples',
    description: 'Six of the red ones',
    tags: ['market', 'fruit'],
  })
  await user.create({ title: 'Bread', description: 'Without seeds', tags: ['bakery'] })
  await user.create({ title: 'Cheese' })
  return user
}

test.each([
  ['in the title', 'Bread', ['Bread']],
  ['in the description', 'seeds', ['Bread']],
  ['in a tag', 'market', ['Apples']],
  ['in any of them', 'e', ['Apples', 'Bread', 'Cheese']],
  ['at the beginning of a word', 'App', ['Apples']],
  ['in the middle of a word', 'pple', ['Apples']],
  ['at the end of a word', 'eese', ['Cheese']],
  ['in another case', 'bREAD', ['Bread']],
  ['nowhere', 'wine', []],
])('finds a word %s', async (_where, q, expected) => {
  const alice = await signUpWithTasks()

  expect(await search(alice, q)).toEqual(expected)
})

test.each([
  ['in one field', 'red six', ['Apples']],
  ['in several fields', 'apples red fruit', ['Apples']],
  ['between spaces of any kind', '  apples\t\n\u00A0red\u3000 ', ['Apples']],
  ['and not only some of them', 'apples seeds', []],
  ['and the same one twice', 'bread bread', ['Bread']],
])('finds several words %s', async (_where, q, expected) => {
  const alice = await signUpWithTasks()

  expect(await search(alice, q)).toEqual(expected)
})

test.each(['', ' ', '\t\n \u3000'])('does not filter by the blank text %j', async (q) => {
  const alice = await signUpWithTasks()

  expect(await search(alice, q)).toEqual(['Apples', 'Bread', 'Cheese'])
})

test.each(['ApplesSix', 'onesmarket', 'marketfruit', 'market,fruit', 'Breadbakery', 'Cheesenull'])(
  'finds no word across two fields: %s',
  async (q) => {
    const alice = await signUpWithTasks()

    expect(await search(alice, q)).toEqual([])
  },
)

test.each([
  ['École', 'école'],
  ['école', 'ÉCOLE'],
  ['Купить МОЛОКО', 'молоко'],
  ['купить молоко', 'Молоко'],
  ['Ωμέγα', 'ωμέγα'],
  ['GRÖSSE', 'grösse'],
])('finds %s by %s', async (title, q) => {
  const alice = await signUp()
  await alice.create({ title })
  await alice.create({ title: 'Something else' })

  expect(await search(alice, q)).toEqual([title])
})

test.each([
  ['100% sure', '%'],
  ['snake_case', '_'],
  ['C:\\temp', '\\'],
  ['C:\\temp', '\\temp'],
  ['50%_off', '%_'],
  ['\\%', '\\%'],
  ["it's", "'"],
  ['say "hi"', '"hi"'],
  ['a*b', '*'],
  ['a.b', 'a.b'],
  ['🏳️‍🌈 parade', '🏳️‍🌈'],
])('takes every character as itself: %s by %s', async (title, q) => {
  const alice = await signUp()
  await alice.create({ title })
  await alice.create({ title: 'azb 100 snake case, something else' })

  expect(await search(alice, q)).toEqual([title])
})

test('finds words in a long task as in a short one, also after it has become the other', async () => {
  const alice = await signUp()
  const filler = 'é'.repeat(250)
  const short = await alice.create({ title: 'Short', description: 'a needle' })
  const long = await alice.create({ title: 'Long', description: `${filler} a needle ${filler}` })
  await alice.create({ title: 'Neither', description: filler.repeat(40) })

  expect(await search(alice, 'needle A')).toEqual(['Long', 'Short'])
  expect(await search(alice, 'ÉEÉ needle')).toEqual(['Long'])
  await alice.send('PATCH', `/api/tasks/${short.id}`, { description: `${filler} a pin ${filler}` })
  await alice.send('PATCH', `/api/tasks/${long.id}`, { description: 'a pin' })
  expect(await search(alice, 'pin')).toEqual(['Long', 'Short'])
  expect(await search(alice, 'needle')).toEqual([])
})

test('finds what the other filters let through, a page at a time', async () => {
  const alice = await signUp()
  for (const priority of ['high', 'low', 'high', 'low', 'high']) {
    await alice.create({ title: `A ${priority} needle`, priority, tags: ['sewing'] })
  }
  const path = '/api/tasks?q=needle&priority=high&tag=sewing&status=pending&limit=2'

  const first = await alice.send('GET', path)
  const next = nextOf(first) ?? ''
  const second = await alice.send('GET', next)

  expect(first.body).toHaveLength(2)
  expect(second.body).toHaveLength(1)
  expect(second.headers.get('link')).toBeNull()
})

test.each(['in the trash', 'of somebody else'])('finds no task %s', async (where) => {
  const [alice, bob] = [await signUp(), await signUp()]
  const owner = where === 'in the trash' ? alice : bob
  const { id } = await owner.create({ title: 'Needle', description: 'Needle', tags: ['Needle'] })
  if (owner === alice) await alice.send('DELETE', `/api/tasks/${id}`)

  expect(await search(alice, 'needle')).toEqual([])
})

test('takes 200 characters and refuses 201', async () => {
  const alice = await signUp()
  const title = 'x'.repeat(200)
  await alice.create({ title })

  const tooLong = await alice.send('GET', `/api/tasks?q=${title}x`)

  expect(await search(alice, title)).toEqual([title])
  expect(tooLong.status).toBe(422)
})
