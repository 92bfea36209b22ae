import type { CompatConfig } from '../config.ts'
import { type Fault, invalid, type ProblemBody } from '../http/problem.ts'
import type { Names } from './names.ts'

/** What is known of the request when something is wrong with it. */
type Given = {
  /** Its own words are used already. */
  isTold: boolean
  /** The name that each field and parameter was given under. */
  used: ReadonlyMap<string, string>
  /** What is to be kept of it. */
  kept: Record<string, unknown>
}

export const isProblem = ({ headers }: Response): boolean =>
  headers.get('content-type') === 'application/problem+json'

/** A problem as the frontend reads it: of its own names, and in its own members. */
export function createProblems({ hasMessage }: CompatConfig, names: Names) {
  const ownWords = (text: string) =>
    text.replaceAll(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => names.toClient(name))

  function translate({ pointer, detail, ...place }: Fault, { used, kept }: Given): Fault {
    const [, name = '', rest = ''] = /^\/([^/]*)(.*)$/.exec(pointer) ?? []
    if (name === '') return { pointer, detail, ...place }
    const longest = name === 'extra' ? longestOf(kept) : undefined
    if (longest !== undefined) {
      return {
        pointer: `/${longest}`,
        detail: `is kept with all that is not known, which ${detail}`,
      }
    }
    const own = used.get(name) ?? names.toClient(name)
    return {
      pointer: `/${own}${rest}`,
      detail: ofCompleted(name, names.completed(own)?.words) ?? ownWords(detail),
      ...place,
    }
  }

  return async (answer: Response, given: Given): Promise<Response> => {
    // It is ours: no other answer has this type.
    const problem = (await answer.json()) as ProblemBody
    const errors = given.isTold
      ? undefined
      : problem.errors?.map((fault) => translate(fault, given))
    const own = errors === undefined ? {} : { detail: invalid(errors).message, errors }
    const { detail } = { ...problem, ...own }
    const messages = hasMessage ? { message: detail, error: detail } : {}
    const { headers, status } = answer
    return new Response(JSON.stringify({ ...messages, ...problem, ...own }), { headers, status })
  }
}

const longestOf = (fields: Record<string, unknown>): string | undefined =>
  Object.entries(fields)
    .map(([name, value]) => ({ name, length: JSON.stringify(value).length }))
    .toSorted((a, b) => b.length - a.length)[0]?.name

/** What `completed`, or the parameter in its place, must be; undefined: what is said of the field holds. */
function ofCompleted(name: string, words: [string, string] | null | undefined): string | undefined {
  if (words === undefined) return undefined
  if (name === 'status')
    return `must be ${words === null ? 'true or false' : `one of all, ${words.join(', ')}`}`
  return words === null ? undefined : `must be ${words.join(' or ')}`
}
