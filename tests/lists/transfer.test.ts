import { expect, test } from 'bun:test'
import { raiseNumber } from '../../src/database/log/moving.ts'
import { numberIn } from '../../src/database/log/positions.ts'
import type { List } from '../../src/lists/schema.ts'
import { importLists } from '../../src/lists/transfer.ts'
import { importTasks, placeTasks } from '../../src/tasks/transfer.ts'
import { db, secret, signUp, sql } from '../support/app.ts'
import { serverEnvironment, temporaryFolder } from '../support/database.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { instant, linesOf, listOf, taskOf } from '../support/moving.ts'
import { docket } from '../support/process.ts'
import { lists, makeList } from './support.ts'

const embedded = () => ({ DATA_DIR: temporaryFolder() })
const other = () =>
  serverEnvironment() === null ? embedded() : { ...serverEnvironment(), BETTER_AUTH_SECRET: secret }

const importing = (env: Record<string, string>, ...lines: object[]) =>
  docket(['import'], { env, input: linesOf(lines) })
const exported = async (env: Record<string, string>, id: string, ...more: string[]) =>
  (await docket(['export', '--user', id, ...more], { env })).stdout

/** All that a user can have, a subtask before what it is under. */
function everything(user_id: string) {
  const home = listOf(user_id)
  const old = listOf(user_id, { archived_at: instant(2), color: null, position: 'R000000001' })
  const gone = listOf(user_id, { deleted_at: instant(3), position: 'i00000002aV' })
  const parent = taskOf(user_id, { list_id: home.id })
  const child = taskOf(user_id, { list_id: home.id, parent_id: parent.id })
  const below = taskOf(user_id, { list_id: home.id, parent_id: child.id })
  const trashed = taskOf(user_id, { list_id: gone.id, deleted_at: instant(3) })
  const under = taskOf(user_id, {
    list_id: gone.id,
    parent_id: trashed.id,
    deleted_at: instant(3),
  })
  const inbox = taskOf(user_id)
  return {
    lists: [home, old, gone],
    tasks: [below, child, parent, under, trashed, inbox],
    lines: [
      { user: { id: user_id, created_at: instant(1) } },
      ...[home, old, gone].map((list) => ({ list })),
      ...[below, child, parent, under, trashed, inbox].map((task) => ({ task })),
    ],
  }
}

test('lists and trees move there and back, and not a byte changes', async () => {
  const id = `${crypto.randomUUID()} ü`
  const { lines } = everything(id)
  let text = linesOf(lines)

  for (const env of [embedded(), other()]) {
    const imported = await docket(['import'], { env, input: text })
    expect(imported).toEqual({
      stdout:
        'Imported 3 of 3 lists. 0 were there already.\nImported 6 of 6 tasks. 0 were there already.\n',
      stderr: '',
      exitCode: 0,
    })
    const again = await docket(['import'], { env, input: text })
    expect(again.stdout).toBe(
      'Imported 0 of 3 lists. 3 were there already.\nImported 0 of 6 tasks. 6 were there already.\n',
    )
    expect(await exported(env, id, '--without-history')).toBe(text)
    text = await exported(env, id, '--without-history')
  }
}, 60_000)

test('what was done to a list comes along', async () => {
  const id = crypto.randomUUID()
  const list = listOf(id)
  const history = [
    { at: instant(1), by: null, request_id: null, action: 'created', before: null },
    {
      at: instant(3),
      by: { kind: 'jwt', name: 'Ann' },
      request_id: 'two',
      action: 'updated',
      before: { ...list, name: 'Before', version: 2 },
    },
  ]
  const env = embedded()

  await importing(env, { user: { id, created_at: instant(1) } }, { list, history })

  const [, line = ''] = (await exported(env, id)).split('\n')
  expect(JSON.parse(line).history).toMatchObject([
    ...history,
    { by: { kind: 'program', name: 'docket import' }, action: 'imported', before: list },
  ])
}, 60_000)

test('says on which line something is in what is not there', async () => {
  const id = crypto.randomUUID()
  const env = embedded()
  const nowhere = crypto.randomUUID()
  const [list, gone] = [listOf(id), listOf(id, { deleted_at: instant(3) })]
  const user = { user: { id, created_at: instant(1) } }

  for (const task of [taskOf(id, { list_id: nowhere }), taskOf(id, { list_id: gone.id })]) {
    const { stderr, exitCode } = await importing(env, user, { list: gone }, { task })
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('line 3: list_id is not the id of a list that is there'),
    ])
  }
  const orphan = taskOf(id, { parent_id: nowhere })
  const elsewhere = taskOf(id, { parent_id: orphan.id, list_id: list.id })
  const good = taskOf(id, { parent_id: orphan.id })
  const { stderr, exitCode } = await importing(
    env,
    { list },
    { task: orphan },
    { task: elsewhere },
    { task: good },
  )
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining('of line 2: parent_id')])
  const text = await exported(env, id, '--without-history')
  // All the others are where they were.
  expect(text).toContain(`{"task":${JSON.stringify(good)}}`)
  expect(text).toContain(`{"task":${JSON.stringify({ ...orphan, parent_id: null })}}`)
}, 60_000)

