import { Elysia } from 'elysia'
import type { SignedIn } from '../auth/signed-in.ts'
import type { Db, Gate } from '../database/gate/gate.ts'
import { overloaded } from '../http/problem.ts'
import { security } from '../http/security.ts'
import { exportOperations, mediaType } from './operations.ts'
import { createStreams } from './streams.ts'

/** All that a user has, some lines at a time; what it was before goes with it, or not. */
export type ExportLines = (
  dbFor: () => Db,
  userId: string,
  options: { hasHistory: boolean; mostOfHistory: number },
) => AsyncGenerator<string>

/** Bytes of the changes of one thing. An import takes a line of as many again. */
const mostOfHistory = 2_000_000

/** What there is of the caller, to take along. */
export const exportRoutes = (
  gate: Gate,
  signedIn: SignedIn,
  exportLines: ExportLines,
  onFailure: (error: unknown) => void,
) => {
  const streams = createStreams(onFailure)
  return new Elysia({ prefix: '/api/me', tags: ['Me'] })
    .use(signedIn)
    .derive(({ request, user }) => ({ dbFor: () => gate.for(request, user.id) }))
    .get(
      '/export',
      async ({ dbFor, user, query, request }) => {
        const leave = streams.enter(user.id)
        if (leave === null) {
          throw overloaded(
            'There are exports on their way already. Try again when they are done.',
            5,
          )
        }
        const hasHistory = query.history !== 'off'
        const lines = exportLines(dbFor, user.id, { hasHistory, mostOfHistory })
        // What is wrong from the beginning is a problem, and no answer that ends too soon.
        const first = await lines.next().catch((error: unknown) => {
          leave()
          throw error
        })
        // Then nobody reads it.
        if (request.method === 'HEAD') leave()
        const day = Temporal.Now.plainDateISO('UTC').toString()
        const headers = {
          ...security,
          'content-type': mediaType,
          'content-disposition': `attachment; filename="docket-${day}.jsonl"`,
          // No proxy is to gather it.
          'x-accel-buffering': 'no',
        }
        return new Response(streams.open(beginning(first, lines), request.signal, leave), {
          headers,
        })
      },
      exportOperations.export,
    )
}

/** The texts, of which the first was asked for already. */
async function* beginning(
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string> {
  if (first.done) return
  yield first.value
  yield* rest
}
