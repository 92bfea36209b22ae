import { Elysia, ParseError, ValidationError } from 'elysia'
import type { Logger } from 'pino'
import postgres from 'postgres'
import { remedyFor, sqlstateOf, wordsFor } from '../database/gate/sqlstates.ts'
import { exchangeOf } from './exchange.ts'
import { type Fault, invalid, overloaded, Problem } from './problem.ts'
import type { Rates } from './rates.ts'
import { findFaults } from './validation.ts'
import { absent } from './written.ts'

/** What a violated constraint means to the client, by its name: what is wrong with a field, or that something is not there. */
export type Constraints = Record<string, Fault | { status: 404 | 422; detail: string }>

/**
 * Renders whatever is thrown under a request, the only place that does. Used before any route: Elysia gives a hook
 * only to routes that come after it.
 */
export const errors = (constraints: Constraints, log: Logger, failures: Rates | null) =>
  new Elysia({ name: 'errors', seed: constraints }).onError(
    { as: 'global' },
    async ({ error, request, route, set }) => {
      const exchange = exchangeOf(request)
      // Of a path that is none there is no route, whatever the type says.
      exchange.route = route ?? ''
      exchange.sqlstate = sqlstateOf(error)

      let problem = toProblem(error, constraints, exchange.route)
      if (codeOf(error) === 'UNAVAILABLE' && error instanceof Error) {
        const { sqlstate } = exchange
        log.warn(
          { reason: error.message, ...(sqlstate === null ? {} : { sqlstate }) },
          wordsFor(sqlstate ?? '') ?? 'the database is unavailable',
        )
      }
      if (problem.status === 500) {
        const { id: request_id } = exchange
        log.error({ err: loggable(error), method: request.method, request_id }, 'a request failed')
      }
      // Only what failed is counted: a neighbour behind the same address who has a token is not kept out.
      if (problem.status === 401 && failures !== null) {
        const { allowed, retry } = await failures.count(exchange.address())
        if (!allowed) problem = tooMany('failed sign-ins', retry)
      }
      if (exchange.errorPage !== null) {
        const page = new URL(exchange.errorPage)
        page.searchParams.set('error', problem.code)
        return new Response(null, { status: 302, headers: { location: page.href } })
      }
      set.status = problem.status
      Object.assign(set.headers, problem.headers, { 'content-type': 'application/problem+json' })
      return problem.toBody(exchange.id)
    },
  )

function toProblem(error: unknown, constraints: Constraints, route: string): Problem {
  if (error instanceof Problem) return error
  if (error instanceof ValidationError) return fromValidation(error, route)
  if (error instanceof postgres.PostgresError) return fromPostgres(error, constraints)

  const code = codeOf(error)
  // Elysia wraps what a parser throws.
  if (error instanceof ParseError) return toProblem(error.cause, constraints, route)
  if (code === 'NOT_FOUND') return new Problem(404, 'There is nothing at this path.')
  if (code === 'UNAVAILABLE') {
    const isCrowded = error instanceof Error && 'isCrowded' in error
    return isCrowded ? overloaded() : unavailable(sqlstateOf(error))
  }
  return internal()
}

function fromValidation({ type, validator, value }: ValidationError, route: string): Problem {
  // An id that is no UUID is an id that nothing has.
  if (type === 'params') return absent(route.includes('/lists/:id') ? 'list' : 'task')
  if (type !== 'body' || !('Errors' in validator)) return internal()
  return invalid(findFaults(validator.Errors(value)))
}

/** Of a statement inside a transaction, which nobody can run again; elsewhere the scheduler has tried what there is to try. */
function fromPostgres({ code, constraint_name }: postgres.PostgresError, constraints: Constraints) {
  const isConstraint = code === '23514' || code === '23503'
  const meant = isConstraint && constraint_name ? constraints[constraint_name] : undefined
  if (meant !== undefined) {
    return 'pointer' in meant ? invalid([meant]) : new Problem(meant.status, meant.detail)
  }
  return remedyFor(code) === 'none' ? internal() : unavailable(code)
}

/** 429, in seconds. */
export const tooMany = (what: string, retry: number): Problem =>
  new Problem(
    429,
    `Too many ${what}. Try again in ${retry} ${retry === 1 ? 'second' : 'seconds'}.`,
    {
      headers: { 'retry-after': String(retry) },
    },
  )

const internal = (): Problem => new Problem(500, 'Something went wrong here. It has been logged.')

function unavailable(sqlstate: string | null): Problem {
  const why = wordsFor(sqlstate ?? '') ?? 'The database cannot be reached.'
  return new Problem(503, `${why} Try again.`, {
    headers: { 'retry-after': '1' },
    ...(sqlstate === '25006' ? { code: 'read_only' } : {}),
  })
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined

/** Without `detail`, `where` and `parameters` of PostgreSQL, which hold what users wrote. */
const loggable = (error: unknown) =>
  error instanceof Error
    ? { name: error.name, code: codeOf(error), message: error.message, stack: error.stack }
    : { message: String(error) }
