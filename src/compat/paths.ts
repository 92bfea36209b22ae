import type { CompatConfig } from '../config.ts'
import { pageSize } from '../tasks/rules.ts'
import { dayOf } from './dates.ts'
import { type Completed, fromWord, type Names } from './names.ts'

/** An address in our own words. */
export type Address = {
  url: string
  /** Of the client's path and of ours, which are the same but for their beginning. */
  from: string
  to: string
  /** Whether it is of tasks. */
  isOfTasks: boolean
  /** The name that each parameter was given under. */
  used: Map<string, string>
}

const escape = (text: string): string => text.replaceAll(/[.~-]/g, '\\$&')

export function createReader(config: CompatConfig, names: Names): (url: string) => Address {
  const { prefix, resource } = config
  const prefixed = prefix === null ? null : new RegExp(`^${escape(prefix)}(?=/|$)`)
  // What is under a user of that name is where it was.
  const resources =
    resource === null
      ? null
      : new RegExp(`^/api/(?:(?!${resource}/tasks(?:/|$))|[^/]+/)${resource}(?=/|$)`)

  return (url) => {
    const [, origin = '', from = '', query = ''] =
      /^([^/]*\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/.exec(url) ?? []
    const plain = prefixed === null ? from : from.replace(prefixed, '/api')
    const to =
      resources === null
        ? plain
        : plain.replace(resources, (path) => path.replace(/[^/]+$/, 'tasks'))
    const isOfTasks = /^\/api(?:\/[^/]+)?\/tasks(?:\/|$)/.test(to)
    const used = new Map<string, string>()
    const asked = isOfTasks && query !== '' ? readQuery(config, names, query, used) : query
    return { url: `${origin}${to}${asked}`, from, to, isOfTasks, used }
  }
}

function readQuery(
  config: CompatConfig,
  names: Names,
  query: string,
  used: Map<string, string>,
): string {
  const given = new URLSearchParams(query)
  const meant = new URLSearchParams()
  for (const [name, value] of given) {
    const [parameter, text] = readParameter(config, names, name, value)
    if (parameter === null) continue
    // The same by two names.
    if (used.get(parameter) !== name && meant.has(parameter, text)) continue
    used.set(parameter, name)
    meant.append(parameter, text)
  }
  // Not passed over like others that are not known: every page would be the first one.
  const page = config.keepsUnknown ? Number(given.get('page')) : 0
  if (Number.isSafeInteger(page) && page > 1) {
    used.set('offset', 'page')
    meant.set('offset', String((page - 1) * pageSize({ limit: Number(meant.get('limit') ?? 50) })))
  }
  return meant.size === 0 ? '' : `?${meant.toString()}`
}

/** A parameter in our own words; null: it means nothing. */
function readParameter(
  { keepsUnknown, hasDatetimes }: CompatConfig,
  names: Names,
  name: string,
  value: string,
): [string | null, string] {
  const completed = names.completed(name)
  if (completed !== undefined) return ['status', statusOf(completed, value)]
  const parameter = names.toParameter(name)
  switch (parameter) {
    case undefined:
      return [keepsUnknown ? null : name, value]
    case 'sort':
    case 'sort_by':
      return [parameter, names.toField(value) ?? value]
    case 'due_after':
    case 'due_before':
      return [parameter, hasDatetimes ? dayOf(value) : value]
    default:
      return [parameter, value]
  }
}

/** In a list of those that are completed, or not, by the name of the field. */
function statusOf(completed: Completed, value: string): string {
  const word =
    completed.words === null ? booleans.get(value.toLowerCase()) : fromWord(completed, value)
  return word === true ? 'completed' : word === false ? 'pending' : value
}

const booleans = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
