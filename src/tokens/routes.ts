import { Elysia } from 'elysia'
import { hintOf, newAccessToken, tokenDigestOf } from '../auth/access-tokens.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Gate } from '../database/gate/gate.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { exchangeOf } from '../http/exchange.ts'
import { isUuid } from '../http/formats.ts'
import { Problem } from '../http/problem.ts'
import { absent } from '../http/written.ts'
import { tokenOperations } from './operations.ts'
import { listAccessTokens } from './queries.ts'
import { madeOf } from './rules.ts'
import { mostTokens, tokenModels } from './schema.ts'
import { deleteAccessToken, insertAccessToken, rotateAccessToken, type Secret } from './writes.ts'

/**
 * The access tokens of the caller, who has to be signed in: no token makes another one.
 * @param onGone is told of users of whom a token is worth nothing any more
 */
export const tokenRoutes = (gate: Gate, signedIn: SignedIn, onGone: (userId: string) => void) =>
  new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(tokenModels)
    .get('/tokens', ({ db, user }) => listAccessTokens(db, user.id), tokenOperations.list)
    .post(
      '/tokens',
      async ({ db, user, body, request, set, status }) => {
        const token = newAccessToken()
        const id = Bun.randomUUIDv7()
        const made = madeOf(body, Date.now())
        const found = await insertAccessToken(db, user.id, id, made, secretOf(token))
        if (found === null) throw absent('list')
        if (found === undefined) {
          throw new Problem(422, `You have ${mostTokens} tokens already: delete one first.`)
        }
        set.headers['location'] = `${exchangeOf(request).prefix()}/api/me/tokens/${id}`
        set.headers['cache-control'] = 'no-store'
        return status(201, { ...found, token })
      },
      {
        ...tokenOperations.create,
        parse: [({ request }: { request: Request }) => readBody(request)],
        body: 'NewAccessToken',
      },
    )
    .post(
      '/tokens/:id/rotate',
      async ({ db, user, params: { id }, set }) => {
        const token = newAccessToken()
        const rotated = isUuid(id)
          ? await rotateAccessToken(db, user.id, id, secretOf(token))
          : undefined
        if (rotated === undefined) throw absent('token')
        onGone(user.id)
        set.headers['cache-control'] = 'no-store'
        return { ...rotated, token }
      },
      { ...tokenOperations.rotate, parse: [ignoreBody] },
    )
    .delete(
      '/tokens/:id',
      async ({ db, user, params: { id } }) => {
        const deleted = isUuid(id) ? await deleteAccessToken(db, user.id, id) : undefined
        if (deleted === undefined) throw absent('token')
        onGone(user.id)
        return deleted
      },
      { ...tokenOperations.delete, parse: [ignoreBody] },
    )

const secretOf = (token: string): Secret => ({
  // It was just made here, with its checksum.
  digest: tokenDigestOf(token) ?? '',
  hint: hintOf(token),
})
