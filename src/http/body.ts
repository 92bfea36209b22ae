import { exchangeOf } from './exchange.ts'
import { invalid, overloaded, Problem } from './problem.ts'

/** The largest body, in bytes, of most routes: the longest task in UTF-8 fits. */
const usualLimit = 64 * 1024

/** Objects and arrays within each other: no body of most routes has more, and to look at 10,000 takes seconds. */
const usualDepth = 8

/**
 * What a body is: JSON with whatever parameters, of which a charset must be UTF-8; to change something also a merge patch
 * (RFC 7396), which is what every PATCH here is.
 */
function isJson(type: string, method: string): boolean {
  // Most often it is this.
  if (type === 'application/json') return true
  const [media = '', ...parameters] = type.toLowerCase().split(';')
  const isTaken = media.trim() === 'application/json' || (method === 'PATCH' && isMergePatch(media))
  return isTaken && parameters.every((parameter) => !foreignCharset.test(parameter))
}

const isMergePatch = (media: string): boolean => media.trim() === 'application/merge-patch+json'

const foreignCharset = /^\s*charset\s*=(?!\s*(?:"utf-?8"|'utf-?8'|utf-?8)?\s*$)/

/** How long, in milliseconds, a body may take to arrive. */
const patience = 10_000

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON object in the body of a request, or null without one. Elysia's own parser would take forms, let a client
 * send 128 MiB, store U+FFFD in the place of bytes that are not UTF-8, and keep the last of two values in silence.
 * @throws Problem 400, 408, 413, 415 or 422
 */
export async function readBody(
  request: Request,
  limit = usualLimit,
  depth = usualDepth,
): Promise<object | null> {
  const bytes = await readBytes(request, limit)
  if (bytes.length === 0) return null

  const { headers, method } = request
  const encoding = headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  if (!isJson(headers.get('content-type') ?? '', method) || encoding !== 'identity') {
    throw new Problem(415, 'Send the body as application/json, in UTF-8 and not compressed.')
  }
  const value = parse(bytes, depth)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid([{ pointer: '', detail: 'must be a JSON object' }])
  }
  return value
}

/**
 * The bytes of a body. Throws 413 before more than the limit is read, 408 when they do not come, and 503 when there is too
 * much to do by then.
 * @param milliseconds how long it may take to arrive
 */
export async function readBytes(
  request: Request,
  limit = usualLimit,
  milliseconds = patience,
): Promise<Uint8Array> {
  const { place } = exchangeOf(request)
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(tooSlow(milliseconds)), milliseconds)
  let bytes: Uint8Array
  place.setWaiting(true)
  try {
    bytes = await Promise.race([collect(request, limit), promise])
  } catch (error) {
    // The client hung up: nobody reads this, and nothing here is at fault.
    throw error instanceof Problem ? error : new Problem(400, 'The body ended before it was whole.')
  } finally {
    place.setWaiting(false)
    clearTimeout(timer)
  }
  if (!place.isWelcome()) throw overloaded()
  return bytes
}

const hangUp = { headers: { connection: 'close' } }

const tooLarge = (limit: number): Problem =>
  new Problem(413, `The body is larger than ${limit} bytes.`, hangUp)

const tooSlow = (milliseconds: number): Problem =>
  new Problem(408, `The body did not arrive within ${milliseconds / 1000} seconds.`, hangUp)

async function collect(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length')
  if (Number(announced) > limit) throw tooLarge(limit)
  if (announced !== null) return request.bytes()

  // Chunked: nobody knows how much will come.
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > limit) throw tooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Uint8Array, maxDepth: number): unknown {
  let text: string
  let value: unknown
  try {
    text = utf8.decode(bytes)
    value = JSON.parse(text)
  } catch {
    throw new Problem(400, 'The body is not valid JSON in UTF-8.')
  }
  const oddity = oddityOf(text, value, maxDepth)
  if (oddity !== null) throw new Problem(400, `The body ${oddity}.`)
  return value
}

/**
 * What is wrong with a text that parses to this value but is not what it seems, as the rest of a sentence: a tower of arrays, or a name twice
 * in one object. Null: nothing.
 */
export function oddityOf(text: string, value: unknown, deepest: number): string | null {
  let names = 0
  let depth = 0
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]
    if (character === '"') index = endOfString(text, index)
    else if (character === ':') names += 1
    else if (character === '}' || character === ']') depth -= 1
    else if ((character === '{' || character === '[') && ++depth > deepest) {
      return 'is nested too deeply'
    }
  }
  // Of two of a name the parser keeps one.
  return names === countNames(value) ? null : 'has the same name twice'
}

/** Where the string ends that begins at `start`, in JSON that is valid. */
function endOfString(text: string, start: number): number {
  let end = start
  let backslashes: number
  do {
    end = text.indexOf('"', end + 1)
    backslashes = 0
    while (text[end - 1 - backslashes] === '\\') backslashes += 1
  } while (backslashes % 2 === 1)
  return end
}

/** Of all objects within. */
function countNames(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const parts = Object.values(value)
  return parts.reduce(
    (sum, part) => sum + countNames(part),
    Array.isArray(value) ? 0 : parts.length,
  )
}

/** For a route that takes no body: one that is sent stays unread, where Elysia would parse it. */
export const ignoreBody = (): null => null
