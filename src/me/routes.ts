import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Gate } from '../database/gate.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { json } from '../http/json.ts'
import { invalid, Problem } from '../http/problem.ts'
import { meOperations } from './operations.ts'
import { deleteSession, deleteUser, findAccount, listSessions } from './queries.ts'
import { meModels, type Session } from './schema.ts'

/** The caller, the caller's sessions, and the end of both. */
export const meRoutes = (gate: Gate, signedIn: SignedIn) =>
  new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request }) => ({ db: gate.for(request) }))
    .model(meModels)
    .get(
      '',
      async ({ db, user }) => {
        // A session comes with its account.
        const account = user.by === 'session' ? user : await findAccount(db, user.id)
        return {
          id: user.id,
          name: account?.name ?? user.name,
          email: account?.email ?? user.email,
          signed_in_by: user.by,
          session_id: user.session_id,
          expires_at: user.expires_at,
        }
      },
      meOperations.get,
    )
    .get(
      '/sessions',
      async ({ db, user, set }) =>
        json<Session[]>(set, JSON.stringify(await listSessions(db, user.id))),
      meOperations.listSessions,
    )
    .delete(
      '/sessions/:id',
      async ({ db, user, params: { id } }) => {
        const session = isText(id) ? await deleteSession(db, user.id, id) : undefined
        if (session === undefined) throw new Problem(404, 'You have no session with this id.')
        return session
      },
      { ...meOperations.deleteSession, parse: [ignoreBody] },
    )
    .delete(
      '',
      async ({ db, user, body }) => {
        if (body.confirm !== user.id) {
          throw invalid([{ pointer: '/confirm', detail: 'must be your own id' }])
        }
        return deleteUser(db, user.id)
      },
      {
        ...meOperations.delete,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Farewell',
      },
    )

/** Null where it could not be decoded. */
const isText = (id: string | null): boolean => id !== null && !id.includes('\0')
