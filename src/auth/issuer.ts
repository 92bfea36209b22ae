import { randomUUID } from 'node:crypto'
import { Elysia } from 'elysia'
import { strangerAt } from '../http/address.ts'
import { tooMany } from '../http/errors.ts'
import { exchangeOf } from '../http/exchange.ts'
import { measured } from '../http/outgoing.ts'
import { overloaded, Problem } from '../http/problem.ts'
import { problemAnswer, toAnswer } from './answers.ts'
import type { IssuerOptions } from './better-auth.ts'
import { insertClient } from './client-writes.ts'
import { readClient, registered } from './clients.ts'
import { createCounter } from './counter.ts'
import { type Endpoint, findEndpoint, limits } from './endpoints.ts'
import { createExecutor } from './execute.ts'
import { type Asked, readForm, readInput } from './input.ts'
import { type Programs, resourceOf } from './oauth.ts'

export type { IssuerOptions } from './better-auth.ts'

/** Better Auth under /api/auth, loaded with the first request for it. Null: it is off. */
export function issuerRoutes(options: (() => IssuerOptions) | null, programs: Programs | null) {
  const handle = options === null ? refuse : createHandler(options, programs)
  const answer = async ({ request }: { request: Request }) => {
    try {
      return measured(await handle(request))
    } catch (error) {
      const isTold = exchangeOf(request).errorPage !== null
      if (error instanceof Problem && !isTold) return problemAnswer(error, request)
      throw error
    }
  }
  return new Elysia({ name: 'issuer', seed: options, detail: { hide: true } })
    .all('/api/auth', answer, { parse: 'none' })
    .all('/api/auth/*', answer, { parse: 'none' })
}

async function refuse(): Promise<Response> {
  throw new Problem(
    404,
    'There is nothing at this path: users sign in where the frontend has its Better Auth. With AUTH_ISSUER=on there is one here, ' +
      'with POST /api/auth/sign-in/email.',
  )
}

function createHandler(options: () => IssuerOptions, programs: Programs | null) {
  const counters = {
    passwords: createCounter(limits.passwords),
    accounts: createCounter(limits.accounts),
    providers: createCounter(limits.providers),
    mails: createCounter(limits.mails),
    clients: createCounter(limits.clients),
    others: createCounter(limits.others),
  }
  // Where it is reached is known when it listens.
  let known: IssuerOptions | undefined
  const given = () => (known ??= options())
  let execute: ReturnType<typeof createExecutor> | undefined

  return async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url)
    const path = pathname.slice('/api/auth'.length).replace(/(.)\/$/, '$1')
    const endpoint = findEndpoint(request.method, path, programs !== null)
    const exchange = exchangeOf(request)
    if (endpoint.isVisited && isVisit(request.headers)) exchange.errorPage = given().errorUrl
    const { address: addressOf, place } = exchange
    const address = addressOf()
    if (!place.hold(strangerAt(address))) throw overloaded()
    const retry = counters[endpoint.limit].take(address)
    if (retry > 0) throw tooMany('requests of this kind', retry)

    if (programs !== null && endpoint.path === '/oauth2/register') {
      const client = readClient(await readInput(request), programs.hosts)
      const id = randomUUID().replaceAll('-', '')
      const db = given().db.for(request, strangerAt(address))
      await insertClient(db, id, client, resourceOf(programs.url()))
      return Response.json(registered(id, client), { status: 201 })
    }
    const asked: Asked = { request, path, endpoint, address, ...(await read(request, endpoint)) }
    execute ??= createExecutor(given())
    return toAnswer(await execute(asked), request)
  }
}

const read = async (
  request: Request,
  { isOAuth }: Endpoint,
): Promise<Pick<Asked, 'input' | 'form'>> =>
  isOAuth
    ? { input: null, form: await readForm(request) }
    : { input: await readInput(request), form: null }

/** Whether a browser goes there, and not a program of a page. */
const isVisit = (headers: Headers): boolean =>
  !headers.has('authorization') && (headers.get('sec-fetch-mode') ?? 'navigate') === 'navigate'
