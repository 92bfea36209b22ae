import { Type as t } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { readBody, readBytes } from '../http/body.ts'
import { hasAtMost, isStorable, nullable, storable } from '../http/formats.ts'
import { invalid, Problem } from '../http/problem.ts'
import { findFaults } from '../http/validation.ts'
import type { Endpoint } from './endpoints.ts'

/** In characters. An e-mail address has at most 254 (RFC 5321), and a JWT or an address of a page fits too. */
const longest = 4096

/**
 * What Better Auth stores as it comes, or does not look at. An account is entered by a code of its provider alone: an ID
 * token in place of it may be somebody else's, for nothing binds it to this browser.
 */
const InputSchema = t.Object({
  name: t.Optional(storable(0, 200, {})),
  image: t.Optional(nullable(storable(0, 2048, {}))),
  email: t.Optional(storable(0, 254, {})),
  idToken: t.Optional(t.Undefined({ error: 'is not taken: sign in by a code of the provider' })),
  // The authorization server reads it wherever it is.
  oauth_query: t.Optional(storable(0, longest, {})),
  additionalData: t.Optional(t.Undefined({ error: 'is not taken' })),
})
const input = TypeCompiler.Compile(InputSchema)

export type Input = Record<string, unknown>

/** A request for the issuer, looked through. */
export type Asked = {
  request: Request
  /** Under /api/auth, without a slash at its end. */
  path: string
  endpoint: Endpoint
  /** Of the client, as all limits count. */
  address: string
  input: Input | null
  /** What is asked by a form, as programs do it. */
  form: URLSearchParams | null
}

/**
 * The body of a request for Better Auth, or null without one. Better Auth hands some texts to the database as they are,
 * and has no upper bound for most.
 * @throws Problem as readBody does; 400 for text that cannot be stored, in the query too; 422
 */
export async function readInput(request: Request): Promise<Input | null> {
  for (const [name, value] of new URL(request.url).searchParams) refuse(name, value)
  if (request.method === 'GET') return null

  const body = await readBody(request)
  if (body === null) return null
  refuseWithin(body)
  if (!input.Check(body)) throw invalid(findFaults(input.Errors(body)))
  return { ...body }
}

/**
 * A form, as OAuth has it.
 * @throws Problem as readBytes does; 400 for text that cannot be stored; 415
 */
export async function readForm(request: Request): Promise<URLSearchParams> {
  for (const [name, value] of new URL(request.url).searchParams) refuse(name, value)
  const bytes = await readBytes(request)
  if (!isForm.test(request.headers.get('content-type') ?? '')) {
    throw new Problem(415, 'Send the body as application/x-www-form-urlencoded.')
  }
  const form = new URLSearchParams(new TextDecoder().decode(bytes))
  for (const [name, value] of form) refuse(name, value)
  return form
}

const isForm = /^application\/x-www-form-urlencoded *(?:;|$)/i

/** At any depth, of which readBody leaves few; names of fields too. */
function refuseWithin(value: unknown): void {
  if (typeof value === 'string') refuse(value)
  if (typeof value !== 'object' || value === null) return
  for (const [name, part] of Object.entries(value)) {
    refuse(name)
    refuseWithin(part)
  }
}

function refuse(...texts: string[]): void {
  if (!texts.every(isStorable)) {
    throw new Problem(400, 'The request has a NUL or half a surrogate pair in it.')
  }
  if (!texts.every((text) => hasAtMost(text, longest))) {
    throw new Problem(400, `The request has a text of more than ${longest} characters in it.`)
  }
}
