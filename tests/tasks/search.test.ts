import { expect, test } from 'bun:test'
import { signUp, type TestUser } from '../support/app.ts'
import { titles } from '../support/tasks.ts'

/** The titles of the tasks that `q` finds, in alphabetical order. */
const search = (user: TestUser, q: string) => titles(user, `?sort=title&q=${encodeURIComponent(q)}`)

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
