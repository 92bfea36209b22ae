import type { Activity } from '../../client.ts'

// What tokens and programs did, out of the log, in words.

/** What somebody did in one go: nothing for half an hour came before it. */
export type Run = { from: string; to: string; since: number; changes: Activity[] }

export type Actor = { kind: string; name: string; runs: Run[] }

const pause = 30 * 60 * 1000

export const keyOf = (kind: string, name: string): string => `${kind} ${name}`

/** Who did what, the latest first. @param changes the latest first */
export function actorsOf(changes: readonly Activity[]): Map<string, Actor> {
  const actors = new Map<string, Actor>()
  for (const change of changes) {
    const { kind, name } = change.by ?? {}
    if (kind === undefined || !name) continue
    const key = keyOf(kind, name)
    const actor = actors.get(key) ?? { kind, name, runs: [] }
    actors.set(key, actor)
    const run = actor.runs.at(-1)
    // An undo since then takes that one along too.
    const since = change.seq - 1
    if (run === undefined || Date.parse(run.from) - Date.parse(change.at) > pause) {
      actor.runs.push({ from: change.at, to: change.at, since, changes: [change] })
    } else {
      run.changes.push(change)
      run.from = change.at
      run.since = since
    }
  }
  return actors
}

const actions: Record<string, string> = {
  created: 'added',
  updated: 'edited',
  completed: 'completed',
  reopened: 'opened again',
  moved: 'moved',
  deleted: 'put into the trash',
  restored: 'brought back',
  imported: 'imported',
  purged: 'deleted for good',
}

export const sayAction = (action: string): string => actions[action] ?? action

export const sayCount = (count: number, what: string): string =>
  count === 1 ? `1 ${what}` : `${count.toLocaleString('en')} ${what}s`

/** 30 edited, 10 completed. */
export function sayChanges(changes: readonly Activity[]): string {
  const counts = [...Map.groupBy(changes, ({ action }) => action)]
  return counts
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([action, { length }]) => `${length} ${sayAction(action)}`)
    .join(', ')
}

/** A thing as it is after an undo. */
export type Undone = {
  type: string
  id: string
  task?: { title: string }
  list?: { name: string }
  kept?: string[]
}

export function sayUndone(things: readonly Undone[]): string {
  const counts = [...Map.groupBy(things, ({ type }) => type)]
  const words = counts.map(([type, { length }]) => sayCount(length, type)).toSorted()
  if (words.length === 0) return 'Undone, but for what was changed since.'
  return `Undone: ${words.toReversed().join(' and ')} ${things.length === 1 ? 'is' : 'are'} as before.`
}

const fields: Record<string, string> = {
  completed_at: 'completion',
  deleted_at: 'place in the trash',
  list_id: 'list',
  parent_id: 'place',
  position: 'place',
  due_date: 'due date',
  due_time: 'time',
  time_zone: 'time zone',
  repeat_from: 'repetition',
  recurrence: 'repetition',
  archived_at: 'place in the archive',
}

/** Each thing of which something is kept, with what that is: the title and due date of “Buy milk”. */
export const sayKept = (undone: readonly Undone[]): string[] =>
  undone.flatMap(({ kept = [], task, list }) =>
    kept.length === 0
      ? []
      : [`the ${join(kept.map((name) => fields[name] ?? name))} of “${task?.title ?? list?.name}”`],
  )

function join(words: string[]): string {
  const all = [...new Set(words)]
  return all.length < 2 ? all.join() : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`
}
