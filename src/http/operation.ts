import { type TObject, type TSchema, Type as t } from '@sinclair/typebox'
import type { DocumentDecoration } from 'elysia'
import { type ProblemSchema, type ProblemStatus, statuses } from './problem.ts'
import { aliasesOf, queryReader } from './query.ts'

/** An answer below 400. */
export type Answer<S extends TSchema = TSchema> = {
  description: string
  /** Its type for Eden. Absent: there is no body. */
  schema?: S
  /** Where the document has the schema: a component's name, in an array or not. */
  model?: string
  list?: boolean
  /** What it is, if not JSON. */
  media?: { type: string; example: string }
  /** Response headers by name, with what each says. */
  headers?: Record<string, string>
  example?: object
}

/** A request header: what it does, and what JSON Schema says of its text. */
export type HeaderParameter = {
  description: string
  example: string
  minLength?: number
  maxLength?: number
  pattern?: string
}

type Schemas<A extends Record<number, Answer>, P extends ProblemStatus> = {
  [K in keyof A]: A[K] extends { schema: infer S extends TSchema } ? S : never
} & { [K in P]: typeof ProblemSchema }

type Operation<A extends Record<number, Answer>, P extends ProblemStatus, Q extends TObject> = {
  operationId: string
  summary: string
  description: string
  answers: A
  problems: readonly P[]
  /** Query parameters. Without a schema there are none, and any that is sent is refused. */
  query?: Q
  /** Whatever is in the query string means nothing, and is refused by nobody: monitors add to it. */
  anyQuery?: boolean
  /** Header parameters by name, with what each does. */
  headers?: Record<string, HeaderParameter>
  optionalBody?: boolean
  file?: FileBody
}

/** A body that is a file: its types, and an example of the first. */
type FileBody = { description: string; types: string[]; example: string }

/** What any route of a user can answer, and what one with a body can besides. */
export const common = [400, 401, 403, 422, 429, 431, 500, 503] as const
export const withBody = [408, 413, 415] as const

/** The hooks of a route. */
export type Described<R, Q extends TSchema> = {
  detail: DocumentDecoration
  transform: (context: { request: Request; query: unknown }) => void
  response: R
  query: Q
}

/**
 * What Elysia is told of a route: its documentation as `detail`, and a reader of its query string as `transform`.
 * `response` and `query` exist in the types only. Answers are held against the document in every test, and not again on
 * the hot path; a query schema would make Elysia read the query string in its own way.
 */
export function operation<
  const A extends Record<number, Answer>,
  const P extends ProblemStatus,
  Q extends TObject = typeof noQuery,
>({
  answers,
  problems,
  query,
  anyQuery = false,
  headers = {},
  optionalBody = false,
  file,
  ...about
}: Operation<A, P, Q>): Described<Schemas<A, P>, Q> {
  const schema = query ?? noQuery
  const readQuery = anyQuery ? () => ({}) : queryReader(schema)

  const detail = {
    ...about,
    responses: {
      ...mapValues(answers, renderAnswer),
      ...Object.fromEntries(problems.map((status) => [status, renderProblem(status)])),
    },
    'x-parameters': [...renderQuery(schema), ...renderHeaderParameters(headers)],
    'x-optional-body': optionalBody,
    ...(file === undefined ? {} : { 'x-body': renderFile(file) }),
  }
  return {
    detail,
    transform: (context) => {
      context.query = readQuery(context.request.url)
    },
    // These casts add what only the compiler sees: undefined is no schema to Elysia.
    response: undefined as unknown as Schemas<A, P>,
    query: undefined as unknown as Q,
  }
}

const renderFile = ({ description, types, example }: FileBody) => ({
  description,
  required: true,
  content: Object.fromEntries(
    types.map((type, index) => [
      type,
      { schema: { type: 'string' as const }, ...(index === 0 ? { example } : {}) },
    ]),
  ),
})

const noQuery = t.Object({}, { additionalProperties: false })

function renderQuery(schema: TObject) {
  return Object.entries(schema.properties).map(
    ([name, { description, examples, ...property }]) => ({
      name,
      in: 'query',
      required: schema.required?.includes(name) ?? false,
      description: [
        description,
        ...aliasesOf(property).map((alias) => `Also as \`${alias}\`.`),
      ].join(' '),
      // Not as the parameter's own `example`: the page would send every one of them.
      schema: examples === undefined ? property : { ...property, examples },
      // Words are separated by commas; free text is repeated.
      ...(property['type'] === 'array'
        ? { style: 'form', explode: property['items'].type === 'string' }
        : {}),
    }),
  )
}

const renderHeaderParameters = (headers: Record<string, HeaderParameter>) =>
  Object.entries(headers).map(([name, { description, example, ...limits }]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' as const, ...limits, examples: [example] },
  }))

function renderAnswer({ description, model, list, media, headers, example }: Answer) {
  const schema = model === undefined ? undefined : { $ref: `#/components/schemas/${model}` }
  return {
    description,
    headers: renderHeaders({ ...commonHeaders, ...headers }),
    ...(media === undefined
      ? {}
      : {
          content: {
            [media.type]: { schema: { type: 'string' as const }, example: media.example },
          },
        }),
    ...(schema === undefined
      ? {}
      : {
          content: {
            'application/json': {
              schema: list ? { type: 'array' as const, items: schema } : schema,
              ...(example === undefined ? {} : { example }),
            },
          },
        }),
  }
}

const renderHeaders = (headers: Record<string, string>) =>
  mapValues(headers, (description) => ({ description, schema: { type: 'string' as const } }))

const mapValues = <T, U>(object: Record<string, T>, map: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)]))

/** Headers that a problem of this status always has. */
const problemHeaders: Partial<Record<ProblemStatus, Record<string, string>>> = {
  401: { 'WWW-Authenticate': 'Bearer' },
  405: { Allow: 'The methods that this path has.' },
  429: { 'Retry-After': 'Seconds to wait.' },
  503: { 'Retry-After': 'Seconds to wait.' },
}

/** Headers that every answer has. */
const commonHeaders = { 'X-Request-Id': 'What this request is called in the log.' }

const request_id = '4bf92f3577b34da6a3ce929d0e0e4736'

function renderProblem(status: ProblemStatus) {
  const [title, code, description, detail] = statuses[status]
  const headers = problemHeaders[status]
  return {
    description,
    headers: renderHeaders({ ...commonHeaders, ...headers }),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: { type: 'about:blank', title, status, detail, code, request_id },
      },
    },
  }
}
