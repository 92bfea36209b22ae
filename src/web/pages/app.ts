import { api, signOut, type Task, toSignIn } from './api.ts'
import { today } from './days.ts'
import { part } from './dom.ts'
import { createEditor } from './editor.ts'
import { newId } from './ids.ts'
import { readLine } from './line.ts'
import { tell } from './notices.ts'
import type { Before, Write } from './outbox.ts'
import { listsOf, type Place, readPlace } from './places.ts'
import { note, storage } from './storage.ts'
import { createStore, type Store } from './store.ts'
import { focusedTask, focusTask, moveFocus, show, showMeaning } from './view.ts'

// The task page: it knows nothing that the public API does not say.

const add = part('add', HTMLInputElement)
const search = part('search', HTMLInputElement)
const keysOn = part('keys-on', HTMLInputElement)

/** Whoever is offline while the page is loaded is asked again. */
async function begin(): Promise<void> {
  const { data: me, response } = await api.me.get()
  if (response?.status === 401) return toSignIn()
  if (!me) {
    setTimeout(() => void begin(), 2000)
    return
  }
  part('who', HTMLSpanElement).textContent = me.email ?? me.name ?? me.id
  agreeOnZone(me.time_zone)
  run(me.id)
}

/** What day is today, and when reminders come, is a matter of where the user is. */
function agreeOnZone(known: string | null): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const set = () => void api.me.patch({ time_zone: zone })
  if (known === null) return set()
  // Who has said no to it is asked again somewhere else.
  if (known === zone || storage()?.getItem('docket-zone') === zone) return
  note('docket-zone', zone)
  tell(`Docket goes by the time of ${known}, and this browser by that of ${zone}.`, {
    name: 'Change',
    run: set,
  })
}

function run(userId: string): void {
  const store = createStore({ userId, onChange: render, onNotice: tell, onSignedOut: toSignIn })
  const act = actions(store)
  const editor = createEditor({
    onSave: (task, patch) => act({ kind: 'change', id: task.id, patch }, 'Saved.', [task]),
    onDelete: remove,
    onClose: (task) => focusTask(task.id),
  })
  /** A list that is gone is nowhere. */
  function place(): Place {
    const there = readPlace(location.hash)
    const list = typeof there === 'object' ? store.known().lists.get(there.list) : undefined
    const isGone = (list?.deleted_at ?? null) !== null
    return isGone ? 'all' : there
  }
  const find = (id: string | null): Task | undefined => store.known().tasks.get(id ?? '')

  function render(): void {
    show({
      known: store.known(),
      place: place(),
      search: search.value.trim(),
      state: store.state(),
    })
  }

  function complete(task: Task): void {
    const completed = !task.completed
    const words = completed ? `Completed “${task.title}”.` : `“${task.title}” is open again.`
    act({ kind: 'complete', id: task.id, completed }, words, [task])
  }

  function remove(task: Task): void {
    act({ kind: 'delete', id: task.id }, `“${task.title}” went to the trash.`, [task])
  }

  function open(id: string | null): void {
    const opened = find(id)
    if (opened !== undefined) editor.open(opened, store.known())
  }

  part('add-form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    if (add.value.trim() === '') return
    const known = store.known()
    const { ...line } = readLine(add.value, today(), listsOf(known))
    const here = place()
    // What is added at a place belongs there, unless the line says else.
    if (typeof here === 'object') line.list_id ??= here.list
    if (here === 'today') line.due_date ??= today()
    const id = newId()
    act({ kind: 'create', id, task: line }, `Added “${line.title}”.`, [], {
      tasks: { [id]: null },
      lists: {},
    })
    add.value = ''
    showMeaning(null, known)
  })
  add.addEventListener('input', () => {
    const known = store.known()
    showMeaning(readLine(add.value, today(), listsOf(known)), known)
  })
  search.addEventListener('input', render)

  const groups = part('groups', HTMLDivElement)
  const rowOf = (event: Event): string | null =>
    (event.target as Element).closest<HTMLElement>('[data-id]')?.dataset['id'] ?? null
  groups.addEventListener('change', (event) => {
    const changed = find(rowOf(event))
    if (changed !== undefined) complete(changed)
  })
  groups.addEventListener('click', (event) => {
    if ((event.target as Element).closest('.open') !== null) open(rowOf(event))
  })

  part('new-list', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault()
    const input = part('list-name', HTMLInputElement)
    const name = input.value.trim()
    if (name === '') return
    const id = newId()
    input.value = ''
    act({ kind: 'create list', id, name }, `Added the list “${name}”.`, [], {
      tasks: {},
      lists: { [id]: null },
    })
    location.hash = `#list-${id}`
  })
  editList(store, act, place)

  addEventListener('hashchange', () => {
    search.value = ''
    render()
  })
  // Midnight comes while a page is open.
  setInterval(render, 60_000)

  part('sign-out', HTMLButtonElement).addEventListener('click', async () => {
    await store.drain()
    const answer = await signOut().catch(() => null)
    if (answer?.ok) toSignIn()
    else tell('You are still signed in: the server cannot be reached.')
  })

  const keys: Record<string, () => void> = {
    n: () => add.focus(),
    '/': () => search.focus(),
    j: () => moveFocus(1),
    ArrowDown: () => moveFocus(1),
    k: () => moveFocus(-1),
    ArrowUp: () => moveFocus(-1),
    x: () => {
      const found = find(focusedTask())
      if (found !== undefined) complete(found)
    },
    e: () => open(focusedTask()),
    Delete: () => {
      const found = find(focusedTask())
      if (found !== undefined) remove(found)
    },
    z: () => act.undo(),
    '?': () => part('keys', HTMLDialogElement).showModal(),
  }
  document.addEventListener('keydown', (event) => {
    const target = event.target as HTMLElement
    if (event.key === 'Escape' && target === search) {
      search.value = ''
      render()
    }
    // What was typed into has the focus for a moment longer than its dialog is there.
    const isThere = target.closest('dialog:not([open])') === null
    const isTyping = isThere && target.matches('input:not([type=checkbox]), textarea, select')
    const isArrowOut = event.key === 'ArrowDown' && (target === add || target === search)
    if ((isTyping && !isArrowOut) || document.querySelector('dialog[open]') !== null) return
    if (event.ctrlKey || event.metaKey || event.altKey || !keysOn.checked) return
    const pressed = keys[event.key]
    if (pressed === undefined) return
    event.preventDefault()
    pressed()
  })
  // Who speaks to the computer, or hits keys by chance, may want none of them.
  keysOn.checked = storage()?.getItem('docket-keys') !== 'off'
  keysOn.addEventListener('change', () => {
    note('docket-keys', keysOn.checked ? 'on' : 'off')
  })
  part('show-keys', HTMLButtonElement).addEventListener('click', () => keys['?']?.())

  // Before, what is entered would be lost.
  for (const input of [add, search, part('list-name', HTMLInputElement)]) input.disabled = false
  void store.connect()
}

