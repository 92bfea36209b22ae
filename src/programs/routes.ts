import { Elysia } from 'elysia'
import { hostOf } from '../auth/clients.ts'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Gate } from '../database/gate/gate.ts'
import { ignoreBody } from '../http/body.ts'
import { absent } from '../http/written.ts'
import { programOperations } from './operations.ts'
import { listPrograms } from './queries.ts'
import { programOf } from './rules.ts'
import { programModels } from './schema.ts'
import { deleteProgram } from './writes.ts'

/**
 * The programs that the caller let in.
 * @param hasAny false: nobody lets any in here, and there are no tables for it
 */
export const programRoutes = (gate: Gate, signedIn: SignedIn, hasAny: boolean) =>
  new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(programModels)
    .get(
      '/programs',
      async ({ db, user }) => {
        const consents = hasAny ? await listPrograms(db, user.id) : []
        return consents.map((consent) => programOf(consent, hostOf))
      },
      programOperations.list,
    )
    .delete(
      '/programs/:id',
      async ({ db, user, params: { id } }) => {
        const isId = hasAny && /^[\da-f]{32}$/.test(id)
        const deleted = isId ? await deleteProgram(db, user.id, id) : undefined
        if (deleted === undefined) throw absent('program')
        return programOf(deleted, hostOf)
      },
      { ...programOperations.delete, parse: [ignoreBody] },
    )
