import type { Task } from './api.ts'
import { sayDay, sayTime, today } from './days.ts'
import { arrange, make, part } from './dom.ts'
import type { Line } from './line.ts'
import {
  countAt,
  type Group,
  groupsOf,
  hashOf,
  listsOf,
  nameOf,
  type Place,
  places,
} from './places.ts'
import { ruleOf, sayRule } from './rules.ts'
import type { Known } from './store.ts'

const heading = part('heading', HTMLHeadingElement)
const nav = part('places', HTMLUListElement)
const groups = part('groups', HTMLDivElement)
const empty = part('empty', HTMLParagraphElement)
const status = part('status', HTMLParagraphElement)
const meaning = part('meaning', HTMLOutputElement)
const form = part('add-form', HTMLFormElement)
const rename = part('list-edit', HTMLButtonElement)

/** What was drawn before, by its name, with what it was drawn of: what is the same stays as it is. */
const drawn = new Map<string, { text: string; element: HTMLElement }>()

/** Beyond that, what is not shown any more is forgotten. */
const mostDrawn = 2000

function forgetGone(): void {
  for (const [name, { element }] of drawn) if (!element.isConnected) drawn.delete(name)
}

function draw<T extends HTMLElement>(name: string, of: unknown, create: () => T): T {
  const text = JSON.stringify(of)
  const before = drawn.get(name)
  if (before?.text === text) return before.element as T
  const element = create()
  drawn.set(name, { text, element })
  return element
}

export type Shown = {
  known: Known
  place: Place
  search: string
  state: { isLoaded: boolean; isAway: boolean; waiting: number }
}