test.each([
  [{ position: 'V' }, 'position must be a position'],
  [{ position: 'i0000000010' }, 'position must be a position'],
  [{ color: 'red' }, 'color must be a color'],
  [{ version: 0 }, 'version must be at least 1'],
  [{ archived_at: '2026-02-31T00:00:00Z' }, 'archived_at must be an instant'],
  [{ icon: 'x' }, 'icon is not known here'],
])('says what is wrong with a list of %j', async (wrong, why) => {
  const { stderr } = await importing(embedded(), { list: { ...listOf('alice'), ...wrong } })
  expect(stderr).toContain(`line 1: ${why}`)
})

test('later versions of lists and trees come to where they are, also into the trash', async () => {
  const id = crypto.randomUUID()
  const env = embedded()
  const { lists: before, tasks, lines } = everything(id)
  await importing(env, ...lines)
  const [home, , gone] = before as [List, List, List]
  const later = { version: 9, updated_at: instant(9) }
  const trash = { ...later, deleted_at: instant(9) }
  const moved = tasks.map((task) =>
    task.list_id === home.id
      ? { ...task, ...trash }
      : task.list_id === gone.id
        ? { ...task, ...later, deleted_at: null }
        : task,
  )
  // So many that they go in several statements, what is above first.
  const between = Array.from({ length: 450 }, () => taskOf(id))
  const next = [
    { user: { id, created_at: instant(1) } },
    { list: before[1] },
    { list: { ...home, ...trash } },
    { list: { ...gone, ...later, deleted_at: null } },
    ...moved.slice(0, 2).map((task) => ({ task })),
    ...between.slice(0, 200).map((task) => ({ task })),
    { task: moved[2] },
    { task: moved[4] },
    ...between.slice(200).map((task) => ({ task })),
    { task: moved[3] },
  ]

  const { stderr } = await importing(env, ...next)

  expect(stderr).toBe('')
  const sorted = (text: string) => text.trim().split('\n').toSorted().join('\n')
  expect(sorted(await exported(env, id, '--without-history'))).toBe(
    sorted(linesOf([...next, { task: moved[5] }])),
  )
  // The other way round: what is above comes first to the trash, and what is under it moves.
  const back = moved.map((task) =>
    task.list_id === gone.id
      ? { ...task, version: 10, updated_at: instant(10), deleted_at: instant(10) }
      : task,
  )
  const again = await importing(
    env,
    { task: back[4] },
    ...between.slice(0, 250).map((task) => ({ task })),
    { task: back[3] },
  )
  expect(again.stderr).toBe('')
  expect(await exported(env, id, '--without-history')).toContain(JSON.stringify(back[3]))
}, 60_000)

test.each([
  ['i00000002a', 42],
  ['Rfffffffd5', 42],
  ['i00000002a0i00000002b00000002bV', 43],
  ['Rfffffffd5V00000000aV', 42],
  ['a0', 0],
  ['iffffffffff', 0],
])('the position %s is made of the number %d at most', (position, number) => {
  expect(numberIn(position)).toBe(number)
})

test('what is made after an import is beyond what came', async () => {
  const alice = await signUp()
  const list = listOf(alice.id, { position: 'i0000fffff' })
  await raiseNumber(db, alice.id, numberIn(list.position))
  await importLists(db, [{ list }], 'moved')
  await raiseNumber(db, alice.id, 5)

  const own = await makeList(alice)

  expect(own.position > list.position).toBe(true)
  expect((await lists(alice)).map(({ id }) => id)).toEqual([list.id, own.id])
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('an import of a list that is there with another content is a change of it', async () => {
  const alice = await signUp()
  const own = await makeList(alice)
  const later = { ...own, name: 'Later', color: '#AABBCC', version: 5, updated_at: instant(20) }

  expect(await importLists(db, [{ list: later }, { list: listOf(alice.id) }], 'moved')).toBe(2)
  expect(await importLists(db, [{ list: { ...later, version: 4 } }], 'moved')).toBe(0)

  expect(await lists(alice)).toContainEqual({ ...later, color: '#aabbcc' })
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
  const history = await alice.send('GET', `/api/lists/${own.id}/history`)
  expect(history.body[0]).toMatchObject({ action: 'imported', request_id: 'moved' })
})

test('a task that somebody has changed meanwhile stays where it is', async () => {
  const alice = await signUp()
  const parent = taskOf(alice.id)
  const child = taskOf(alice.id, { parent_id: parent.id })
  await importTasks(db, [{ task: child }, { task: parent }], 'moved')
  await alice.send('PATCH', `/api/tasks/${child.id}`, { title: 'Changed' })

  await placeTasks(db, [{ ...child, parent_id: parent.id }])

  expect((await alice.send('GET', `/api/tasks/${child.id}`)).body.parent_id).toBeNull()
})
