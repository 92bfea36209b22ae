import type { CompatConfig } from '../config.ts'
import type { Kept, Task } from '../tasks/schema.ts'
import { places } from './bodies.ts'
import { dateTimeOf } from './dates.ts'
import type { Names } from './names.ts'

type Answered = Task & Kept & { subtasks?: Answered[]; next_task?: Answered | null }

export type Answers = {
  /** A task, or a part of one, as the frontend knows it. */
  fields: (task: Partial<Answered>) => object
  task: (task: Answered) => object
  list: (tasks: Answered[], total: number) => unknown
}

/** Puts a value into objects, named from the outside in; the last of them has more. */
export function put(
  path: string[],
  value: unknown,
  more: object = {},
  make: (members: Record<string, unknown>) => object = (members) => members,
): unknown {
  const [last, ...outer] = path.toReversed()
  return last === undefined
    ? value
    : outer.reduce((inner, name) => make({ [name]: inner }), make({ [last]: value, ...more }))
}

export function createAnswers(config: CompatConfig, { allCompleted, toClient }: Names): Answers {
  const rename = ([name, value]: [string, unknown]): [string, unknown][] =>
    name === 'completed'
      ? allCompleted.map(({ name: own, words }) => [own, words?.[value ? 1 : 0] ?? value])
      : [[toClient(name), value]]

  const theirs = new Set(places.map(toClient))

  function fields({ extra = {}, subtasks, next_task, ...task }: Partial<Answered>): object {
    const { due_date, due_time = null, time_zone = null } = task
    const dated =
      config.hasDatetimes && due_date
        ? { ...task, due_date: dateTimeOf({ due_date, due_time, time_zone }) }
        : task
    const own = new Map(Object.entries(dated).flatMap(rename))
    // What was kept may have become a name of ours since. Where a task is may be theirs.
    const kept = Object.entries(extra).filter(
      ([name]) => config.keepsUnknown && (!own.has(name) || theirs.has(name)),
    )
    return {
      ...Object.fromEntries([...own, ...kept]),
      ...(subtasks === undefined ? {} : { subtasks: subtasks.map(fields) }),
      ...(next_task === undefined
        ? {}
        : { [toClient('next_task')]: next_task === null ? null : fields(next_task) }),
    }
  }

  return {
    fields,
    task: (task) => put(config.task, fields(task)) as object,
    list: (tasks, total) => put(config.list, tasks.map(fields), { total, count: tasks.length }),
  }
}

export const isTask = (value: unknown): value is Answered =>
  typeof value === 'object' && value !== null && 'id' in value && 'version' in value