export function show({ known, place, search, state }: Shown): void {
  const now = today()
  const focus = focused()
  showPlaces(known, place, now)
  const title = search === '' ? nameOf(place, known) : 'Search'
  heading.textContent = title
  document.title = `${title} · Docket`
  form.hidden = place === 'completed' && search === ''
  rename.hidden = typeof place === 'string' || search !== ''
  if (state.isLoaded) {
    const shown = groupsOf(known, place, search, now)
    arrange(
      groups,
      shown.map((group) => drawGroup(group, known, place, now)),
    )
    empty.hidden = shown.some(({ tasks }) => tasks.length > 0)
    empty.textContent = emptyWords(place, search)
  }
  status.textContent = statusWords(state)
  status.hidden = status.textContent === ''
  keepFocus(focus)
  if (drawn.size > mostDrawn) forgetGone()
  if (shownAt !== hashOf(place)) {
    shownAt = hashOf(place)
    // On a phone the places are in one line, which is longer than the screen.
    nav.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
}

/** Where the user was when it was shown last. */
let shownAt = ''

function statusWords({ isAway, waiting }: Shown['state']): string {
  if (!isAway) return ''
  if (waiting === 0) return 'Not connected. You can go on all the same.'
  const what = waiting === 1 ? 'One change is' : `${waiting} changes are`
  return `Not connected. ${what} kept here, and saved when Docket can be reached.`
}

function emptyWords(place: Place, search: string): string {
  if (search !== '') return 'Nothing was found.'
  if (place === 'today') return 'Nothing is due today.'
  if (place === 'completed') return 'Nothing is completed yet.'
  return 'Nothing to do here. Add a task above.'
}

function showPlaces(known: Known, place: Place, now: string): void {
  const all: [Place, string, string | null][] = [
    ...places.map(([name, title]): [Place, string, null] => [name, title, null]),
    ...listsOf(known).map(({ id, name, color }): [Place, string, string | null] => [
      { list: id },
      name,
      color ?? '',
    ]),
    ['completed', 'Completed', null],
  ]
  const here = hashOf(place)
  arrange(
    nav,
    all.map(([where, title, color]) => {
      const hash = hashOf(where)
      const count = where === 'completed' ? 0 : countAt(known, where, now)
      return draw(`place ${hash}`, [title, color, count, hash === here], () =>
        make(
          'li',
          color === null ? {} : { class: 'list' },
          make(
            'a',
            { href: hash, ...(hash === here ? { 'aria-current': 'page' } : {}) },
            make('span', { class: 'name' }, title),
            ...(count === 0
              ? []
              : [
                  make('span', { class: 'count', 'aria-hidden': 'true' }, String(count)),
                  make('span', { class: 'spoken' }, `, ${count} open`),
                ]),
          ),
        ),
      )
    }),
  )
}

function drawGroup({ title, tasks }: Group, known: Known, place: Place, now: string): HTMLElement {
  const name = `group ${title}`
  const section = draw(name, title, () => {
    const list = make('ul', {
      class: 'tasks',
      ...(title === null ? { 'aria-label': 'Tasks' } : {}),
    })
    if (title === null) return make('section', {}, list)
    const id = `group-${title.toLowerCase().replaceAll(' ', '-')}`
    list.setAttribute('aria-labelledby', id)
    const isLate = title === 'Overdue'
    return make(
      'section',
      {},
      make('h2', { id, ...(isLate ? { class: 'late' } : {}) }, title),
      list,
    )
  })
  const list = section.querySelector('ul')
  if (list !== null) {
    arrange(
      list,
      tasks.map((task) => drawTask(task, known, place, title, now)),
    )
  }
  return section
}

function drawTask(
  task: Task,
  { lists, tasks }: Known,
  place: Place,
  group: string | null,
  now: string,
): HTMLElement {
  const listName =
    typeof place === 'string' && place !== 'inbox' && lists.get(task.list_id ?? '')?.name
  const above = tasks.get(task.parent_id ?? '')?.title
  const { id, title, completed, priority, description } = task
  return draw(`task ${id}`, [task, listName, above, group, now], () => {
    const check = make('input', {
      type: 'checkbox',
      class: `check ${priority}`,
      'aria-label': `Complete ${title}${priority === 'none' ? '' : `, ${priority} priority`}`,
      checked: completed,
    })
    const about = [
      ...dueOf(task, group, now),
      ...(above === undefined ? [] : [make('span', {}, `in ${above}`)]),
      ...(listName ? [make('span', {}, listName)] : []),
      ...task.tags.map((tag) => make('span', { class: 'tag' }, `#${tag}`)),
      ...(description ? [make('span', { class: 'note' }, firstLine(description))] : []),
    ]
    return make(
      'li',
      { class: completed ? 'task done' : 'task', 'data-id': id },
      check,
      make(
        'button',
        { type: 'button', class: 'open', 'aria-haspopup': 'dialog' },
        make('span', { class: 'title' }, title),
        ...(about.length === 0 ? [] : [make('span', { class: 'about' }, ...about)]),
      ),
    )
  })
}

const firstLine = (text: string): string => text.split('\n')[0]?.slice(0, 80) ?? ''

/** When it is due, but for what the heading says already. */
function dueOf(
  { due_date, due_time, recurrence, completed }: Task,
  group: string | null,
  now: string,
): HTMLElement[] {
  if (due_date === null) return []
  const day = sayDay(due_date, now)
  const words = [...(day === group ? [] : [day]), ...(due_time === null ? [] : [sayTime(due_time)])]
  const isLate = due_date < now && !completed
  return [
    ...(words.length === 0
      ? []
      : [make('span', { class: isLate ? 'due late' : 'due' }, words.join(', '))]),
    ...(recurrence === null ? [] : [make('span', {}, `↻ ${sayRule(recurrence)}`)]),
  ]
}

/** What was understood of a line, while it is typed. */
export function showMeaning(line: Line | null, known: Known): void {
  meaning.replaceChildren(
    ...meaningOf(line ?? { title: '' }, known).map((text) => make('span', {}, text)),
  )
}

function meaningOf(line: Line, { lists }: Known): string[] {
  const { due_date, due_time, priority = 'none', tags = [] } = line
  const rule = ruleOf(line.recurrence)
  const list = lists.get(line.list_id ?? '')
  return [
    ...(due_date ? [sayDay(due_date, today())] : []),
    ...(due_time ? [sayTime(due_time)] : []),
    ...(rule === null ? [] : [sayRule(rule)]),
    ...(priority === 'none' ? [] : [`${priority} priority`]),
    ...(list === undefined ? [] : [list.name]),
    ...(tags ?? []).map((tag) => `#${tag}`),
  ]
}

type Focus = { id: string; selector: string; index: number } | null

const rows = (): HTMLElement[] => [...groups.querySelectorAll<HTMLElement>('[data-id]')]

/** The task that has the focus, and in what way. */
function focused(): Focus {
  const element = document.activeElement
  const row = element?.closest<HTMLElement>('[data-id]')
  if (!element || !row) return null
  const selector = element.matches('.check') ? '.check' : '.open'
  return { id: row.dataset['id'] ?? '', selector, index: rows().indexOf(row) }
}

/** Gives the focus back to the task that had it, or to the one in its place. */
function keepFocus(focus: Focus): void {
  if (focus === null || (document.activeElement && document.activeElement !== document.body)) return
  const all = rows()
  const row =
    all.find((one) => one.dataset['id'] === focus.id) ?? all[Math.min(focus.index, all.length - 1)]
  const next = row?.querySelector<HTMLElement>(focus.selector) ?? part('add', HTMLInputElement)
  next.focus()
}

/** The id of the task that has the focus. */
export const focusedTask = (): string | null => focused()?.id ?? null

/** Gives the focus to a task, if nothing else has it: what had it before a dialog may have been drawn anew meanwhile. */
export function focusTask(id: string): void {
  const active = document.activeElement ?? document.body
  if (active !== document.body && active.closest('dialog') === null) return
  const row = rows().find((one) => one.dataset['id'] === id)
  row?.querySelector<HTMLElement>('.open')?.focus()
}

/** Moves the focus by so many tasks. */
export function moveFocus(by: 1 | -1): void {
  const all = rows()
  const index = focused()?.index
  const next = index === undefined ? (by === 1 ? 0 : all.length - 1) : index + by
  all[next]?.querySelector<HTMLElement>('.open')?.focus()
}
