// A frontend's Better Auth as a process of its own: prints its address when it is ready.
import { connect } from '../../src/database/connect.ts'
import { frontendAuth } from './frontend-auth.ts'

const { SECRET = '', ALGORITHM, DATABASE_URL, DATABASE_PREPARE } = process.env
const sql = DATABASE_URL === undefined ? null : connect(DATABASE_URL, DATABASE_PREPARE !== 'off')

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
  sql,
})
console.log(url)
