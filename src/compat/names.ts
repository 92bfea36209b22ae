import type { CompatConfig } from '../config.ts'
import { aliasesOf } from '../http/query.ts'
import { TaskListQuerySchema, TaskSchema } from '../tasks/schema.ts'

/** What `completed` is called; with words for false and true it is those. */
export type Completed = { name: string; words: [string, string] | null }

export type Names = {
  /** What the client calls a field, a parameter or a word that is one of these. */
  toClient: (name: string) => string
  /** The field or parameter of a name of the client's, or of its own; undefined: it is none. */
  toField: (name: string) => string | undefined
  toParameter: (name: string) => string | undefined
  completed: (name: string) => Completed | undefined
  allCompleted: Completed[]
}

const fields = [...Object.keys(TaskSchema.properties), 'next_task']
const parameters = Object.entries(TaskListQuerySchema.properties).flatMap(([name, property]) => [
  name,
  ...aliasesOf(property),
])

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** The names of tasks as the frontend has them. Its own are taken as well as ours. */
export function createNames({ completed, isCamelCase }: CompatConfig): Names {
  const toClient = isCamelCase ? camel : (name: string) => name
  const mapOf = (names: string[]) =>
    new Map(names.flatMap((name) => [[name, name] as const, [toClient(name), name] as const]))
  const known = mapOf(fields)
  const asked = mapOf(parameters)
  const translated = new Set([...fields, ...parameters])
  const allCompleted = completed.map(({ name, words }) => ({
    name: words === null ? toClient(name) : name,
    words,
  }))
  if (allCompleted.length === 0) allCompleted.push({ name: 'completed', words: null })
  const completion = new Map(allCompleted.map((one) => [one.name, one]))

  return {
    toClient: (name) =>
      name === 'completed'
        ? (allCompleted[0]?.name ?? name)
        : translated.has(name)
          ? toClient(name)
          : name,
    toField: (name) => known.get(name),
    toParameter: (name) => asked.get(name),
    completed: (name) =>
      completion.get(name) ?? (name === 'completed' ? { name, words: null } : undefined),
    allCompleted,
  }
}

/** Whether it is completed, by one of the two words in any case; else what was given. */
export function fromWord({ words }: Completed, value: unknown): unknown {
  if (words === null || typeof value !== 'string') return value
  const [no, yes] = words.map((word) => word.toLowerCase())
  const small = value.toLowerCase()
  return small === yes ? true : small === no ? false : value
}
