import { betterAuth } from 'better-auth'
import { projects } from './auth.js'

// A project's Better Auth as a process: prints its address when it is ready.

const [{ make, optionsOf }] = projects
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request) =>
    new URL(request.url).pathname === '/expire' ? expire(request) : auth.handler(request),
})
const auth = betterAuth({
  ...optionsOf(await make()),
  baseURL: server.url.origin,
  secret: process.env.SECRET,
})

/** Moves the end of a session, as Better Auth does it by its adapter whenever it extends one. */
async function expire(request) {
  const { token, seconds } = await request.json()
  const { internalAdapter } = await auth.$context
  const expiresAt = new Date(Date.now() + seconds * 1000)
  return Response.json(await internalAdapter.updateSession(token, { expiresAt }))
}

process.stdin.on('close', () => process.exit()).resume()
console.log(server.url.origin)
