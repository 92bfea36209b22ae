import { Elysia } from 'elysia'
import { exchangeOf } from './exchange.ts'
import { Problem } from './problem.ts'

/** How long an address may be, in characters: the longest search with every tag fits. */
const maxAddress = 14_000

/** How many headers a request may have: browsers and proxies send some thirty. */
const maxHeaders = 100

/** Refuses what should not come further. Used after CORS, so that a browser may read why. */
export const door = new Elysia({ name: 'door' }).onRequest(({ request }) => {
  if (exchangeOf(request).refused) {
    throw new Problem(503, 'There is too much to do at the moment. Try again.', {
      code: 'overloaded',
      headers: { 'retry-after': '1' },
    })
  }
  const host = request.headers.get('host') ?? ''
  // Two of them arrive as one, with a comma.
  if (!URL.canParse(request.url) || host.includes(',')) {
    throw new Problem(400, 'The Host header is not valid.')
  }
  if (request.url.length > maxAddress || request.headers.count > maxHeaders) {
    throw new Problem(431, 'The address or the headers are too large.')
  }
})
