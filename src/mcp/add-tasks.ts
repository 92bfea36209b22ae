import { Value } from '@sinclair/typebox/value'
import { isUuid } from '../http/formats.ts'
import { invalid, Problem } from '../http/problem.ts'
import { findFaults } from '../http/validation.ts'
import { type Caller, explain, Refused, wordsFor } from './caller.ts'
import { type Fields, NewTask, toNewFields } from './fields.ts'
import { cut, outcome, type Task } from './lean.ts'

type Item = { index: number; fields: Fields }

/**
 * Makes those tasks that can be made, in one request that can be undone, and says of each what became of it.
 * @throws Problem 422 where none was made
 */
export async function addTasks(
  caller: Caller,
  given: readonly unknown[],
): Promise<Record<string, unknown>> {
  const faults = new Map<number, string>()
  const looked = await Promise.all(
    given.map(async (item, index): Promise<Item[]> => {
      try {
        if (!Value.Check(NewTask, item)) throw invalid(findFaults(Value.Errors(NewTask, item)))
        return [{ index, fields: await toNewFields(caller, item) }]
      } catch (error) {
        faults.set(index, wordsOrThrow(error, caller))
        return []
      }
    }),
  )
  const made = await makeAll(caller, looked.flat(), faults)
  if (made.size === 0) throw new Problem(422, `No task was added. ${allOf(faults)}`)
  const names = await caller.namesFor([...made.values()])
  const tasks = given.map((item, index) => {
    const task = made.get(index)
    return task === undefined
      ? { status: 'refused', title: titleOf(item), error: faults.get(index) }
      : outcome('created', task, names)
  })
  return { created: made.size, refused: faults.size, tasks, request_id: caller.requestId }
}

/** All but those that the API names as wrong, which it does part by part. */
async function makeAll(
  caller: Caller,
  items: Item[],
  faults: Map<number, string>,
): Promise<Map<number, Task>> {
  if (items.length === 0) return new Map()
  try {
    const tasks = items.map(({ fields }) => fields)
    const { value } = await caller.ask<Task[]>('POST', '/api/tasks/batch', { tasks })
    return new Map(value.map((task, position) => [items[position]?.index ?? position, task]))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const named = faultsOf(error, items)
    const found = named.length > 0 ? named : await orphansAmong(caller, items)
    // What is wrong with none of them is wrong with all.
    const wrong =
      found.length > 0 ? found : items.map(({ index }) => [index, explain(error.problem)] as const)
    for (const [index, words] of wrong) faults.set(index, words)
    return makeAll(
      caller,
      items.filter(({ index }) => !faults.has(index)),
      faults,
    )
  }
}

/** Those whose parent is not there, which the API says of all together. */
async function orphansAmong(caller: Caller, items: Item[]): Promise<[number, string][]> {
  const parents = new Set(items.flatMap(({ fields }) => parentOf(fields) ?? []))
  const absent = new Map<string, string>()
  for (const id of parents) {
    try {
      await caller.ask('GET', `/api/tasks/${id}`)
    } catch (error) {
      absent.set(id, `parent_id: ${wordsOrThrow(error, caller)}`)
    }
  }
  return items.flatMap(({ index, fields }): [number, string][] => {
    const words = absent.get(parentOf(fields) ?? '')
    return words === undefined ? [] : [[index, words]]
  })
}

const parentOf = ({ parent_id: id }: Fields): string | undefined =>
  typeof id === 'string' && isUuid(id) ? id.toLowerCase() : undefined

/** What is wrong with each that is named. */
function faultsOf({ problem }: Refused, items: Item[]): [number, string][] {
  return items.flatMap(({ index }, position): [number, string][] => {
    const own = problem.errors?.filter(({ pointer }) =>
      `${pointer}/`.startsWith(`/tasks/${position}/`),
    )
    return own === undefined || own.length === 0
      ? []
      : [[index, explain({ ...problem, errors: own })]]
  })
}

function wordsOrThrow(error: unknown, { requestId }: Caller): string {
  const words = wordsFor(error, requestId)
  if (words === null) throw error
  return words
}

/** The first of them. */
const allOf = (faults: Map<number, string>): string =>
  [...faults]
    .toSorted(([one], [other]) => one - other)
    .slice(0, 10)
    .map(([index, words]) => `tasks.${index}: ${words}`)
    .join(' ')

function titleOf(item: unknown): string | undefined {
  const { title } = Object(item)
  return typeof title === 'string' ? cut(title) : undefined
}
