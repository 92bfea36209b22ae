import { Elysia } from 'elysia'
import { Problem } from './problem.ts'

/**
 * Makes the address of a request one that everything behind can rely on. A Host that is none is refused. Elysia looks
 * for the path from the 11th character on, where an address such as http://api/ has no slash left: the host, which
 * nothing here depends on, becomes a longer one.
 */
export const door = new Elysia({ name: 'door' })
  .wrap((handle) => (request: Request) => {
    const { url } = request
    const path = url.indexOf('/', 'http://'.length)
    return handle(
      path === -1 || path > 10
        ? request
        : new Request(`http://localhost${url.slice(path)}`, request),
    )
  })
  .onRequest(({ request }) => {
    if (!URL.canParse(request.url)) throw new Problem(400, 'The Host header is not valid.')
  })
