import { beforeAll, describe, expect, test } from 'bun:test'
import { fold } from '../../../src/http/fold.ts'
import { daysBetween, type Today, todayIn } from '../../../src/tasks/filter/days.ts'
import { parseFilter } from '../../../src/tasks/filter/parse.ts'
import type { Condition, Filter, Given } from '../../../src/tasks/filter/tree.ts'
import type { Task } from '../../../src/tasks/schema.ts'
import { signUp, sql, type TestUser } from '../../support/app.ts'
import { idsOf, list, nextOf, readPages } from '../../support/tasks.ts'

// What the database finds for a filter, held against what a loop over the tasks finds: in three zones, of which two are never on
// the same day as each other for a whole day.

const random = seeded(20_261_127)
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const perhaps = <T>(share: number, value: () => T): T | null => (random() < share ? value() : null)

const words = [
  'Water',
  'plants',
  'Überweisung',
  'call',
  'MUM',
  'straße',
  'review',
  'e-mail',
  'ferns',
  '½',
]
const tags = ['home', 'Work', 'Café', 'waiting', 'a b', 'none']
const priorities = ['none', 'low', 'medium', 'high'] as const
const day = 86_400_000

const text = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(words)).join(' ')
const near = (days: number) => new Date(Date.now() + (random() - 0.5) * 2 * days * day)

function newTask() {
  const due_date = perhaps(0.6, () => near(8).toISOString().slice(0, 10))
  return {
    title: text(),
    // Some are long: their words are beside the task.
    description: perhaps(0.5, () => text() + (random() < 0.1 ? ' and so on'.repeat(100) : '')),
    priority: pick(priorities),
    tags: [...new Set(Array.from({ length: Math.floor(random() * 3) }, () => pick(tags)))],
    due_date,
    due_time: due_date === null ? null : perhaps(0.3, () => '18:30:00'),
  }
}

type Scene = { user: TestUser; zone: string; tasks: Task[]; lists: { id: string; name: string }[] }

const zones = ['Pacific/Kiritimati', 'UTC', 'Pacific/Pago_Pago']
const perUser = 700
let scenes: Scene[] = []

beforeAll(async () => {
  scenes = await Promise.all(zones.map(createScene))
}, 120_000)

async function createScene(zone: string): Promise<Scene> {
  const user = await signUp()
  await user.create()
  await user.send('DELETE', `/api/tasks/${(await user.create({ title: 'In the trash' })).id}`)
  for (let made = 0; made < perUser; made += 100) {
    const { status } = await user.send('POST', '/api/tasks/batch', {
      tasks: Array.from({ length: 100 }, newTask),
    })
    expect(status).toBe(201)
  }
  const lists = ['Home', 'HÔME', 'Garden, back', 'Empty'].map((name) => ({
    id: crypto.randomUUID(),
    name,
  }))
  for (const { id, name } of lists) {
    await sql`
      insert into docket.lists (user_id, id, name, position) values (${user.id}, ${id}, ${name}, ${`i${name.length}`})`
  }
  const rows = await sql<{ id: string }[]>`
    select id from docket.tasks where user_id = ${user.id} and deleted_at is null`
  const changes = rows.map(({ id }) => ({
    id,
    created_at: near(5).toISOString(),
    updated_at: near(5).toISOString(),
    completed_at: perhaps(0.3, () => near(5).toISOString()),
    list_id: perhaps(0.5, () => pick(lists.slice(0, 3)).id),
  }))
  await sql`
    update docket.tasks t
    set created_at = c.created_at, updated_at = c.updated_at, completed_at = c.completed_at, list_id = c.list_id
    from json_to_recordset(${JSON.stringify(changes)}::text::json) as c (
      id uuid, created_at timestamptz, updated_at timestamptz, completed_at timestamptz, list_id uuid
    )
    where t.user_id = ${user.id}
      and t.id = c.id`
  const [parent, ...children] = changes.filter(({ list_id }) => list_id === null)
  await sql`
    update docket.tasks
    set parent_id = ${parent?.id ?? ''}
    where user_id = ${user.id}
      and id = any(${children.slice(0, 50).map(({ id }) => id)}::text[]::uuid[])`
  const tasks = (await readPages(user, '/api/tasks?limit=200')).flat()
  return { user, zone, tasks, lists }
}

/** Whether a task passes, as plainly as it can be said. */
function passes(filter: Filter, task: Task, scene: Scene, today: Today): boolean {
  if ('all' in filter) return filter.all.every((part) => passes(part, task, scene, today))
  if ('any' in filter) return filter.any.some((part) => passes(part, task, scene, today))
  if ('not' in filter) return !passes(filter.not, task, scene, today)
  return holds(filter, task, scene, today)
}

function holds(one: Condition, task: Task, scene: Scene, today: Today): boolean {
  switch (one.is) {
    case 'completed':
      return task.completed
    case 'overdue':
      return !task.completed && task.due_date !== null && task.due_date < today.date
    case 'priority':
      return one.of.includes(task.priority)
    case 'tag':
      return task.tags.map(fold).includes(one.key)
    case 'given':
      return isGiven(one.field, task)
    case 'list':
      return scene.lists.some(
        ({ id, name }) => id === task.list_id && (id === one.id || fold(name) === one.key),
      )
    case 'words': {
      const fields = {
        title: [task.title],
        description: [task.description ?? ''],
        text: [task.title, task.description ?? '', ...task.tags],
      }
      return fields[one.in].some((field) => fold(field).includes(one.words))
    }
    case 'day': {
      const days = daysBetween(one.from, one.to, today)
      const its = dayOfField(one.field, task, today.zone)
      if (days === null || its === null) return false
      return (days.from === null || its >= days.from) && (days.to === null || its <= days.to)
    }
    case 'saved':
      throw new Error('Nothing is kept here.')
  }
}

