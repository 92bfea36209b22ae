import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate.ts'
import { ignoreBody, readBytes } from '../http/body.ts'
import { invalid, Problem } from '../http/problem.ts'
import { importPlan, type SetAside, type Store } from './importing.ts'
import { importOperations } from './operations.ts'
import { mostBytes, readPlan } from './readers.ts'
import { importModels } from './schema.ts'

/** The types that a file may have; without one it is a file as well. */
const media =
  /^(text\/(csv|calendar|plain)|application\/(json|zip|x-zip-compressed|octet-stream))\s*(;|$)/i

/** A file is whatever it is: what is in it says so. @throws Problem 408, 413, 415 or 503 */
async function readFile(request: Request): Promise<Uint8Array> {
  const bytes = await readBytes(request, mostBytes)
  const type = request.headers.get('content-type')
  if (type !== null && !media.test(type)) {
    throw new Problem(
      415,
      'Send the file as text/csv, text/calendar, application/json, application/zip, text/plain or application/octet-stream.',
    )
  }
  return bytes
}

/** What comes from other programs. */
export const importRoutes = (
  gate: Gate,
  signedIn: SignedIn,
  store: Store,
  setAside: SetAside,
  findTimeZone: (db: Db, userId: string) => Promise<string | null>,
) =>
  new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ dbFor: () => gate.for(request, user.id) }))
    .model(importModels)
    .post(
      '/import',
      async ({ dbFor, user, query, request }) => {
        const { from, dry_run: isDry = false, name = '' } = query
        const bytes = await readFile(request)
        const zone = (await findTimeZone(dbFor(), user.id)) ?? 'UTC'
        const plan = await readPlan(from, { bytes, name }, user.id, zone)
        if (typeof plan === 'string') throw invalid([{ pointer: '', detail: plan }])
        return importPlan(dbFor, authorOf(user, request), plan, { isDry, zone, store, setAside })
      },
      { ...importOperations.import, parse: [ignoreBody] },
    )
