import { Elysia } from 'elysia'
import { authorOf } from '../auth/author.ts'
import type { Identify } from '../auth/identify.ts'
import type { Identity } from '../auth/identity.ts'
import { allows } from '../auth/scopes.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Tables } from '../auth/tables.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { timeZoneOf } from '../http/formats.ts'
import { json } from '../http/json.ts'
import { invalid, Problem } from '../http/problem.ts'
import { meOperations } from './operations.ts'
import {
  deleteSession,
  deleteUser,
  findAccount,
  findTimeZone,
  listSessions,
  mayBeGuest,
  setTimeZone,
} from './queries.ts'
import { type Me, meModels, type Session } from './schema.ts'

type Amount = NonNullable<Me['usage']>
type Reservation = { settle: (added: Amount | null) => void }

/** How much a user has, and may have. */
type Usage = {
  quota: Me['quota']
  read: (db: Db, userId: string) => Promise<Amount>
  setAside: (db: Db, userId: string, amount: Amount) => Reservation | Promise<Reservation>
  forget: (userId: string) => void
}

/** The caller, the caller's sessions, and the end of both. */
export const meRoutes = (
  gate: Gate,
  signedIn: SignedIn,
  { ofToken }: Identify,
  tables: Tables,
  usage: Usage,
  adopt: (db: Db, author: Author, guestId: string) => Promise<number>,
  /** Is told of users whose sessions or data are gone. */
  onGone: (userId: string) => void,
) =>
  new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(meModels)
    .get('', ({ db, user }) => describe(db, user, tables, usage), meOperations.get)
    .patch(
      '',
      async ({ db, user, body: { time_zone } }) => {
        await setTimeZone(db, user.id, time_zone === null ? null : timeZoneOf(time_zone))
        return describe(db, user, tables, usage)
      },
      {
        ...meOperations.update,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'MePatch',
      },
    )
    .get(
      '/sessions',
      async ({ db, user, set }) =>
        json<Session[]>(
          set,
          JSON.stringify(await tables.within(db, (found) => listSessions(db, found, user.id))),
        ),
      meOperations.listSessions,
    )
    .delete(
      '/sessions/:id',
      async ({ db, user, params: { id } }) => {
        const session = isText(id)
          ? await tables.within(db, (found) => deleteSession(db, found, user.id, id))
          : undefined
        if (session === undefined) throw new Problem(404, 'You have no session with this id.')
        onGone(user.id)
        return session
      },
      { ...meOperations.deleteSession, parse: [ignoreBody] },
    )
    .post(
      '/adopt',
      async ({ db, user, body, request }) => {
        const guest = await ofToken(db, body.token)
        if (
          guest === null ||
          !allows(guest.scopes, 'sign-in') ||
          !(await tables.within(db, (found) => mayBeGuest(db, found, guest.id)))
        ) {
          throw invalid([{ pointer: '/token', detail: 'is no credential of a guest' }])
        }
        if (guest.id === user.id) return { id: user.id, tasks: 0 }
        const reservation = await usage.setAside(db, user.id, await usage.read(db, guest.id))
        try {
          return { id: user.id, tasks: await adopt(db, authorOf(user, request), guest.id) }
        } finally {
          // What came meanwhile came along, so it is counted anew.
          reservation.settle(null)
          usage.forget(user.id)
          usage.forget(guest.id)
          onGone(guest.id)
        }
      },
      {
        ...meOperations.adopt,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Guest',
      },
    )
    .delete(
      '',
      async ({ db, user, body }) => {
        if (body.confirm !== user.id) {
          throw invalid([{ pointer: '/confirm', detail: 'must be your own id' }])
        }
        const deleted = await tables.within(db, (found) => deleteUser(db, found, user.id))
        usage.forget(user.id)
        onGone(user.id)
        return deleted
      },
      {
        ...meOperations.delete,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'Farewell',
      },
    )

async function describe(db: Db, user: Identity, tables: Tables, usage: Usage): Promise<Me> {
  // A session comes with its account.
  const [account, used, time_zone] = await Promise.all([
    user.by === 'session' ? user : tables.within(db, (found) => findAccount(db, found, user.id)),
    user.list_ids === null ? usage.read(db, user.id) : null,
    findTimeZone(db, user.id),
  ])
  return {
    id: user.id,
    name: account?.name ?? user.name,
    email: account?.email ?? user.email,
    signed_in_by: user.by,
    scopes: [...user.scopes],
    list_ids: user.list_ids === null ? null : [...user.list_ids],
    session_id: user.session_id,
    expires_at: user.expires_at,
    time_zone,
    quota: usage.quota,
    usage: used,
  }
}

/** Null where it could not be decoded. */
const isText = (id: string | null): boolean => id !== null && !id.includes('\0')
