import { Elysia } from 'elysia'
import { exchangeOf } from './exchange.ts'
import { overloaded, Problem } from './problem.ts'

/** How long an address may be, in characters: the longest search with every tag fits. */
export const maxAddress = 14_000

/** How many headers a request may have: browsers and proxies send some thirty. */
const maxHeaders = 100

/** What says whether the process lives is answered however much there is to do. */
const isHealth = (url: string): boolean => /^https?:\/\/[^/]+\/(health|ready)\/?($|\?)/.test(url)

/** Refuses what should not come further. Used after CORS, so that a browser may read why. */
export const door = new Elysia({ name: 'door' }).onRequest(({ request }) => {
  if (exchangeOf(request).refused && !isHealth(request.url)) throw overloaded()
  const host = request.headers.get('host') ?? ''
  // Two of them arrive as one, with a comma.
  if (!URL.canParse(request.url) || host.includes(',')) {
    throw new Problem(400, 'The Host header is not valid.')
  }
  if (request.url.length > maxAddress || request.headers.count > maxHeaders) {
    throw new Problem(431, 'The address or the headers are too large.')
  }
})
