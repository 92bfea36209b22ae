import { Elysia } from 'elysia'
import { version } from '../../package.json' with { type: 'json' }
import type { SignedIn } from '../auth/signed-in.ts'
import { readBody } from '../http/body.ts'
import { json } from '../http/json.ts'
import { originMatcher } from '../http/origins.ts'
import { Problem } from '../http/problem.ts'
import { createCaller, type House } from './caller.ts'
import { answer, codes, type Reply, RpcError, refusal } from './protocol.ts'

const info = { name: 'docket', title: 'Docket', version }

const instructions =
  'The tasks of one user. Call get_overview for what day it is. Ids come from the tools: never make one up. Dates are days on the ' +
  'calendar of the user. What was deleted is in the trash, and restore_task brings it back. Whatever a call has changed, undo with its request_id takes back.'

/** Fifty of the longest tasks there are, but for a few, as for a batch. */
const mostBytes = 1024 * 1024

/** What is within an argument within a message is deeper than any body of the API. */
const maxDepth = 16

/** A message, or what is to be said of what is none. */
type Heard = { message: object | null } | { reply: Reply }

/** The tools for agents, at /mcp. @param origins whose pages may call */
export function mcpRoutes(signedIn: SignedIn, origins: readonly string[], house: House) {
  const isOwnPage = originMatcher(origins)
  const refuseForeign = (request: Request): void => {
    const origin = request.headers.get('origin')
    if (origin === null || isOwnPage(origin) || isHere(origin, request)) return
    throw new Problem(403, 'This origin is not one of CORS_ORIGINS.')
  }

  return (
    new Elysia({ name: 'mcp', seed: origins, detail: { hide: true } })
      // Before it is known who asks.
      .onParse(({ request }) => refuseForeign(request))
      .use(signedIn)
      .post(
        '/mcp',
        async ({ request, user, body, set }) => {
          refuseForeign(request)
          const reply = await replyTo(body as Heard, request, () =>
            createCaller(request, user, house),
          )
          if (reply.body === null) return new Response(null, { status: reply.status })
          return json(set, JSON.stringify(reply.body), reply.status)
        },
        { parse: [({ request }: { request: Request }) => hear(request)] },
      )
  )
}

/** A page of this very server, on this machine: any other name could be pointed here by somebody else. */
const isHere = (origin: string, { url }: Request): boolean =>
  /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/.test(origin) &&
  new URL(url).origin === origin

/** @throws Problem 408, 413, 415, 503 */
async function hear(request: Request): Promise<Heard> {
  try {
    return { message: await readBody(request, mostBytes, maxDepth) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // In the words of the protocol: what is no JSON, and what is no object.
    if (error.status === 400)
      return { reply: refusal(new RpcError(codes.unreadable, error.message)) }
    if (error.status !== 422) throw error
    const words = 'This is no message of JSON-RPC 2.0. Send one at a time.'
    return { reply: refusal(new RpcError(codes.message, words)) }
  }
}

async function replyTo(
  heard: Heard,
  { headers }: Request,
  callerOf: () => ReturnType<typeof createCaller>,
): Promise<Reply> {
  if ('reply' in heard) return heard.reply
  // Loaded with the first message.
  const { callTool, listTools } = await import('./tools.ts')
  const caller = callerOf()
  return answer(heard.message, headers, {
    info,
    instructions,
    listTools: () => listTools(caller),
    callTool: (name, args) => callTool(caller, name, args),
  })
}
