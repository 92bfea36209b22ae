import { Elysia } from 'elysia'
import { Problem } from './problem.ts'

/** Refuses a request whose Host makes its address no URL: whatever reads the address may then rely on it. */
export const requireHost = new Elysia({ name: 'door' }).onRequest(({ request }) => {
  if (!URL.canParse(request.url)) throw new Problem(400, 'The Host header is not valid.')
})