const isGiven = (field: Given, task: Task): boolean =>
  ({
    due: task.due_date !== null,
    time: task.due_time !== null,
    description: Boolean(task.description),
    tag: task.tags.length > 0,
    list: task.list_id !== null,
    parent: task.parent_id !== null,
    created: true,
    updated: true,
    completed: task.completed,
  })[field]

/** What day it was on the clock of a zone. Not by Temporal, which made the filter. */
function dayOfField(field: string, task: Task, zone: string): string | null {
  if (field === 'due') return task.due_date
  const instant = {
    created: task.created_at,
    updated: task.updated_at,
    completed: task.completed_at,
  }[field]
  if (!instant) return null
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' }).format(
    new Date(instant),
  )
}

const written = [
  'priority:>=medium',
  'priority >= medium and (due = today or tag = home)',
  'priority:none..low',
  'priority:high,low',
  'priority != high',
  'is:overdue',
  '-is:overdue',
  'is:pending due:<+3d',
  'status:completed',
  'completed:true completed:today',
  'completed:<today',
  '-completed:>=yesterday',
  'created:today',
  'created:yesterday..today',
  'created:-2d',
  'updated:>today',
  'updated:<=-1d or updated:>=+1d',
  'due:today',
  'due:tomorrow,yesterday',
  'due:none',
  'due:any',
  '-due:today',
  'due:friday',
  'due:>-1w due:<=1w',
  'due:..today',
  'due:+2d..',
  'due:>9999y',
  'due:<9999y',
  'due:0001-01-01..9999-12-31',
  'due:>today due:<tomorrow',
  '#home',
  '#HOME -#work',
  'tag:cafe',
  'tag:"a b"',
  'tag:"none"',
  'tag:none',
  'tag:home,work',
  'list:Home',
  'list:home #home',
  '-list:Home',
  'list:"garden, back"',
  'list:inbox',
  'list:none or list:Empty',
  'list:Empty',
  'has:due -has:time',
  'has:description has:tag',
  '-has:description',
  'has:list',
  'has:parent',
  'water',
  'WATER plants',
  '"water plants"',
  'title:STRASSE',
  'description:uberweisung',
  '-title:call text:call',
  '"and so on"',
  '-"and so on" has:description',
  '½',
  'cafe or e-mail',
  '"%" or "_"',
  'not (water or call) and not (#home or #work)',
  '-(due:none -(priority:high or #home))',
]

const parts = written.filter((filter) => !/ or /.test(filter))
const generated = Array.from({ length: 40 }, () => {
  const [one, two, three] = [pick(parts), pick(parts), pick(parts)]
  return pick([
    `(${one}) or (${two})`,
    `-(${one}) (${two} or ${three})`,
    `(${one}) and not (${two} | -(${three}))`,
    `${one} || ${two} && ${three}`,
  ])
})

const sorts = ['created_at', 'updated_at', 'due_date', 'priority', 'title', 'position']

describe('finds what a filter says', () => {
  test.each([...written, ...generated])('%s', async (filter) => {
    for (const [index, scene] of scenes.entries()) {
      // One zone is enough for most of them.
      if (generated.includes(filter) && index !== filter.length % 3) continue
      const { user, zone, tasks } = scene
      const today = todayIn(zone)
      const expected = tasks.filter((task) => passes(parseFilter(filter), task, scene, today))
      const query = new URLSearchParams({
        filter,
        limit: '200',
        sort: pick(sorts),
        order: pick(['asc', 'desc']),
      })
      const headers = { 'time-zone': zone }

      const found: string[] = []
      for (let path: string | null = `/api/tasks?${query.toString()}`; path !== null; ) {
        const answer = await user.send('GET', path, undefined, headers)
        expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, answer.text.slice(0, 200)])
        found.push(...idsOf(answer.body))
        path = nextOf(answer, path)
      }
      const count = await user.send(
        'GET',
        `/api/tasks/count?${new URLSearchParams({ filter }).toString()}`,
        undefined,
        headers,
      )

      expect(found.toSorted()).toEqual(idsOf(expected).toSorted())
      expect(count.body).toEqual({ count: expected.length })
      if (todayIn(zone).date !== today.date) throw new Error('It was midnight: run it again.')
    }
  })
})

test('holds together with the other parameters, in their order', async () => {
  const [scene] = scenes
  if (scene === undefined) throw new Error('There is no scene.')
  const { user, tasks } = scene
  const expected = tasks.filter(
    ({ priority, tags: own, title, description, due_date }) =>
      (priority === 'high' || own.map(fold).includes('home')) &&
      fold(`${title} ${description ?? ''}`).includes('water') &&
      due_date !== null,
  )
  const filter = encodeURIComponent('(priority:high or #home) due:any')
  const query = `q=water&due_after=0001-01-01&filter=${filter}&sort=due_date`

  const found = (await readPages(user, `/api/tasks?${query}&limit=7`)).flat()
  const skipped = await list(user, `?${query}&offset=3&limit=2`)

  expect(idsOf(found).toSorted()).toEqual(idsOf(expected).toSorted())
  const dates = found.map(({ due_date }) => due_date)
  expect(dates).toEqual(dates.toSorted((a, b) => String(a).localeCompare(String(b))))
  expect(idsOf(skipped)).toEqual(idsOf(found.slice(3, 5)))
})

test('is of the trash where that is listed', async () => {
  const [{ user } = { user: await signUp() }] = scenes

  expect(await list(user, '?filter=trash')).toEqual([])
  expect(await list(user, '?filter=trash&deleted=true')).toHaveLength(1)
})

/** The same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
