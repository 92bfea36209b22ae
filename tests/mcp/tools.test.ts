import { expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { overloaded } from '../../src/http/problem.ts'
import type { Task } from '../../src/tasks/schema.ts'
import { createTestApp, db, signUp } from '../support/app.ts'
import { list, titles } from '../support/tasks.ts'
import { agentOf, post, rpc, withAgent } from './support.ts'

test('adds a task as it is said, and says what it has become', async () => {
  const { user, agent } = await withAgent()
  const { body: home } = await user.send('POST', '/api/lists', { name: 'Home & Garden' })

  const made = await agent.done('add_task', {
    user_id: user.id,
    title: 'Water the plants',
    description: 'The ferns first.',
    priority: 'HIGH',
    tags: ['home', 'garden'],
    due_date: '2026-12-01',
    due_time: '18:30',
    time_zone: 'Europe/Berlin',
    list: 'home & garden',
    recurrence: 'weekly',
    reminders: ['-PT30M'],
  })

  const [task] = await list(user)
  expect(task).toMatchObject({
    title: 'Water the plants',
    description: 'The ferns first.',
    priority: 'high',
    tags: ['home', 'garden'],
    due_date: '2026-12-01',
    due_time: '18:30:00',
    time_zone: 'Europe/Berlin',
    list_id: home.id,
    recurrence: expect.stringContaining('FREQ=WEEKLY'),
    reminders: ['-PT30M'],
  })
  expect(made).toEqual({
    task_id: task?.id,
    status: 'created',
    title: 'Water the plants',
    due_date: '2026-12-01',
    due_time: '18:30',
    time_zone: 'Europe/Berlin',
    priority: 'high',
    tags: ['home', 'garden'],
    list: 'Home & Garden',
    recurrence: task?.recurrence,
    request_id: expect.any(String),
  })
})

test('adds a task of which there is only a title, and leaves out what is empty', async () => {
  const { user, agent } = await withAgent()

  const made = await agent.done('add_task', {
    title: 'Alone',
    description: '',
    priority: null,
    tags: '',
    due_date: 'null',
    list: '',
    parent_id: '',
  })

  expect(made).toEqual({
    task_id: expect.any(String),
    status: 'created',
    title: 'Alone',
    request_id: expect.any(String),
  })
  expect(await list(user)).toMatchObject([{ description: null, priority: 'none', tags: [] }])
})

test('understands what came as text', async () => {
  const { user, agent } = await withAgent()
  for (const title of ['a', 'b', 'c']) await user.create({ title })

  expect((await agent.done('list_tasks', { limit: '2' })).tasks).toHaveLength(2)
  await agent.done('add_task', { title: 7, tags: '["x","y, z"]' })
  await agent.done('add_task', { title: 'd', tags: 'x, w' })
  const added = await agent.done('add_tasks', { tasks: '[{"title":"e","tags":"x"}]' })
  await agent.done('complete_task', { task_id: added.tasks[0].task_id, completed: 'true' })

  const tasks = await list(user, '?tag=x&sort=title')
  expect(tasks.map(({ title, tags, completed }) => [title, tags, completed])).toEqual([
    ['7', ['x', 'y, z'], false],
    ['d', ['x', 'w'], false],
    ['e', ['x'], true],
  ])
})

test.each([
  ['Etc/GMT-14', 'Pacific/Kiritimati'],
  ['Pacific/Pago_Pago', 'Pacific/Pago_Pago'],
])('takes days in words, which are those of the user (%s)', async (_, zone) => {
  const { user, agent } = await withAgent()
  await user.send('PATCH', '/api/me', { time_zone: zone })
  const today = Temporal.Now.plainDateISO(zone)
  const friday = today.add({ days: (5 - today.dayOfWeek + 7) % 7 })

  const dates = []
  for (const due_date of ['today', 'Tomorrow', 'friday', '+3d', '2w', '2031-05-06']) {
    dates.push((await agent.done('add_task', { title: 'A task', due_date })).due_date)
  }

  expect(dates).toEqual([
    ...[today, today.add({ days: 1 }), friday, today.add({ days: 3 }), today.add({ days: 14 })].map(
      String,
    ),
    '2031-05-06',
  ])
  expect(await agent.done('get_overview')).toMatchObject({ today: String(today), time_zone: zone })
})

test('goes by the zone of the header where the user has said none', async () => {
  const { user, agent } = await withAgent()
  const header = { 'time-zone': 'Pacific/Kiritimati' }
  const there = String(Temporal.Now.plainDateISO('Pacific/Kiritimati'))

  const overview = await agent.done('get_overview', {}, header)
  const made = await agent.done('add_task', { title: 'A task', due_date: 'today' }, header)
  const found = await agent.done('list_tasks', { filter: 'due:today' }, header)

  expect(overview).toMatchObject({ today: there, time_zone: 'Pacific/Kiritimati' })
  expect(made.due_date).toBe(there)
  expect(found.tasks).toHaveLength(1)
  expect(await agent.call('get_overview', {}, { 'time-zone': 'Mars' })).toContain('Time-Zone')
  await user.send('PATCH', '/api/me', { time_zone: 'UTC' })
  expect((await agent.done('get_overview', {}, header)).time_zone).toBe('UTC')
})

test('makes what is right of many, in one change, and says what is wrong with the rest', async () => {
  const { user, agent } = await withAgent()
  const parent = await user.create({ title: 'Parent' })
  await user.send('POST', '/api/lists', { name: 'Home' })

  const answer = await agent.done('add_tasks', {
    tasks: [
      { title: 'First', due_date: 'tomorrow' },
      { title: '' },
      { title: 'Nowhere', list: 'Hme' },
      { title: 'No date', due_time: '10:00' },
      { title: 'Some day', due_date: 'soon' },
      { titel: 'Misspelt' },
      'no object',
      { title: 'Under nothing', parent_id: crypto.randomUUID() },
      { title: 'Under something', parent_id: parent.id },
      { title: 'Under what is no id', parent_id: 'x' },
      { title: 'Last', list: 'home' },
    ],
  })

  const { request_id } = answer
  expect(answer).toMatchObject({ created: 3, refused: 8 })
  expect(
    answer.tasks.map((task: { status: string; title?: string; error?: string }) => [
      task.status,
      task.title,
      task.error,
    ]),
  ).toEqual([
    ['created', 'First', undefined],
    ['refused', '', expect.stringContaining('title')],
    ['refused', 'Nowhere', expect.stringContaining('There are Home')],
    ['refused', 'No date', expect.stringContaining('due_time needs a due_date')],
    ['refused', 'Some day', expect.stringContaining('due_date must be a day')],
    ['refused', undefined, expect.stringContaining('titel is not known here')],
    ['refused', undefined, expect.stringContaining('must be a JSON object')],
    ['refused', 'Under nothing', expect.stringContaining('You have no task with this id')],
    ['created', 'Under something', undefined],
    ['refused', 'Under what is no id', expect.stringContaining('parent_id must be a UUID')],
    ['created', 'Last', undefined],
  ])
  expect(await titles(user, '?sort=title')).toEqual(['First', 'Last', 'Parent', 'Under something'])

  await agent.done('undo', { request_id })
  expect(await titles(user)).toEqual(['Parent'])
})

test('says what is wrong with all, where nothing can be made', async () => {
  const { user, agent } = await withAgent()

  const text = await agent.call('add_tasks', { tasks: [{ title: '' }, { due_date: 'soon' }] })

  expect(text).toContain('No task was added.')
  expect(text).toContain('tasks.0: title must not be empty.')
  expect(text).toContain('tasks.1: title is required.')
  expect(await agent.call('add_tasks', { tasks: [] })).toContain('tasks must not be empty')
  const many = Array.from({ length: 51 }, () => ({ title: 'x' }))
  expect(await agent.call('add_tasks', { tasks: many })).toContain('at most 50')
  expect(await list(user)).toEqual([])
})

test('adds fifty long ones, of which half are wrong', async () => {
  const { user, agent } = await withAgent()
  const tasks = Array.from({ length: 50 }, (_, n) => ({
    title: `Task ${n}`,
    description: 'x'.repeat(15_000),
    ...(n % 2 === 0 ? {} : { due_time: '10:00' }),
  }))

  expect(await agent.done('add_tasks', { tasks })).toMatchObject({ created: 25, refused: 25 })
  expect(await list(user, '?limit=200')).toHaveLength(25)
})

test('lists what is pending, 25 at a time, to the end', async () => {
  const { user, agent } = await withAgent()
  const body = { tasks: Array.from({ length: 60 }, (_, n) => ({ title: `Task ${n}` })) }
  await user.send('POST', '/api/tasks/batch', body)
  const [done] = await list(user)
  await user.send('POST', `/api/tasks/${done?.id}/complete`)

  const seen: string[] = []
  const sizes: number[] = []
  let cursor: string | undefined
  do {
    const page = await agent.done('list_tasks', { sort: 'title', ...(cursor && { cursor }) })
    sizes.push(page.tasks.length)
    seen.push(...page.tasks.map(({ id }: Task) => id))
    cursor = page.more
  } while (cursor !== undefined)

  expect(sizes).toEqual([25, 25, 9])
  expect(new Set(seen).size).toBe(59)
  expect(seen).not.toContain(done?.id)
})

test('lists by status, list and filter, and the trash', async () => {
  const { user, agent } = await withAgent()
  const { body: home } = await user.send('POST', '/api/lists', { name: 'Home' })
  await user.create({ title: 'Inbox', tags: ['a'] })
  await user.create({ title: 'At home', list_id: home.id, description: 'x'.repeat(500) })
  await user.create({ title: 'Done', completed: true })
  await user.send('DELETE', `/api/tasks/${(await user.create({ title: 'Gone' })).id}`)
  const titlesOf = async (args: object) =>
    (await agent.done('list_tasks', { sort: 'title', ...args })).tasks.map(
      ({ title }: Task) => title,
    )

  expect(await titlesOf({})).toEqual(['At home', 'Inbox'])
  expect(await titlesOf({ status: 'all' })).toEqual(['At home', 'Done', 'Inbox'])
  expect(await titlesOf({ status: 'Completed' })).toEqual(['Done'])
  expect(await titlesOf({ status: 'deleted' })).toEqual(['Gone'])
  expect(await titlesOf({ list: 'HOME' })).toEqual(['At home'])
  expect(await titlesOf({ list: home.id })).toEqual(['At home'])
  expect(await titlesOf({ list: 'inbox' })).toEqual(['Inbox'])
  expect(await titlesOf({ filter: '#a or list:home' })).toEqual(['At home', 'Inbox'])
  const { tasks } = await agent.done('list_tasks', { list: 'Home' })
  expect(tasks).toEqual([
    {
      id: expect.any(String),
      title: 'At home',
      list: 'Home',
      description: `${'x'.repeat(79)}…`,
    },
  ])
  expect(await agent.call('list_tasks', { list: 'Hme' })).toBe(
    'list is no list of the user. There are Home.',
  )
  expect(await agent.call('list_tasks', { filter: 'stauts:open' })).toContain(
    'did you mean status? See character 0 of the filter.',
  )
  expect(await agent.call('list_tasks', { status: 'open' })).toContain('status must be one of')
  expect(await agent.call('list_tasks', { cursor: 'x' })).toContain('cursor')
})

test('asks which, where two lists have one name', async () => {
  const { user, agent } = await withAgent()
  const ids: string[] = []
  for (const name of ['Home', 'home']) {
    ids.push((await user.send('POST', '/api/lists', { name })).body.id)
  }

  const text = await agent.call('add_task', { title: 'A task', list: 'Home' })

  for (const id of ids) expect(text).toContain(id)
  await agent.done('add_task', { title: 'A task', list: ids[1] })
  expect(await list(user)).toMatchObject([{ list_id: ids[1] }])
})

test('reads a task whole, with what is under it', async () => {
  const { user, agent } = await withAgent()
  const task = await user.create({ title: 'Whole', description: 'y'.repeat(500), tags: ['a'] })
  const under = await user.create({ title: 'Under it', parent_id: task.id })

  expect(await agent.done('get_task', { task_id: task.id })).toEqual({
    id: task.id,
    title: 'Whole',
    tags: ['a'],
    description: 'y'.repeat(500),
    completed: false,
    created_at: task.created_at,
    updated_at: task.updated_at,
    subtasks: [{ id: under.id, title: 'Under it' }],
  })
  expect(await agent.done('get_task', { task_id: under.id })).toMatchObject({ parent_id: task.id })
})

test('changes what is named, keeps the rest, and says what it was', async () => {
  const { user, agent } = await withAgent()
  const { body: home } = await user.send('POST', '/api/lists', { name: 'Home' })
  const task = await user.create({
    title: 'Before',
    description: 'Stays',
    due_date: '2026-12-01',
    due_time: '10:00',
    tags: ['a'],
    priority: 'high',
  })

  const first = await agent.done('update_task', {
    task_id: task.id.toUpperCase(),
    title: 'After',
    due_time: '',
    tags: '',
    priority: null,
    list: 'Home',
  })

  expect(first).toEqual({
    task_id: task.id,
    status: 'updated',
    title: 'After',
    due_date: '2026-12-01',
    list: 'Home',
    request_id: expect.any(String),
    was: { title: 'Before', due_time: '10:00:00', tags: ['a'], priority: 'high', list: null },
  })
  expect(await list(user)).toMatchObject([
    { title: 'After', description: 'Stays', due_time: null, tags: [], list_id: home.id },
  ])
  const same = await agent.done('update_task', { task_id: task.id, title: 'After' })
  expect(same).toMatchObject({ status: 'unchanged', was: {} })
  const back = await agent.done('update_task', {
    task_id: task.id,
    list: 'inbox',
    description: null,
    due_date: '',
    completed: true,
  })
  expect(back).toMatchObject({ completed: true, was: { list: 'Home', description: 'Stays' } })
  expect(await agent.call('update_task', { task_id: task.id })).toContain('Say what is to change')
  expect(await agent.call('update_task', { task_id: task.id, due_time: '9:00' })).toContain(
    'due_time must be a time of day',
  )
  expect(await agent.call('update_task', { task_id: task.id, due: 'today' })).toBe(
    'due is not known here. update_task takes task_id, title, completed, description, priority, tags, due_date, due_time, ' +
      'time_zone, list, parent_id, recurrence, reminders.',
  )
})

test('changes a task that others change at the same time', async () => {
  const { user, agent } = await withAgent()
  const { id } = await user.create({ title: 'A task' })

  await Promise.all([
    agent.done('update_task', { task_id: id, description: 'Said by it' }),
    user.send('PATCH', `/api/tasks/${id}`, { priority: 'high' }),
  ])

  expect(await list(user)).toMatchObject([{ description: 'Said by it', priority: 'high' }])
})

test('completes and reopens one, and says what comes next of what repeats', async () => {
  const { user, agent } = await withAgent()
  const { id } = await user.create({ title: 'Daily', due_date: '2031-01-01', recurrence: 'daily' })

  const done = await agent.done('complete_task', { task_id: id })

  expect(done).toMatchObject({ task_id: id, status: 'completed', title: 'Daily' })
  expect(done.next).toEqual({ task_id: expect.any(String), due_date: '2031-01-02' })
  expect(done).not.toHaveProperty('completed')
  expect(await agent.done('complete_task', { task_id: id, completed: false })).toMatchObject({
    status: 'pending',
  })
  expect(await list(user)).toHaveLength(1)
})

test('completes, deletes and restores several in one change', async () => {
  const { user, agent } = await withAgent()
  const ids: string[] = []
  for (const title of ['a', 'b', 'c']) ids.push((await user.create({ title })).id)
  const two = ids.slice(0, 2).join(' , ')

  const completed = await agent.done('complete_task', { task_id: two })
  expect(completed).toEqual({
    status: 'completed',
    tasks: 2,
    changed: 2,
    request_id: expect.any(String),
  })
  expect(await titles(user, '?status=pending')).toEqual(['c'])
  await agent.done('undo', { request_id: completed.request_id })
  expect(await titles(user, '?status=pending')).toHaveLength(3)

  expect(await agent.done('delete_task', { task_id: two })).toMatchObject({ status: 'deleted' })
  expect(await titles(user)).toEqual(['c'])
  expect(await agent.done('restore_task', { task_id: two })).toMatchObject({ status: 'restored' })
  expect(await titles(user)).toHaveLength(3)
})

test('does nothing to several of which one is not there, and says which', async () => {
  const { user, agent } = await withAgent()
  const { id } = await user.create()
  const absent = crypto.randomUUID()

  const text = await agent.call('delete_task', { task_id: `${id},${absent}` })

  expect(text).toContain(`There is no ${absent}.`)
  expect(text).not.toContain(id)
  expect(await list(user)).toHaveLength(1)
  expect(await agent.call('delete_task', { task_id: `${id},3` })).toContain('"3" is no task_id')
})

test('puts into the trash, and brings back', async () => {
  const { user, agent } = await withAgent()
  const { id } = await user.create({ title: 'A task' })

  expect(await agent.done('delete_task', { task_id: id })).toMatchObject({
    task_id: id,
    status: 'deleted',
    title: 'A task',
  })
  expect(await list(user)).toEqual([])
  expect(await agent.call('get_task', { task_id: id })).toContain('status=deleted')
  await agent.done('restore_task', { task_id: id })
  expect(await titles(user)).toEqual(['A task'])
  const tools = (await agent.tools()).map(({ name }) => name)
  expect(tools.filter((name: string) => /purge|empty|account|token/.test(name))).toEqual([])
})

test('undoes a call, and its undoing, and says what somebody has changed since', async () => {
  const { user, agent } = await withAgent()
  const { id } = await user.create({ title: 'Before' })
  const { request_id } = await agent.done('update_task', { task_id: id, title: 'After' })

  const undone = await agent.done('undo', { request_id })
  expect(undone).toEqual({
    status: 'undone',
    changed: 1,
    things: [{ type: 'task', id, title: 'Before' }],
    request_id: expect.any(String),
  })
  await agent.done('undo', { request_id: undone.request_id })
  expect(await titles(user)).toEqual(['After'])

  await user.send('PATCH', `/api/tasks/${id}`, { title: 'By hand' }, { 'x-request-id': 'by-hand' })
  const refusal = await agent.call('undo', { request_id: undone.request_id })
  expect(refusal).toContain('keep: true')
  expect(refusal).toContain('force: true')
  expect(await agent.done('undo', { request_id: undone.request_id, keep: true })).toMatchObject({
    changed: 0,
    things: [{ type: 'task', id, title: 'By hand', kept: ['title'] }],
  })
  expect(await titles(user)).toEqual(['By hand'])
  await agent.done('undo', { request_id: undone.request_id, force: true })
  expect(await agent.call('undo', { request_id: 'nothing' })).toContain('nothing to undo')
})

test('gives an overview of what there is', async () => {
  const { user, agent } = await withAgent()
  const today = Temporal.Now.plainDateISO('UTC')
  const { body: home } = await user.send('POST', '/api/lists', { name: 'Home' })
  const { body: old } = await user.send('POST', '/api/lists', { name: 'Old' })
  await user.send('PATCH', `/api/lists/${old.id}`, { archived: true })
  for (const days of [-2, 0, 3, 20]) {
    await user.create({ due_date: String(today.add({ days })), tags: ['a'], list_id: home.id })
  }
  await user.create({ tags: ['a', 'b'] })
  await user.create({ tags: ['c'], completed: true, due_date: String(today) })

  const overview = await agent.done('get_overview', {})

  expect(overview).toMatchObject({
    user: { id: user.id },
    may: ['tasks:read', 'tasks:write'],
    pending: 5,
    overdue: 1,
    due_today: 1,
    due_within_7_days: 2,
    without_due_date: 1,
    lists: [{ id: home.id, name: 'Home', pending: 4 }],
    tags: { a: 5, b: 1 },
  })
  expect(overview.weekday).toBe(weekdays[Temporal.PlainDate.from(overview.today).dayOfWeek - 1])
  expect(overview).not.toHaveProperty('only_some_lists')
})

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

test('searches and fetches as chatbots want it', async () => {
  const user = await signUp()
  const agent = agentOf(user.authorization, createTestApp({ url: 'https://tasks.example' }))
  const { id } = await user.create({ title: 'Réunion', description: 'At noon', tags: ['work'] })
  await user.create({ title: 'Other' })
  const url = `https://tasks.example/api/tasks/${id}`

  expect(await agent.done('search', { query: 'reunion noon' })).toEqual({
    results: [{ id, title: 'Réunion', url }],
  })
  expect(await agent.done('fetch', { id })).toEqual({
    id,
    title: 'Réunion',
    text: 'At noon',
    url,
    metadata: { tags: ['work'] },
  })
  expect(await agent.done('search', { query: 'nowhere' })).toEqual({ results: [] })
  expect(await agent.call('search', { query: ' ' })).toContain('query must have a word')
  expect(await agent.call('search', { query: 'a b c d e f g h i' })).toContain(
    'query must have at most 8 words',
  )
})

test('names every change by its request, and tells the history who it was', async () => {
  const { user, agent } = await withAgent({ scopes: ['tasks:write'] })

  const { task_id, request_id } = await agent.done('add_task', { title: 'A task' })

  const { body } = await user.send('GET', `/api/tasks/${task_id}/history`)
  expect(body).toMatchObject([
    { action: 'created', request_id, by: { kind: 'token', name: 'Claude' } },
  ])
})

test('undoes one call of a trace, and not the others', async () => {
  const { user, agent } = await withAgent()
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' }
  const calls = []
  for (const title of ['a', 'b']) calls.push(await agent.done('add_task', { title }, trace))

  await agent.done('undo', { request_id: calls[1].request_id }, trace)

  expect(calls[0].request_id).toStartWith('4bf92f3577b34da6a3ce929d0e0e4736.')
  expect(await titles(user)).toEqual(['a'])
})

test('takes no argument for another', async () => {
  const { user, agent } = await withAgent()

  expect(await agent.call('add_task', { title: 'x', user_id: 'bob' })).toContain('another user')
  expect(await agent.call('add_task', { title: 'x', __proto__: null, constructor: 1 })).toContain(
    'constructor is not known here',
  )
  expect(await agent.call('add_task', { title: 'x', id: crypto.randomUUID() })).toContain(
    'id is not known here',
  )
  expect(await agent.call('add_task', { title: { a: 1 } })).toContain('title must be a string')
  expect(await agent.call('get_task', { task_id: '../me' })).toContain('is no task_id')
  expect(await agent.call('get_task', { task_id: `${crypto.randomUUID()}/history` })).toContain(
    'is no task_id',
  )
  expect(await agent.done('add_task', { title: 'y', user_id: 'me' })).toMatchObject({ title: 'y' })
  expect(await titles(user)).toEqual(['y'])
  const none = await agent.call('get_overview', null as unknown as object)
  expect(none).toMatchObject({ pending: 1 })
  for (const args of [[], 'x', 1]) {
    const { body } = await post(rpc('tools/call', { name: 'get_overview', arguments: args }), {
      authorization: user.authorization,
    })
    expect(body.result).toMatchObject({ isError: true })
  }
})

test.each([
  ['get_overview', { x: 1 }, 'get_overview takes no arguments.'],
  ['list_tasks', { status: 'done' }, 'status must be one of pending, completed, all, deleted.'],
  [
    'add_task',
    { title: 'x', parent_id: crypto.randomUUID() },
    'list_tasks and search give the ids of those that there are',
  ],
])('says of %s %j what to do instead', async (name, args, words) => {
  const { agent } = await withAgent()
  expect(await agent.call(name, args)).toContain(words)
})

test('says whose fault a zone is that there is none', async () => {
  const { agent } = await withAgent()
  expect(await agent.call('get_overview', {}, { 'time-zone': 'Mars/Olympus' })).toStartWith(
    'The header Time-Zone of your connection must be a time zone',
  )
})

test('makes no id of its own in what it says of a fault', async () => {
  const { agent } = await withAgent()
  const absent = crypto.randomUUID()

  for (const name of ['get_task', 'update_task', 'complete_task', 'delete_task', 'restore_task']) {
    for (const task_id of [absent, 'x', '', '1']) {
      const text = await agent.call(name, {
        task_id,
        ...(name === 'update_task' && { title: 'x' }),
      })
      expect(text).toBeString()
      expect(text).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/)
    }
  }
})

