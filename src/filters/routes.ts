import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { ignoreBody, readBody } from '../http/body.ts'
import { exchangeOf } from '../http/exchange.ts'
import { isUuid } from '../http/formats.ts'
import { Problem } from '../http/problem.ts'
import { filterOperations } from './operations.ts'
import { listFilters } from './queries.ts'
import { filterModels, type KeptFilter, mostKept, type NewFilter } from './schema.ts'
import { deleteFilter, insertFilter, updateFilter } from './writes.ts'

/**
 * The filters that the caller keeps, under `/api` or `/api/{user_id}`.
 * @param check throws where a text is no filter
 */
export function filterRoutes<const Path extends '/api' | '/api/:user_id'>(
  prefix: Path,
  gate: Gate,
  signedIn: SignedIn,
  check: (filter: string) => void,
) {
  const operations = filterOperations(prefix)
  const parse = [({ request }: { request: Request }) => readBody(request)]

  return new Elysia({ prefix, tags: ['Filters'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ db: gate.for(request, user.id) }))
    .model(filterModels)
    .get('/filters', ({ db, user }) => listFilters(db, user.id), operations.list)
    .post(
      '/filters',
      async ({ db, user, body, path, request, set, status }) => {
        check(body.filter)
        const filter = await keep(db, user.id, body)
        const own = `${exchangeOf(request).prefix()}${path.replace(/\/$/, '')}/${filter.id}`
        set.headers['location'] = own
        return status(201, filter)
      },
      { ...operations.create, parse, body: 'NewFilter' },
    )
    .patch(
      '/filters/:id',
      async ({ db, user, params: { id }, body }) => {
        if (body.filter !== undefined) check(body.filter)
        const changed = isUuid(id) ? await updateFilter(db, user.id, id, body) : undefined
        if (changed === undefined) throw notFound()
        if (changed === 'name_taken') throw nameTaken()
        return changed
      },
      { ...operations.update, parse, body: 'FilterPatch' },
    )
    .delete(
      '/filters/:id',
      async ({ db, user, params: { id } }) => {
        const deleted = isUuid(id) ? await deleteFilter(db, user.id, id) : undefined
        if (deleted === undefined) throw notFound()
        return deleted
      },
      { ...operations.delete, parse: [ignoreBody] },
    )
}

/** @throws Problem 409, 422 */
async function keep(db: Db, userId: string, filter: NewFilter): Promise<KeptFilter> {
  const id = (filter.id ?? Bun.randomUUIDv7()).toLowerCase()
  const keepIt = async () => (await insertFilter(db, userId, id, filter))[0]
  // What came to be in its way at the same moment is seen the second time.
  const found = (await keepIt()) ?? (await keepIt())
  if (found === undefined) {
    throw new Problem(422, `You have ${mostKept} filters already: delete one first.`)
  }
  const { is_made, is_like_it, ...kept } = found
  if (is_made || is_like_it) return kept
  throw kept.id === id ? new Problem(409, 'You have another filter with this id.') : nameTaken()
}

const notFound = (): Problem => new Problem(404, 'You have no filter with this id.')

const nameTaken = (): Problem => new Problem(409, 'You have another filter of this name.')
