import { expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { list, titles } from '../support/tasks.ts'
import { agentOf, post, rpc, tokenOf, withAgent } from './support.ts'

const namesOf = (tools: { name: string }[]): string[] => tools.map(({ name }) => name)

const reading = ['list_tasks', 'get_task', 'get_overview', 'search', 'fetch']

/** A call of each tool about a task. */
const callsOn = (id: string, request_id: string): [string, object][] => [
  ['get_task', { task_id: id }],
  ['update_task', { task_id: id, title: 'Changed' }],
  ['complete_task', { task_id: id }],
  ['complete_task', { task_id: `${id},${crypto.randomUUID()}` }],
  ['delete_task', { task_id: id }],
  ['restore_task', { task_id: id }],
  ['add_task', { title: 'Under it', parent_id: id }],
  ['add_tasks', { tasks: [{ title: 'Under it', parent_id: id }] }],
  ['fetch', { id }],
  ['undo', { request_id }],
]

test('knows nothing of what belongs to another user', async () => {
  const [owner, stranger] = [await withAgent(), await withAgent()]
  await owner.user.send('POST', '/api/lists', { name: 'Secret list' })
  const made = await owner.agent.done('add_task', { title: 'Secret', tags: ['secret'] })
  const { task_id: id, request_id } = made
  const before = await list(owner.user)
  const absent = callsOn(crypto.randomUUID(), 'none')

  for (const [index, [name, args]] of callsOn(id, request_id).entries()) {
    const text = await stranger.agent.call(name, args)
    const other = await stranger.agent.call(name, absent[index]?.[1])
    expect(text).toBeString()
    // Of several ids the one is named that is not there.
    const plain = (said: string) => said.replaceAll(/[0-9a-f-]{36}/g, 'ID')
    expect(plain(text)).toBe(plain(other))
  }
  for (const [name, args] of [
    ['list_tasks', { status: 'all' }],
    ['list_tasks', { filter: 'secret' }],
    ['list_tasks', { list: 'Secret list' }],
    ['search', { query: 'secret' }],
    ['get_overview', {}],
  ] as const) {
    const said = JSON.stringify(await stranger.agent.call(name, args))
    expect(said).not.toMatch(/Secret list"|Secret"|secret"/)
  }
  expect(await stranger.agent.call('list_tasks', { user_id: owner.user.id })).toContain('another')
  expect(await list(owner.user)).toEqual(before)
  expect(await list(stranger.user)).toEqual([])
})

test('shows who may only read what reads, and does no more', async () => {
  const { user, agent } = await withAgent({ scopes: ['tasks:read'] })
  const { id } = await user.create({ title: 'A task' })

  const tools = await agent.tools()

  expect(namesOf(tools)).toEqual(reading)
  for (const { annotations } of tools) expect(annotations.readOnlyHint).toBe(true)
  expect(await agent.done('get_overview')).toMatchObject({ may: ['tasks:read'], pending: 1 })
  expect(await agent.done('get_task', { task_id: id })).toMatchObject({ title: 'A task' })
  for (const [name, args] of callsOn(id, 'test')) {
    if (reading.includes(name)) continue
    expect(await agent.call(name, args)).toBe(
      `This token has not the scope tasks:write, which ${name} needs.`,
    )
  }
  expect(await titles(user)).toEqual(['A task'])
})

test('shows who may write all tools, in the same order each time', async () => {
  const { agent } = await withAgent({ scopes: ['tasks:write'] })
  const tools = namesOf(await agent.tools())

  expect(tools).toEqual([
    'add_task',
    'add_tasks',
    'list_tasks',
    'get_task',
    'update_task',
    'complete_task',
    'delete_task',
    'restore_task',
    'get_overview',
    'search',
    'fetch',
    'undo',
  ])
  expect(namesOf(await agent.tools())).toEqual(tools)
})

test('is there for a token with a slash at the end too', async () => {
  for (const rights of [{ scopes: ['tasks:read'] }, { scopes: ['tasks:write'] }]) {
    const { authorization } = await withAgent(rights)
    const { status } = await post(rpc('ping'), { authorization }, { path: '/mcp/' })
    expect(status).toBe(200)
  }
})

test('is not for a token that is not for tasks', async () => {
  const user = await signUp()
  const authorization = `Bearer ${await tokenOf(user, { scopes: ['account'] })}`

  const answer = await post(rpc('tools/list'), { authorization })

  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope'])
  expect(answer.headers.get('www-authenticate')).toContain('scope="tasks:read"')
})

test('keeps a token for some lists to these', async () => {
  const user = await signUp()
  const [home, work] = await Promise.all(
    ['Home', 'Work'].map(async (name) => (await user.send('POST', '/api/lists', { name })).body),
  )
  const mine = await user.create({ title: 'Secret at home', list_id: home.id, tags: ['private'] })
  const own = await user.create({ title: 'At work', list_id: work.id })
  await user.create({ title: 'Secret in the inbox' })
  const rights = { scopes: ['tasks:write'], list_ids: [work.id] }
  const agent = agentOf(`Bearer ${await tokenOf(user, rights)}`)
  const before = await list(user, `?list=${home.id}`)

  expect(namesOf(await agent.tools())).not.toContain('undo')
  const overview = await agent.done('get_overview')
  expect(overview).toMatchObject({
    only_some_lists: true,
    pending: 1,
    without_due_date: 1,
    lists: [{ name: 'Work', pending: 1 }],
    tags: {},
  })
  for (const [name, args] of [
    ['list_tasks', { status: 'all' }],
    ['search', { query: 'secret' }],
    ['list_tasks', { filter: 'list:Home' }],
    ['list_tasks', { list: 'Home' }],
    ['list_tasks', { list: home.id }],
  ] as const) {
    expect(JSON.stringify(await agent.call(name, args))).not.toContain('Secret')
  }
  for (const [name, args] of callsOn(mine.id, 'test')) {
    expect([name, typeof (await agent.call(name, args))]).toEqual([name, 'string'])
  }
  expect(await agent.call('add_task', { title: 'x', list: 'Home' })).toContain('There are Work.')
  expect(await agent.call('update_task', { task_id: own.id, list: 'inbox' })).toBeString()
  expect(await agent.call('undo', { request_id: 'test' })).toBe(
    'This token is for some lists only, and cannot call undo.',
  )
  const made = await agent.done('add_task', { title: 'More work', list: 'work' })
  await agent.done('complete_task', { task_id: `${made.task_id},${own.id}` })
  expect(await list(user, `?list=${home.id}`)).toEqual(before)
  expect(await titles(user, `?list=${work.id}&status=completed`)).toHaveLength(2)
})

test('puts new tasks where a token may: into its only list, or into one that is named', async () => {
  const user = await signUp()
  const ids: string[] = []
  for (const name of ['Home', 'Work', 'Other']) {
    ids.push((await user.send('POST', '/api/lists', { name })).body.id)
  }
  const agentFor = async (list_ids: string[]) =>
    agentOf(`Bearer ${await tokenOf(user, { scopes: ['tasks:write'], list_ids })}`)
  const [one, two] = [await agentFor(ids.slice(0, 1)), await agentFor(ids.slice(0, 2))]

  expect(await one.done('add_task', { title: 'a' })).toMatchObject({ list: 'Home' })
  const { tasks } = await one.done('add_tasks', { tasks: [{ title: 'b' }] })
  expect(tasks).toMatchObject([{ list: 'Home' }])
  const under = { title: 'c', parent_id: tasks[0].task_id }
  expect(await two.done('add_task', under)).toMatchObject({ list: 'Home' })
  expect(await two.call('add_task', { title: 'd' })).toBe(
    'list is needed, for this token is for some lists only. There are Home, Work.',
  )
  expect(await two.done('add_task', { title: 'd', list: 'Work' })).toMatchObject({ list: 'Work' })
})

test('ends with the token', async () => {
  const { user, agent, authorization } = await withAgent({ scopes: ['tasks:write'] })
  await agent.done('get_overview')
  const [{ id }] = (await user.send('GET', '/api/me/tokens')).body
  await user.send('DELETE', `/api/me/tokens/${id}`)

  expect((await post(rpc('tools/list'), { authorization })).status).toBe(401)
})
