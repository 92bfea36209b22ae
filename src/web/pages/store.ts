import {
  api,
  base,
  type Change,
  type List,
  type NewTask,
  type Task,
  type TaskPatch,
} from './api.ts'
import { today } from './days.ts'
import { type Before, createOutbox, send, type Write } from './outbox.ts'
import { ruleOf } from './rules.ts'

/** All that there is, as the page shows it: what the server has said, and on top of that what it has not answered yet. */
export type Known = { tasks: ReadonlyMap<string, Task>; lists: ReadonlyMap<string, List> }

export type StoreOptions = {
  userId: string
  /** Something is different. */
  onChange: () => void
  /** Something is to be told, in words. */
  onNotice: (text: string) => void
  onSignedOut: () => void
}

/** Seconds between two tries to reach the server: the first, and at most. */
const pauses = { first: 1, most: 30 }

/**
 * Knows what the user has, and keeps in step: all of it comes from the feed, `/api/changes`, then every change from the stream,
 * `/api/events`, and what the user does goes through the outbox.
 */
export function createStore({ userId, onChange, onNotice, onSignedOut }: StoreOptions) {
  const tasks = new Map<string, Task>()
  const lists = new Map<string, List>()
  const outbox = createOutbox(userId, changed)
  /** The number of the last change that is known, and what it is a number of. */
  let seq = 0
  let epoch: string | null = null
  let source: EventSource | null = null
  /** The last try to reach the server has failed. */
  let isAway = false
  let isLoaded = false
  let pause = pauses.first
  let timer: ReturnType<typeof setTimeout> | undefined

  /** What is shown, until something is different. */
  let shown: Known | null = null

  function changed(): void {
    shown = null
    onChange()
  }

  function setAway(now: boolean): void {
    isAway = now
    changed()
  }

  /** What comes late does not replace what came after it. */
  function take(kind: Map<string, Task> | Map<string, List>, one: Task | List): void {
    const known = kind.get(one.id)
    if (known === undefined || known.version <= one.version) {
      ;(kind as Map<string, Task | List>).set(one.id, one)
    }
  }

  function apply(change: Change): void {
    if (change.task) take(tasks, change.task)
    if (change.list) take(lists, change.list)
    if (change.purged) {
      tasks.delete(change.id)
      lists.delete(change.id)
    }
    seq = Math.max(seq, change.seq)
  }

  /** Reads the feed to its end. */
  async function catchUp(): Promise<'done' | 'later' | 'signed out'> {
    for (;;) {
      const query = { since: seq, limit: 1000, ...(epoch === null ? {} : { epoch }) }
      const { data, error, response } = await api.changes.get({ query })
      if (response?.status === 401) return 'signed out'
      if (response?.status === 410) {
        forget()
        continue
      }
      if (error !== null) return 'later'
      for (const change of data as Change[]) apply(change)
      epoch = response.headers.get('docket-epoch')
      if (!response.headers.has('link')) return 'done'
    }
  }

  /** The database was restored: the numbers of before mean nothing. */
  function forget(): void {
    tasks.clear()
    lists.clear()
    seq = 0
    epoch = null
  }

  function follow(): void {
    const query = new URLSearchParams({ since: String(seq), ...(epoch === null ? {} : { epoch }) })
    const stream = new EventSource(`${base}/api/events?${query}`)
    source = stream
    stream.addEventListener('open', () => {
      pause = pauses.first
      setAway(false)
      void drain()
    })
    stream.addEventListener('change', ({ data }: MessageEvent<string>) => {
      apply(JSON.parse(data) as Change)
      changed()
    })
    stream.addEventListener('reminder', ({ data }: MessageEvent<string>) => {
      onNotice(`Reminder: ${(JSON.parse(data) as { title: string }).title}`)
    })
    stream.addEventListener('resync', () => {
      forget()
      reconnect(0)
    })
    stream.addEventListener('error', () => {
      setAway(true)
      // By itself it comes back from a connection that broke, and not from an answer that is none.
      if (stream.readyState === EventSource.CLOSED) reconnect()
    })
  }

  function reconnect(seconds = nextPause()): void {
    source?.close()
    source = null
    clearTimeout(timer)
    timer = setTimeout(() => void connect(), seconds * 1000)
  }

  function nextPause(): number {
    pause = Math.min(pause * 2, pauses.most)
    return pause / 2
  }

  async function connect(): Promise<void> {
    clearTimeout(timer)
    source?.close()
    source = null
    const outcome = await catchUp()
    if (outcome === 'signed out') return onSignedOut()
    if (outcome === 'later') {
      setAway(true)
      return reconnect()
    }
    isLoaded = true
    setAway(false)
    // A window that nobody sees lets go of its stream: a browser has six connections to a host.
    if (!document.hidden && source === null) follow()
    void drain()
  }

  let isDraining = false
  let resend: ReturnType<typeof setTimeout> | undefined

  /** Sends what is in the outbox, one after the other. Of several windows one does. */
  async function drain(): Promise<void> {
    if (isDraining) return
    isDraining = true
    clearTimeout(resend)
    try {
      await alone(`docket:${userId}`, async () => {
        for (let [first] = outbox.all(); first !== undefined; [first] = outbox.all()) {
          const answer = await send(first)
          if (answer.outcome === 'signed out') return onSignedOut()
          if (answer.outcome === 'later') {
            setAway(true)
            resend = setTimeout(() => void drain(), (answer.wait ?? nextPause()) * 1000)
            return
          }
          if (answer.outcome === 'made') {
            for (const task of answer.tasks) take(tasks, task)
            for (const list of answer.lists) take(lists, list)
          } else if (!(first.write.kind === 'undo' && answer.problem.status === 404)) {
            onNotice(`That was not saved: ${answer.problem.detail ?? answer.problem.title}`)
          }
          outbox.remove(first.key)
          setAway(false)
        }
      })
    } finally {
      isDraining = false
    }
  }

  function write(made: Write): string {
    const key = outbox.add(made)
    changed()
    void drain()
    return key
  }

  addEventListener('online', () => void connect())
  addEventListener('offline', () => setAway(true))
  // A page that the browser had put aside.
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) void connect()
  })
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) void connect()
    else {
      source?.close()
      source = null
    }
  })

  return {
    connect,
    write,
    /** Sends what is left, before the user signs out. */
    drain,
    /** Takes back what a write has done. */
    undo: (of: string, before: Before): string => write({ kind: 'undo', of, before }),
    known: (): Known => {
      if (shown !== null) return shown
      const known = { tasks: new Map(tasks), lists: new Map(lists) }
      for (const kept of outbox.all()) foresee(known, kept.write, userId)
      shown = known
      return shown
    },
    state: () => ({ isLoaded, isAway, waiting: outbox.all().length }),
  }
}

