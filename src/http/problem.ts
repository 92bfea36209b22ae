import { type Static, Type as t } from '@sinclair/typebox'

const FaultSchema = t.Object({
  pointer: t.String({
    description: 'JSON Pointer to the field, or / and the name of the query parameter.',
    examples: ['/title'],
  }),
  detail: t.String({ description: 'What is wrong with it.', examples: ['must not be empty'] }),
  at: t.Optional(
    t.Integer({
      minimum: 0,
      description: 'Of a filter: where in it, in characters as JavaScript counts them.',
      examples: [0],
    }),
  ),
  length: t.Optional(
    t.Integer({ minimum: 0, description: 'Of a filter: how many characters.', examples: [6] }),
  ),
})

/** RFC 9457: the body of every answer of 400 and above. */
export const ProblemSchema = t.Object(
  {
    type: t.String({ description: 'Always about:blank: see `code`.', examples: ['about:blank'] }),
    title: t.String({ description: 'The name of the status.', examples: ['Not Found'] }),
    status: t.Integer({ description: 'The status.', examples: [404] }),
    detail: t.String({
      description: 'What is wrong and what to do, for a person.',
      examples: ['You have no task with this id.'],
    }),
    code: t.String({
      description: 'What is wrong, for a program. Stable.',
      examples: ['not_found'],
    }),
    request_id: t.String({
      description: 'As in the header X-Request-Id: what to name when asking for help.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
    errors: t.Optional(
      t.Array(FaultSchema, {
        description: 'With 422: each field at fault. With 409: each that was changed since.',
        examples: [[{ pointer: '/title', detail: 'must not be empty' }]],
      }),
    ),
  },
  { additionalProperties: false, description: 'What went wrong (RFC 9457).' },
)
export type ProblemBody = Static<typeof ProblemSchema>
export type Fault = Static<typeof FaultSchema>

/** Every status that a problem can have: its name, its code, when it is answered, and an example of a detail. */
export const statuses = {
  400: [
    'Bad Request',
    'malformed',
    'The request cannot be read: no JSON, no UTF-8, no valid Host.',
    'The body is not valid JSON in UTF-8.',
  ],
  401: [
    'Unauthorized',
    'unauthorized',
    'There is no token or session, or it is invalid or has expired.',
    'Sign in: there is no token or session here, or it is invalid or has expired.',
  ],
  403: [
    'Forbidden',
    'forbidden',
    'The user id in the path is neither `me` nor that of the token. Or an access token is not for this: the code is then ' +
      '`insufficient_scope`.',
    'The path names another user: put your own id there, or me.',
  ],
  404: [
    'Not Found',
    'not_found',
    'There is no such thing, or it belongs to somebody else.',
    'You have no task with this id.',
  ],
  405: [
    'Method Not Allowed',
    'method_not_allowed',
    'The path exists and has other methods.',
    'This path has no PUT: use one of GET, POST.',
  ],
  408: [
    'Request Timeout',
    'timeout',
    'The body did not arrive in time.',
    'The body did not arrive within 10 seconds.',
  ],
  409: [
    'Conflict',
    'conflict',
    'The id is taken. Or what is to be undone was changed since: `errors` names each field.',
    'You have another task with this id.',
  ],
  410: [
    'Gone',
    'resync',
    'The number of a change was never given here, or the database was restored since, or it is too long ago.',
    'This number means nothing here. Begin anew, from 0.',
  ],
  412: [
    'Precondition Failed',
    'precondition_failed',
    '`If-Match` names another version.',
    'The task has changed since: read it again.',
  ],
  413: [
    'Content Too Large',
    'too_large',
    'The body is too large.',
    'The body is larger than 65536 bytes.',
  ],
  415: [
    'Unsupported Media Type',
    'unsupported_media_type',
    'The body is not application/json.',
    'Send the body as application/json, in UTF-8 and not compressed.',
  ],
  422: [
    'Unprocessable Content',
    'invalid',
    'Fields or parameters are at fault: `errors` names each. Or there would be more than a user may have: the code is then ' +
      '`quota_exceeded`.',
    'title is required.',
  ],
  429: [
    'Too Many Requests',
    'rate_limited',
    'There were more requests than RATE_LIMIT allows in a minute, or too many failed sign-ins.',
    'Too many requests. Try again in 3 seconds.',
  ],
  431: [
    'Request Header Fields Too Large',
    'headers_too_large',
    'The address or the headers are too large.',
    'The address or the headers are too large.',
  ],
  500: [
    'Internal Server Error',
    'internal',
    'A fault of the server.',
    'Something went wrong here. It has been logged.',
  ],
  503: [
    'Service Unavailable',
    'unavailable',
    'The database cannot be reached for the moment, or cannot do this; where it takes no writes the code is `read_only`. Or there is ' +
      'too much to do: the code is then `overloaded`.',
    'The database cannot be reached. Try again.',
  ],
} as const
export type ProblemStatus = keyof typeof statuses

/** Throw one anywhere under a request; errors.ts renders it. */
export class Problem extends Error {
  readonly status: ProblemStatus
  readonly headers: Record<string, string>
  readonly errors: Fault[] | undefined
  readonly code: string

  constructor(
    status: ProblemStatus,
    detail: string,
    more: { headers?: Record<string, string>; errors?: Fault[]; code?: string } = {},
  ) {
    super(detail)
    this.status = status
    this.code = more.code ?? statuses[status][1]
    this.headers = more.headers ?? {}
    this.errors = more.errors
  }

  toBody(requestId: string): ProblemBody {
    return {
      type: 'about:blank',
      title: statuses[this.status][0],
      status: this.status,
      detail: this.message,
      code: this.code,
      request_id: requestId,
      ...(this.errors === undefined ? {} : { errors: this.errors }),
    }
  }
}

/** 422 for these fields or parameters. The detail names them all, for who reads nothing else. */
export const invalid = (errors: Fault[]): Problem =>
  new Problem(
    422,
    errors
      .map(({ pointer, detail }) =>
        pointer === '' ? `The body ${detail}` : `${pointer.slice(1)} ${detail}`,
      )
      .join('; ')
      .concat('.'),
    { errors },
  )

/** 503, at once, where there is too much to do: before anything was done about the request. */
export const overloaded = (
  detail = 'There is too much to do at the moment. Try again.',
  seconds = 1,
): Problem =>
  new Problem(503, detail, { code: 'overloaded', headers: { 'retry-after': String(seconds) } })

/** 503, after as many attempts as there are: nothing was done. */
export const contended = (things: string): Problem =>
  new Problem(503, `Somebody changes the same ${things} just now. Try again.`, {
    headers: { 'retry-after': '1' },
  })