/** Everything that the user does can be taken back, the last first. */
function actions(store: Store) {
  const done: { key: string; before: Before }[] = []

  function undo(): void {
    const last = done.pop()
    if (last === undefined) return tell('There is nothing to undo.')
    store.undo(last.key, last.before)
    tell('Undone.')
  }

  function act(write: Write, words: string, tasks: Task[], before?: Before): void {
    const was = before ?? {
      tasks: Object.fromEntries(tasks.map((task) => [task.id, task])),
      lists: {},
    }
    const entry = { key: store.write(write), before: was }
    done.push(entry)
    tell(words, {
      name: 'Undo',
      run: () => {
        const index = done.indexOf(entry)
        if (index === -1) return
        done.splice(index, 1)
        store.undo(entry.key, entry.before)
        tell('Undone.')
      },
    })
  }
  return Object.assign(act, { undo })
}

/** The dialog in which a list gets another name, or goes to the trash. */
function editList(store: Store, act: ReturnType<typeof actions>, place: () => Place): void {
  const dialog = part('list-editor', HTMLDialogElement)
  const input = part('list-rename', HTMLInputElement)
  const here = () => {
    const now = place()
    return typeof now === 'object' ? store.known().lists.get(now.list) : undefined
  }
  part('list-edit', HTMLButtonElement).addEventListener('click', () => {
    input.value = here()?.name ?? ''
    dialog.showModal()
  })
  part('list-form', HTMLFormElement).addEventListener('submit', () => {
    const list = here()
    const name = input.value.trim()
    if (list === undefined || name === '' || name === list.name) return
    const before = { tasks: {}, lists: { [list.id]: list } }
    act({ kind: 'rename list', id: list.id, name }, `The list is “${name}” now.`, [], before)
  })
  part('list-delete', HTMLButtonElement).addEventListener('click', () => {
    const list = here()
    dialog.close()
    if (list === undefined) return
    const { tasks } = store.known()
    const inside = [...tasks.values()].filter(({ list_id }) => list_id === list.id)
    const before = {
      tasks: Object.fromEntries(inside.map((task) => [task.id, task])),
      lists: { [list.id]: list },
    }
    const words = `The list “${list.name}” went to the trash, with its tasks.`
    act({ kind: 'delete list', id: list.id }, words, [], before)
    location.hash = '#all'
  })
}

void begin()
