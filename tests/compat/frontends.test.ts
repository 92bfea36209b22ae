import { describe, expect, test } from 'bun:test'
import { signUp } from '../support/app.ts'
import { type Frontend, frontend } from './support.ts'

// Frontends as people have them, each with what it sends and reads: it lists, creates, edits, toggles and deletes. What is read goes
// by the names that it knows, and whatever else is in an answer it does not look at.

type Shown = { id: string; title: string; done: boolean }

type Kind = {
  compat: string
  base: (userId: string) => string
  /** What its form sends. */
  form: (title: string) => object
  /** What it sends to change a task that it has: its title, and whether it is done. */
  edit: (call: Frontend, base: string, task: any, title: string) => ReturnType<Frontend>
  toggle: (call: Frontend, base: string, task: any) => ReturnType<Frontend>
  listOf: (body: any) => any[]
  taskOf: (body: any) => any
  shown: (task: any) => Shown
  /** What its components do with a task, or throw. */
  render: (task: any) => unknown
}

const same = (body: any) => body

const frontends: Record<string, Kind> = {
  'of a FastAPI tutorial': {
    compat: 'names=is_completed unknown=keep',
    base: (userId) => `/api/${userId}/tasks`,
    form: (title) => ({ title, description: '', is_completed: false, category: 'home' }),
    edit: (call, base, task, title) =>
      call('PUT', `${base}/${task.id}`, { title, description: task.description }),
    toggle: (call, base, task) => call('PATCH', `${base}/${task.id}/complete`),
    listOf: same,
    taskOf: same,
    shown: ({ id, title, is_completed }) => ({ id, title, done: is_completed }),
    render: (task) => [task.category.toUpperCase(), new Date(task.created_at).toISOString()],
  },
  'of an Express and Mongoose course': {
    compat:
      'prefix=/api/v1 resource=todos list=data task=data names=camelCase,message unknown=keep dates=datetime',
    base: () => '/api/v1/todos',
    form: (title) => ({
      title,
      completed: false,
      priority: 'Medium',
      dueDate: new Date('2026-11-27').toISOString(),
      createdAt: new Date().toISOString(),
      assignee: { name: 'Bob' },
      order: 0,
    }),
    edit: (call, base, task, title) => call('PUT', `${base}/${task.id}`, { ...task, title }),
    toggle: (call, base, task) =>
      call('PATCH', `${base}/${task.id}`, {
        completed: !task.completed,
        updatedAt: new Date().toISOString(),
      }),
    listOf: ({ data, total, count }) => {
      expect([total, count]).toEqual([data.length, data.length])
      return data
    },
    taskOf: ({ data }) => data,
    shown: ({ id, title, completed }) => ({ id, title, done: completed }),
    render: (task) => [
      task.dueDate.slice(0, 10),
      new Date(task.dueDate).toISOString(),
      task.assignee.name.length,
      task.order.toFixed(),
    ],
  },
  'of a kanban board': {
    compat:
      'list=data.tasks task=task names=status:todo/done,camelCase unknown=keep dates=datetime',
    base: () => '/api/tasks',
    form: (title) => ({
      id: Date.now(),
      title,
      status: 'todo',
      dueDate: '2026-11-27T17:30',
      labels: [{ text: 'a', color: '#f00' }],
      position: 1.5,
    }),
    edit: (call, base, task, title) => call('PATCH', `${base}/${task.id}`, { ...task, title }),
    toggle: (call, base, task) =>
      call('PUT', `${base}/${task.id}`, {
        ...task,
        status: task.status === 'done' ? 'todo' : 'done',
      }),
    listOf: ({ data }) => data.tasks,
    taskOf: ({ task }) => task,
    shown: ({ id, title, status }) => ({ id, title, done: status === 'done' }),
    render: (task) => [
      task.labels.map((label: { text: string }) => label.text.length),
      task.position.toFixed(1),
      new Date(task.dueDate).toISOString(),
    ],
  },
  'of a Rails and React book': {
    compat: 'prefix=/backend resource=items list=items names=status:pending/completed unknown=keep',
    base: () => '/backend/items',
    form: (title) => ({ title, status: 'Pending', due_date: '2026-11-27', list_name: 'Inbox' }),
    edit: (call, base, task, title) =>
      call('PATCH', `${base}/${task.id}/?_t=${Date.now()}`, { title }),
    toggle: (call, base, task) => call('POST', `${base}/${task.id}/toggle`, {}),
    listOf: ({ items }) => items,
    taskOf: same,
    shown: ({ id, title, status }) => ({ id, title, done: status === 'completed' }),
    render: (task) => [task.list_name.length, task.due_date.split('-').length],
  },
}

describe.each(Object.entries(frontends))('a frontend %s', (_name, kind) => {
  test('works unchanged', async () => {
    const alice = await signUp()
    const call = frontend(alice, kind.compat)
    const base = kind.base(alice.id)
    const list = async (query = '') => {
      const { status, body } = await call('GET', `${base}${query}`)
      expect(status).toBe(200)
      return kind.listOf(body)
    }
    const taskIn = ({ status, body }: Awaited<ReturnType<Frontend>>) => {
      expect([status, body.detail]).toEqual([status < 300 ? status : 200, undefined])
      return kind.taskOf(body)
    }

    expect(await list()).toEqual([])
    const milk = taskIn(await call('POST', base, kind.form('Buy milk')))
    const bread = taskIn(await call('POST', `${base}/`, kind.form('Buy bread')))
    kind.render(milk)
    expect((await list('/?_t=1&userId=7')).map((task) => kind.shown(task).title)).toEqual([
      'Buy bread',
      'Buy milk',
    ])

    const oat = taskIn(await kind.edit(call, base, milk, 'Buy oat milk'))
    const done = taskIn(await kind.toggle(call, base, oat))
    const open = taskIn(await kind.toggle(call, base, done))
    expect([oat, done, open].map(kind.shown)).toEqual([
      { id: milk.id, title: 'Buy oat milk', done: false },
      { id: milk.id, title: 'Buy oat milk', done: true },
      { id: milk.id, title: 'Buy oat milk', done: false },
    ])
    expect(kind.render(open)).toEqual(kind.render(milk))

    expect(kind.taskOf((await call('DELETE', `${base}/${bread.id}`)).body).id).toBe(bread.id)
    const { next_task: _, ...own } = open
    expect(await list()).toEqual([own])
    // To another frontend it is a task as any.
    const other = await frontend(alice, 'names=message')('GET', `/api/tasks/${milk.id}`)
    expect(other.body).toMatchObject({ title: 'Buy oat milk', completed: false })
  })

  test('cannot reach what is not its own', async () => {
    const [alice, bob] = [await signUp(), await signUp()]
    const call = frontend(alice, kind.compat)
    const his = await bob.create()
    const base = kind.base(alice.id)

    const answers = [
      await call('GET', `${base}/${his.id}`),
      await kind.edit(call, base, his, 'Mine'),
      await kind.toggle(call, base, { ...his, order: 1 }),
      await call('DELETE', `${base}/${his.id}`),
    ]

    for (const { status } of answers) expect(status).toBeOneOf([404, 422])
    expect((await bob.send('GET', '/api/tasks')).body).toEqual([his])
  })
})
