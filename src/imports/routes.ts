import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import { ignoreBody, readBytes } from '../http/body.ts'
import { invalid, overloaded, Problem } from '../http/problem.ts'
import { importPlan, type SetAside, type Store } from './importing.ts'
import { importOperations } from './operations.ts'
import { mostBytes, readPlan } from './readers.ts'
import { createRoom } from './room.ts'
import { type Imported, importModels } from './schema.ts'

/** The types that a file may have; without one it is a file as well. */
const media =
  /^(text\/(csv|calendar|plain)|application\/(json|(x-)?(ndjson|jsonl|jsonlines)|zip|x-zip-compressed|octet-stream))\s*(;|$)/i

/** Of each kind of file the most bytes, and the milliseconds in which they have to come. */
const usual = { most: mostBytes, milliseconds: 10_000 }
const ofDocket = { most: 64 * 1024 * 1024, milliseconds: 120_000 }

/** A file is whatever it is: what is in it says so. @throws Problem 408, 413, 415 or 503 */
async function readFile(request: Request, { most, milliseconds }: typeof usual) {
  const bytes = await readBytes(request, most, milliseconds)
  const type = request.headers.get('content-type')
  if (type !== null && !media.test(type)) {
    throw new Problem(
      415,
      'Send the file as application/x-ndjson, text/csv, text/calendar, application/json, application/zip, text/plain or application/octet-stream.',
    )
  }
  return bytes
}

/** Takes what Docket exports. */
export type ImportLines = (
  dbFor: () => Db,
  author: Author & { request_id: string },
  bytes: Uint8Array,
  options: { isDry: boolean; setAside: SetAside },
) => Promise<Imported>

/** What comes from elsewhere. */
export const importRoutes = (
  gate: Gate,
  signedIn: SignedIn,
  store: Store,
  importLines: ImportLines,
  setAside: SetAside,
  findTimeZone: (db: Db, userId: string) => Promise<string | null>,
) => {
  const room = createRoom()
  return new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ dbFor: () => gate.for(request, user.id) }))
    .model(importModels)
    .post(
      '/import',
      async ({ dbFor, user, query, request, server, set }) => {
        const { from = 'docket', dry_run: isDry = false, name = '' } = query
        const bounds = from === 'docket' ? ofDocket : usual
        const announced = Number(request.headers.get('content-length') ?? Number.NaN)
        const giveBack = room.take(user.id, announced <= bounds.most ? announced : bounds.most)
        if (giveBack === null) {
          throw overloaded('There are imports under way already. Try again when they are done.', 5)
        }
        try {
          const bytes = await readFile(request, bounds)
          const author = authorOf(user, request)
          if (from === 'docket') {
            // Bun would hang up on who hears nothing for a while; and then it would not, however long nothing comes after it.
            server?.timeout(request, 0)
            set.headers['connection'] = 'close'
            return await importLines(dbFor, author, bytes, { isDry, setAside })
          }
          const zone = (await findTimeZone(dbFor(), user.id)) ?? 'UTC'
          const plan = await readPlan(from, { bytes, name }, user.id, zone)
          if (typeof plan === 'string') throw invalid([{ pointer: '', detail: plan }])
          return await importPlan(dbFor, author, plan, { isDry, zone, store, setAside })
        } finally {
          giveBack()
        }
      },
      { ...importOperations.import, parse: [ignoreBody] },
    )
}
