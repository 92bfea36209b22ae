import { readPlan } from '../../src/imports/readers.ts'
import type { Plan, TaskToMake } from '../../src/imports/rules.ts'
import type { SourceName } from '../../src/imports/schema.ts'
import { type Answer, send, type TestUser } from '../support/app.ts'

export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

/** A file of tests/imports/files, written by hand as the program writes it. */
export const fixture = (name: string): Promise<Uint8Array<ArrayBuffer>> =>
  Bun.file(new URL(`files/${name}`, import.meta.url)).bytes()

/** What would become of a file of Alice, who is in London. */
export async function planOf(
  from: SourceName,
  file: string | Uint8Array,
  name = '',
): Promise<Plan> {
  const bytes = typeof file === 'string' ? bytesOf(file) : file
  const plan = await readPlan(from, { bytes, name }, 'alice', 'Europe/London')
  if (typeof plan === 'string') throw new Error(`The file ${plan}.`)
  return plan
}

/** What is wrong with a file. */
export async function faultOf(from: SourceName, file: string | Uint8Array): Promise<string> {
  const bytes = typeof file === 'string' ? bytesOf(file) : file
  const plan = await readPlan(from, { bytes, name: '' }, 'alice', 'UTC')
  return typeof plan === 'string' ? plan : ''
}

export function taskOf({ tasks }: Plan, title: string): TaskToMake {
  const task = tasks.find((one) => one.title === title)
  if (task === undefined)
    throw new Error(`There is no ${title} in ${tasks.map((one) => one.title).join()}.`)
  return task
}

/** What is said of a task, without its title. */
export const warningsOf = ({ warnings }: Plan, title: string): string[] =>
  warnings.flatMap(({ what }) =>
    what.startsWith(`“${title}”: `) ? [what.slice(title.length + 4)] : [],
  )

/** The titles of a plan, each behind its list and those above it. */
export function pathsOf({ lists, tasks }: Plan): string[] {
  const names = new Map(lists.map(({ id, name }) => [id, name]))
  const byId = new Map(tasks.map((task) => [task.id, task]))
  const pathOf = ({ title, list_id, parent_id }: TaskToMake): string => {
    const parent = byId.get(parent_id ?? '')
    const above = parent === undefined ? (names.get(list_id ?? '') ?? '') : pathOf(parent)
    return `${above}/${title}`
  }
  return tasks.map(pathOf)
}

/** Sends a file as a user. */
export const importAs = (
  { authorization }: TestUser,
  query: string,
  file: string | Uint8Array<ArrayBuffer>,
  type = 'text/csv',
): Promise<Answer> =>
  send('POST', `/api/me/import${query}`, {
    headers: { authorization, 'content-type': type, 'x-request-id': crypto.randomUUID() },
    raw: file,
  })
