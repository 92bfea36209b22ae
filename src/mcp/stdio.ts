import { type Config, OperatorError } from '../config.ts'
import { codes, headersOf, idOf } from './protocol.ts'

type Message = { id?: string | number; method?: unknown; params?: { requestId?: unknown } }

/**
 * For clients that start a command in place of asking an address: each line of standard input is a message for the server of
 * DOCKET_URL, and each answer a line of standard output. Ends when the input does.
 * @throws OperatorError
 */
export async function bridge({ server: { url, token } }: Config): Promise<void> {
  if (token === null) throw new OperatorError('Set DOCKET_TOKEN to a token of the user.')
  if (!/^[!-~]+$/.test(token)) {
    throw new OperatorError(
      'DOCKET_TOKEN is no token: it has a space, or a character that none has.',
    )
  }
  const address = `${url.replace(/\/$/, '')}/mcp`
  process.stdout.on('error', leave)
  const underWay = new Map<string | number, AbortController>()
  const pending = new Set<Promise<void>>()

  async function pass(line: string): Promise<void> {
    let message: Message
    try {
      message = JSON.parse(line)
    } catch {
      return say({
        jsonrpc: '2.0',
        id: null,
        error: { code: codes.unreadable, message: 'This is no JSON.' },
      })
    }
    const { id, method, params } = Object(message) as Message
    // The connection is what is given up here: it is all that the server knows of a call.
    const cancelled = method === 'notifications/cancelled' ? params?.requestId : undefined
    if (cancelled !== undefined) return underWay.get(cancelled as string | number)?.abort()

    const controller = new AbortController()
    if (id !== undefined) underWay.set(id, controller)
    try {
      const answer = await ask(line, message, controller.signal)
      // Whoever waits for an answer knows it by its id, which is not read of what is too deep.
      if (answer !== null)
        say(idOf(answer) === undefined && id !== undefined ? { ...answer, id } : answer)
    } catch (error) {
      if (controller.signal.aborted) return
      const why = error instanceof Error ? error.message : String(error)
      console.error(why)
      if (id !== undefined)
        say({ jsonrpc: '2.0', id, error: { code: codes.failure, message: why } })
    } finally {
      if (id !== undefined) underWay.delete(id)
    }
  }

  /** @returns null where nothing is said */
  async function ask(line: string, message: unknown, signal: AbortSignal): Promise<object | null> {
    const response = await fetch(address, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headersOf(message),
      },
      body: line,
      // Nobody else is to get the token.
      redirect: 'error',
      signal,
    }).catch((error: unknown) => {
      throw signal.aborted ? error : new Error(`Cannot reach ${address} (${nameOf(error)}).`)
    })
    const text = await response.text()
    if (text === '' && response.ok) return null
    const body = parse(text)
    if (body.jsonrpc === '2.0') return body
    const hint = response.status === 401 ? ' Set DOCKET_TOKEN to another one.' : ''
    throw new Error(`${address} answered ${response.status}. ${body.detail ?? ''}${hint}`.trim())
  }

  for await (const line of console) {
    if (line.trim() === '') continue
    const passed = pass(line)
    pending.add(passed)
    void passed.finally(() => pending.delete(passed))
  }
  await Promise.all(pending)
}

function say(message: object): void {
  try {
    process.stdout.write(`${JSON.stringify(message)}\n`)
  } catch {
    leave()
  }
}

/** The client has gone, with or without closing the input: nobody hears what is said. */
const leave = (): never => process.exit(0)

/** A message, or a problem, if it is what it should be. */
function parse(text: string): { jsonrpc?: string; detail?: string } {
  try {
    return Object(JSON.parse(text))
  } catch {
    return {}
  }
}

const nameOf = (error: unknown): string =>
  error instanceof Error ? ((error as { code?: string }).code ?? error.name) : 'unknown'
