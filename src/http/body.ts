import { invalid, Problem } from './problem.ts'

/** The largest body, in bytes: the longest task in UTF-8 fits. */
const limit = 64 * 1024

/** Objects and arrays within each other: no body of ours has more, and to look at 10,000 takes seconds. */
const maxDepth = 8

/** What a body is: `application/json`, if with a charset then UTF-8. */
const json = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The JSON object in the body of a request, or null without one. Elysia's own parser would take forms, let a client
 * send 128 MiB, and store U+FFFD in the place of bytes that are not UTF-8.
 * @throws Problem 400, 413, 415 or 422
 */
export async function readBody(request: Request): Promise<object | null> {
  const bytes = await readBytes(request)
  if (bytes.length === 0) return null

  const type = request.headers.get('content-type') ?? ''
  if (!json.test(type) || request.headers.has('content-encoding')) {
    throw new Problem(415, 'Send the body as application/json, in UTF-8 and not compressed.')
  }
  const value = parse(bytes)
  if (!isShallow(value, maxDepth)) throw new Problem(400, 'The body is nested too deeply.')
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid([{ pointer: '', detail: 'must be a JSON object' }])
  }
  return value
}

/** The bytes of a body. Throws 413 before more than the limit is read. */
export async function readBytes(request: Request): Promise<Uint8Array> {
  const tooLarge = new Problem(413, `The body is larger than ${limit} bytes.`, {
    headers: { connection: 'close' },
  })
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge
  if (request.headers.has('content-length')) return request.bytes()

  // Chunked: nobody knows how much will come.
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.length
    if (length > limit) throw tooLarge
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes))
  } catch {
    throw new Problem(400, 'The body is not valid JSON in UTF-8.')
  }
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1))
}

/** For a route that takes no body: one that is sent stays unread, where Elysia would parse it. */
export const ignoreBody = (): null => null
