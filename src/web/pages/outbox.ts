import { api, type List, type NewTask, type Problem, type Task, type TaskPatch } from './api.ts'
import { newId } from './ids.ts'
import { storage } from './storage.ts'

// What the user has done and the server has not answered yet. It is kept in the browser's storage until it is, so that neither a
// dropped connection nor a closed window loses it. Each write has a key, which is its Idempotency-Key: however often it is sent, it
// is made once. The key is its X-Request-Id too, by which it can be undone before anybody has heard of it.

export type Write =
  | { kind: 'create'; id: string; task: NewTask }
  | { kind: 'change'; id: string; patch: TaskPatch }
  | { kind: 'complete'; id: string; completed: boolean }
  | { kind: 'delete'; id: string }
  | { kind: 'create list'; id: string; name: string }
  | { kind: 'rename list'; id: string; name: string }
  | { kind: 'delete list'; id: string }
  | { kind: 'undo'; of: string; before: Before }

/** What things were before a write; null: they were not there. */
export type Before = { tasks: Record<string, Task | null>; lists: Record<string, List | null> }

export type Kept = { key: string; write: Write }

/** What the server made of a write. */
export type Answer =
  | { outcome: 'made'; tasks: Task[]; lists: List[] }
  | { outcome: 'refused'; problem: Problem }
  | { outcome: 'signed out' }
  /** It cannot be reached, or asks to wait: seconds. */
  | { outcome: 'later'; wait: number | null }

/** What each kind of write has. */
const fields: Record<Write['kind'], string[]> = {
  create: ['id', 'task'],
  change: ['id', 'patch'],
  complete: ['id', 'completed'],
  delete: ['id'],
  'create list': ['id', 'name'],
  'rename list': ['id', 'name'],
  'delete list': ['id'],
  undo: ['of', 'before'],
}

/** Null: another window has just had its answer, or it is none that this version of the page knows. That is left to who does. */
function readKept(text: string | null): Kept | null {
  try {
    const { key, write } = JSON.parse(text ?? '')
    const has = Object.hasOwn(fields, write.kind) ? fields[write.kind as Write['kind']] : null
    const isWhole = typeof key === 'string' && has?.every((name) => (write[name] ?? null) !== null)
    return isWhole ? { key, write } : null
  } catch {
    return null
  }
}

/** The writes of a user, in the order in which they were made, those of other windows among them. */
export function createOutbox(userId: string, onOthers: () => void) {
  const prefix = `docket:${userId}:`
  const store = storage()
  let kept = read()
  let last = names().at(-1)?.slice(prefix.length) ?? ''

  function names(): string[] {
    return Object.keys(store ?? {})
      .filter((name) => name.startsWith(prefix) && isTime.test(name.slice(prefix.length)))
      .toSorted()
  }

  function read(): Kept[] {
    return names().flatMap((name) => readKept(store?.getItem(name) ?? null) ?? [])
  }

  /** Later than all before, also where two are made in one millisecond, or the clock was put back. */
  function nextName(): string {
    const now = String(Date.now()).padStart(15, '0')
    last = last.slice(0, 15) >= now ? last : `${now}.000`
    last = `${last.slice(0, 16)}${String(Number(last.slice(16)) + 1).padStart(3, '0')}`
    return `${prefix}${last}`
  }

  window.addEventListener('storage', ({ key, newValue }) => {
    if (key !== null && !key.startsWith(prefix)) return
    // Where another window has its answer, ours is on its way through the stream.
    setTimeout(
      () => {
        kept = read()
        onOthers()
      },
      newValue === null ? 500 : 0,
    )
  })

  // Where the browser keeps nothing, what is left before the server has it is lost: it asks first.
  window.addEventListener('beforeunload', (event) => {
    if (kept.length > names().length) event.preventDefault()
  })

  return {
    all: (): readonly Kept[] => kept,
    add(write: Write): string {
      const entry = { key: newId(), write }
      kept = [...kept, entry]
      try {
        store?.setItem(nextName(), JSON.stringify(entry))
      } catch {
        // There is no room: it is kept for as long as the window is open.
      }
      return entry.key
    },
    remove(key: string): void {
      kept = kept.filter((entry) => entry.key !== key)
      for (const name of names()) {
        if (readKept(store?.getItem(name) ?? null)?.key === key) store?.removeItem(name)
      }
    },
  }
}

const isTime = /^\d{15}\.\d{3,}$/

export async function send({ key, write }: Kept): Promise<Answer> {
  const headers = { 'idempotency-key': key, 'x-request-id': key }
  const { data, error, response } = await ask(write, headers)
  if (error === null) {
    const made = [data].flat() as (Task | List | { task?: Task; list?: List })[]
    return { outcome: 'made', ...sort(made) }
  }
  const status = response?.status ?? 0
  if (status === 401) return { outcome: 'signed out' }
  if (status === 0 || status === 408 || status === 429 || status >= 500) {
    return { outcome: 'later', wait: Number(response?.headers.get('retry-after')) || null }
  }
  return { outcome: 'refused', problem: error.value }
}

function ask(write: Write, headers: Record<string, string>) {
  switch (write.kind) {
    case 'create':
      return api.tasks.post({ ...write.task, id: write.id }, { headers })
    case 'change':
      return api.tasks({ id: write.id }).patch(write.patch, { headers })
    case 'complete':
      return api.tasks({ id: write.id }).complete.post({ completed: write.completed }, { headers })
    case 'delete':
      return api.tasks({ id: write.id }).delete(undefined, { headers })
    case 'create list':
      return api.lists.post({ id: write.id, name: write.name }, { headers })
    case 'rename list':
      return api.lists({ id: write.id }).patch({ name: write.name }, { headers })
    case 'delete list':
      return api.lists({ id: write.id }).delete(undefined, { headers })
    case 'undo':
      return api.undo.post({ request_id: write.of }, { headers })
  }
}

/** A task, a list, or what an undo has changed; a task that was completed brings the next one. */
function sort(made: (Task | List | { task?: Task; list?: List })[]) {
  const tasks: Task[] = []
  const lists: List[] = []
  for (const one of made) {
    if ('title' in one) {
      const { next_task: next, ...task } = one as Task & { next_task?: Task | null }
      tasks.push(task, ...(next ? [next] : []))
    } else if ('name' in one) lists.push(one)
    else {
      if (one.task) tasks.push(one.task)
      if (one.list) lists.push(one.list)
    }
  }
  return { tasks, lists }
}
