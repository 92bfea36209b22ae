import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { OperatorError } from '../config.ts'
import { type Errand, type Means, run } from './errands.ts'

// The embedded database is open in one process. Commands of its owner ask that one, by a socket in its folder.

/** Of a path as the system takes it: 104 on macOS, 108 on Linux, with a NUL at the end. */
const longestPath = 100

const isWindows = process.platform === 'win32'

/**
 * Runs errands for those who may open the socket in the folder: its owner. Call it when the folder's lock is held.
 * @returns null where there is no such thing as a socket
 */
export function openSocket(folder: string, means: Means, log: Logger) {
  if (isWindows) return null
  const path = pathOf(folder)
  const underWay = new Set<AsyncGenerator>()

  async function answer(request: Request, server: Bun.Server<undefined>): Promise<Response> {
    // Commands take their time.
    server.timeout(request, 0)
    const errand = readErrand(request)
    if (errand === null) return new Response('There is no such errand.', { status: 400 })
    const output = run(means, errand, request.body ?? noInput)
    underWay.add(output)
    try {
      const first = await output.next()
      return new Response(streamOf(first, output), {
        headers: { 'content-type': 'application/octet-stream' },
      })
    } catch (error) {
      underWay.delete(output)
      if (error instanceof OperatorError) return new Response(error.message, { status: 422 })
      return new Response(`The server could not do it: ${tell(error)}.`, { status: 500 })
    }
  }

  function streamOf(first: Piece, output: AsyncGenerator<Uint8Array | string>) {
    let next: Piece | undefined = first
    let isLeft = false
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { done, value } = next ?? (await output.next())
          next = undefined
          if (isLeft) return
          if (!done) return controller.enqueue(typeof value === 'string' ? encode(value) : value)
          underWay.delete(output)
          controller.close()
        } catch (error) {
          underWay.delete(output)
          tell(error)
          // It is cut off, which whoever reads it sees.
          controller.error(error)
        }
      },
      async cancel() {
        isLeft = true
        underWay.delete(output)
        await output.return(undefined)
      },
    })
  }

  function tell(error: unknown): string {
    const reason = error instanceof Error ? error.message : String(error)
    log.error({ reason }, 'what a command asked for failed')
    return reason
  }

  try {
    // Of a process that was killed.
    rmSync(path, { force: true })
    const server = within(path, (short) =>
      // Nobody else, from the first moment on.
      withMask(0o177, () =>
        Bun.serve({
          unix: short,
          maxRequestBodySize: Number.MAX_SAFE_INTEGER,
          development: false,
          fetch: answer,
        }),
      ),
    )
    return {
      /** What is under way is given up. */
      stop: async (): Promise<void> => {
        await server.stop(true)
        rmSync(path, { force: true })
        await Promise.allSettled([...underWay].map((output) => output.return(undefined)))
      },
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn({ reason }, `no socket at ${path}: commands cannot be run while this server runs`)
    return null
  }
}

type Piece = IteratorResult<Uint8Array | string>

/**
 * Has the server of a folder run an errand.
 * @returns what it gives; null: there is no server
 * @throws OperatorError
 */
export async function ask(
  folder: string,
  errand: Errand,
  input: ReadableStream<Uint8Array> | null,
): Promise<AsyncIterable<Uint8Array> | null> {
  const path = pathOf(folder)
  if (isWindows || !existsSync(path)) return null
  try {
    const answer = await within(path, (short) =>
      fetch(`http://docket/?errand=${encodeURIComponent(JSON.stringify(errand))}`, {
        method: 'POST',
        unix: short,
        // Until it is done, however long that takes.
        timeout: false,
        ...(input === null ? {} : { body: input }),
      }),
    )
    if (!answer.ok) throw new OperatorError(await answer.text())
    return untilCut(answer.body ?? noInput)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    // A process that was killed has left it.
    if (code === 'ECONNREFUSED' || code === 'ENOENT') return null
    if (code === 'EACCES' || code === 'EPERM') {
      throw new OperatorError(
        `Cannot ask the Docket that uses ${folder}: it is another user's. Run this as that user.`,
      )
    }
    if (code === 'ECONNRESET') throw notAll()
    throw error
  }
}

async function* untilCut(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch {
    throw notAll()
  }
}

const notAll = () =>
  new OperatorError('The Docket that runs has not done all of it. Its log says why.')

const pathOf = (folder: string): string => join(resolve(folder), 'socket')

function readErrand(request: Request): Errand | null {
  try {
    // The owner of the folder says it, by a command of ours.
    return JSON.parse(new URL(request.url).searchParams.get('errand') ?? 'null') as Errand | null
  } catch {
    return null
  }
}

const noInput = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() })

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** By a link to its folder, where the path is longer than the system takes. */
function within<T>(path: string, use: (path: string) => T): T {
  if (Buffer.byteLength(path) <= longestPath) return use(path)
  const folder = mkdtempSync(join(tmpdir(), 'docket-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  try {
    symlinkSync(resolve(path, '..'), join(folder, 'd'))
    const used = use(join(folder, 'd', 'socket'))
    if (used instanceof Promise) void used.finally(remove).catch(() => {})
    else remove()
    return used
  } catch (error) {
    remove()
    throw error
  }
}

function withMask<T>(mask: number, make: () => T): T {
  const before = process.umask(mask)
  try {
    return make()
  } finally {
    process.umask(before)
  }
}