export type Store = ReturnType<typeof createStore>

/** One window at a time, where the browser can say so. Where it cannot, two send the same, which is made once all the same. */
async function alone(name: string, work: () => Promise<void>): Promise<void> {
  if ('locks' in navigator) await navigator.locks.request(name, work)
  else await work()
}

type Drawn = { tasks: Map<string, Task>; lists: Map<string, List> }

/** What a write will make of what is there. The server knows better, and says so in its answer. */
function foresee({ tasks, lists }: Drawn, write: Write, userId: string): void {
  const now = new Date().toISOString()
  switch (write.kind) {
    case 'create':
      if (!tasks.has(write.id))
        tasks.set(write.id, { ...blank(write.id, userId), ...fieldsOf(write.task) })
      return
    case 'change':
      return amend(tasks, write.id, fieldsOf(write.patch))
    case 'complete': {
      const { completed } = write
      return amend(tasks, write.id, { completed, completed_at: completed ? now : null })
    }
    case 'delete':
      return amend(tasks, write.id, { deleted_at: now })
    case 'create list':
      if (!lists.has(write.id))
        lists.set(write.id, { ...blankList(write.id, userId), name: write.name })
      return
    case 'rename list':
      return amend(lists, write.id, { name: write.name })
    case 'delete list':
      for (const { id, list_id } of tasks.values()) {
        if (list_id === write.id) amend(tasks, id, { deleted_at: now })
      }
      return amend(lists, write.id, { deleted_at: now })
    case 'undo':
      bring(tasks, write.before.tasks)
      bring(lists, write.before.lists)
  }
}

function amend<T>(things: Map<string, T>, id: string, fields: Partial<T>): void {
  const thing = things.get(id)
  if (thing !== undefined) things.set(id, { ...thing, ...fields })
}

function bring<T>(things: Map<string, T>, before: Record<string, T | null>): void {
  for (const [id, thing] of Object.entries(before)) {
    if (thing === null) things.delete(id)
    else things.set(id, thing)
  }
}

/** What was written, as a task has it: a word for a rule is not yet the rule. */
function fieldsOf({ recurrence, ...fields }: Partial<NewTask> | TaskPatch): Partial<Task> {
  const rule = recurrence === undefined ? {} : { recurrence: ruleOf(recurrence) }
  // What the page clears may be null.
  return { ...(fields as Partial<Task>), ...rule }
}

const blank = (id: string, user_id: string): Task => ({
  id,
  user_id,
  list_id: null,
  parent_id: null,
  // After all that the server gives.
  position: '~',
  title: '',
  description: null,
  completed: false,
  completed_at: null,
  priority: 'none',
  tags: [],
  due_date: null,
  due_time: null,
  time_zone: null,
  recurrence: null,
  repeat_from: null,
  series_id: null,
  occurrence: null,
  reminders: [],
  version: 1,
  created_at: today(),
  updated_at: today(),
  deleted_at: null,
})

const blankList = (id: string, user_id: string): List => ({
  id,
  user_id,
  name: '',
  color: null,
  archived_at: null,
  position: '~',
  version: 1,
  created_at: today(),
  updated_at: today(),
  deleted_at: null,
})
