// A frontend's Better Auth as a process of its own: prints its address when it is ready.
import { connectTo, gateOf } from './database.ts'
import { frontendAuth } from './frontend-auth.ts'

const { SECRET = '', ALGORITHM, DATABASE_URL } = process.env
const db = DATABASE_URL === undefined ? null : gateOf(connectTo(DATABASE_URL))

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: (request): Promise<Response> => auth.handler(request),
})
const url = server.url.origin
const auth = frontendAuth({
  secret: SECRET,
  url,
  algorithm: ALGORITHM === 'EdDSA' ? 'EdDSA' : 'HS256',
  db,
})
console.log(url)
