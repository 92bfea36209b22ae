import { exchangeOf } from '../http/exchange.ts'
import { Problem, type ProblemStatus, statuses } from '../http/problem.ts'

/**
 * Better Auth's client reads `message` and `code` of an error, and compares `code` with Better Auth's own. To programs that speak OAuth the
 * two are `error_description` and `error`.
 */
type Fault = { message?: unknown; code?: unknown; error?: unknown; error_description?: unknown }

/**
 * An answer of Better Auth as this API gives it: an error is a problem, with Better Auth's `code` where it has one, and with its
 * `message`, or is thrown where a page tells of it. What a browser may read is said by http/cors.ts for all answers.
 */
export async function toAnswer(response: Response, request: Request): Promise<Response> {
  const headers = new Headers(response.headers)
  headers.delete('access-control-expose-headers')
  const { status } = response
  if (status < 400) return new Response(response.body, { status, headers })

  const fault = await readFault(response)
  const { code = fault.error, message = fault.error_description ?? words[String(code)] } = fault
  if (status >= 500) throw new Error(`Better Auth answered ${status}: ${String(code)}`)
  const known = isKnown(status) ? status : 400
  const detail = typeof message === 'string' ? message : statuses[known][3]
  const problem = new Problem(known, detail, typeof code === 'string' ? { code } : {})
  if (exchangeOf(request).errorPage !== null) throw problem
  return problemAnswer(problem, request, headers)
}

/** @param headers what was to be sent along, cookies among them */
export function problemAnswer(
  problem: Problem,
  request: Request,
  headers: Headers = new Headers(),
): Response {
  const { message, status } = problem
  for (const [name, value] of Object.entries(problem.headers)) headers.set(name, value)
  if (status === 401) headers.set('www-authenticate', 'Bearer')
  headers.set('content-type', 'application/problem+json')
  headers.delete('content-length')
  const body = {
    ...problem.toBody(exchangeOf(request).id),
    detail: sentence(message),
    message,
    ...(isOAuth(request) ? inOAuth(problem) : {}),
  }
  return new Response(JSON.stringify(body), { status, headers })
}

/** What the authorization server has no words for. */
const words: Record<string, string> = {
  invalid_signature:
    'This page is too old, or its address was changed. Begin again in your program.',
}

/** Whether a program asks that reads the answer as RFC 6749 has it. */
const isOAuth = ({ url }: Request): boolean =>
  /^[^?]*\/api\/auth\/oauth2\/(?:register|token|revoke)\/?(?:\?|$)/.test(url)

function inOAuth({ status, code, message }: Problem) {
  const own = code === statuses[status][1]
  const error = status >= 500 || status === 429 ? 'temporarily_unavailable' : 'invalid_request'
  return { error: own ? error : code, error_description: message }
}

const isKnown = (status: number): status is ProblemStatus => status in statuses

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`)

async function readFault(response: Response): Promise<Fault> {
  try {
    // Whatever it is: its fields are looked at one by one.
    return (await response.json()) ?? {}
  } catch {
    return {}
  }
}