test('says what a server says that cannot answer, as a result that a model is told of', async () => {
  const user = await signUp()
  const failing = (error: Error) => {
    const share = async () => {
      throw error
    }
    return createTestApp({ db: { ...db, for: () => ({ ...db, share, read: share }) } })
  }
  const say = (error: Error) => agentOf(user.authorization, failing(error)).call('list_tasks')

  expect(await say(overloaded())).toBe('There is too much to do at the moment. Try again.')
  expect(await say(new Error('secret'))).toBe('Something went wrong here. It has been logged.')
})

test('tells who has no room for more', async () => {
  const user = await signUp()
  const app = createTestApp({ quota: { tasks: 1, bytes: null } })
  const agent = agentOf(user.authorization, app)

  await agent.done('add_task', { title: 'First' })

  expect(await agent.call('add_task', { title: 'Second' })).toMatch(/You may have|would be/)
  expect(await agent.call('add_tasks', { tasks: [{ title: 'Second' }] })).toContain('No task was')
})

test('speaks its own words behind a layer for another frontend', async () => {
  const user = await signUp()
  const { compat } = readConfig({
    COMPAT:
      'unknown=keep list=data task=data names=camelCase,message,status:todo/done dates=datetime prefix=/v1 resource=todos',
  })
  const agent = agentOf(user.authorization, createTestApp({ compat }))

  const made = await agent.done('add_task', { title: 'A task', due_date: '2031-01-01' })
  const { tasks } = await agent.done('list_tasks')

  expect(made).toMatchObject({ status: 'created', due_date: '2031-01-01' })
  expect(tasks).toEqual([{ id: made.task_id, title: 'A task', due_date: '2031-01-01' }])
  expect(await agent.call('add_task', { title: '' })).toBe('title must not be empty.')
})
