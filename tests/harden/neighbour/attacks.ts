import { tokenOf } from '../support.ts'
import { wire } from './client.ts'
import { tryKeys, tryPasswords } from './credentials.ts'
import { reader, writer } from './data.ts'
import { ask, type Field, isOver } from './field.ts'
import { search } from './searches.ts'
import { walkShapes } from './shapes.ts'

/** What an attacker does, within the limits: whatever he likes, and where he is refused he goes on. */
export const attacks = {
  searches: search,
  pages: leaveUnread,
  writes: burst,
  passwords: tryPasswords,
  paths: lookAround,
  shapes: walkShapes,
  keys: tryKeys,
} satisfies Record<string, (field: Field) => Promise<void>>

export type Attack = keyof typeof attacks

// As they are written above.
export const attackNames = Object.keys(attacks) as Attack[]

const bearer = async (user: string) => ({ authorization: `Bearer ${await tokenOf(user)}` })

/** Pages of 12 MB on 60 connections, of which nobody reads a byte. One that the server closes is made anew. */
async function leaveUnread(field: Field): Promise<void> {
  const page = wire('GET', '/api/tasks?limit=200', await bearer(reader))
  const hold = async (): Promise<void> => {
    while (!isOver(field)) {
      const socket = field.deaf(page)
      await new Promise((resolve) => socket.once('close', resolve))
      await Bun.sleep(100)
    }
  }
  await Promise.all(Array.from({ length: 60 }, hold))
}

/** All writes of a minute at once, of 20 kB each: new tasks with and without a key, one id again and again, one task changed. */
async function burst(field: Field): Promise<void> {
  const headers = await bearer(writer)
  const description = 'Water the plants. '.repeat(1150).slice(0, 20_000)
  const id = crypto.randomUUID()
  let count = 0
  const next = () => {
    const title = `Burst ${(count += 1)}`
    const body = { title, description: `${title} ${description}`.slice(0, 20_000) }
    if (count % 4 === 0) return wire('POST', '/api/tasks', headers, body)
    if (count % 4 === 1) return wire('PATCH', `/api/tasks/${id}`, headers, body)
    if (count % 4 === 2) return wire('POST', '/api/tasks', headers, { ...body, id })
    return wire('POST', '/api/tasks', { ...headers, 'idempotency-key': title }, body)
  }
  await ask(field, 1200, next, { refused: 1000 })
}

/** What is nowhere, flat out, under /api/auth and elsewhere, also in long. */
async function lookAround(field: Field): Promise<void> {
  const long = 'x'.repeat(13_000)
  let count = 0
  const next = () => {
    const n = (count += 1)
    const paths = [`/api/auth/${n}`, `/api/auth/${n}/${long}`, `/api/auth/sign-in/${n}`, `/${n}`]
    return wire(n % 2 === 0 ? 'GET' : 'POST', paths[n % paths.length] ?? '/')
  }
  await ask(field, 8, next)
}
