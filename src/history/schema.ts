import { type Static, type TProperties, Type as t } from '@sinclair/typebox'
import { nullable, place, storable } from '../http/formats.ts'

const seq = t.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'The number of the change: each change of something of yours has the next one.',
  examples: [42],
})
const requestId = (description: string) =>
  storable(1, 128, { description, examples: ['4bf92f3577b34da6a3ce929d0e0e4736'] })

const kind = t.Union(
  [t.Literal('session'), t.Literal('token'), t.Literal('program'), t.Literal('jwt')],
  {
    error: 'must be one of session, token, program, jwt',
    description: 'What they were signed in by.',
    examples: ['session'],
  },
)
const name = storable(1, 255, { description: 'Their name.', examples: ['Alice'] })

export const ChangeSchema = t.Object(
  {
    seq,
    at: t.String({
      format: 'date-time',
      description: 'When.',
      examples: ['2026-11-20T22:36:42.123456+00:00'],
    }),
    by: nullable(
      t.Object(
        { kind, name: nullable(t.String({ description: 'Their name.', examples: ['Alice'] })) },
        {
          additionalProperties: false,
          description: 'Who did it; null: nobody knows.',
          examples: [{ kind: 'session', name: 'Alice' }],
        },
      ),
    ),
    request_id: nullable(
      t.String({
        description: 'The X-Request-Id of the request, of which there may be other changes too.',
        examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
      }),
    ),
    action: t.Union(
      [
        t.Literal('created'),
        t.Literal('updated'),
        t.Literal('completed'),
        t.Literal('reopened'),
        t.Literal('moved'),
        t.Literal('deleted'),
        t.Literal('restored'),
        t.Literal('imported'),
      ],
      { description: 'What it was.', examples: ['updated'] },
    ),
    fields: t.Unsafe<Record<string, { before: unknown; after: unknown }>>({
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { before: {}, after: {} },
        required: ['before', 'after'],
        additionalProperties: false,
      },
      description: 'What became different by it, but version and updated_at.',
      examples: [{ title: { before: 'Water the plants', after: 'Water the ferns' } }],
    }),
  },
  { additionalProperties: false, description: 'A change.' },
)
export type Change = Static<typeof ChangeSchema>

export const ActivitySchema = t.Object(
  {
    seq,
    at: ChangeSchema.properties.at,
    by: ChangeSchema.properties.by,
    request_id: ChangeSchema.properties.request_id,
    action: t.Union([...ChangeSchema.properties.action.anyOf, t.Literal('purged')], {
      description: 'What it was.',
      examples: ['updated'],
    }),
    type: t.Union([t.Literal('task'), t.Literal('list')], {
      description: 'Of what.',
      examples: ['task'],
    }),
    id: t.String({
      format: 'uuid',
      description: 'Its id.',
      examples: ['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'],
    }),
    title: nullable(
      t.String({
        description: 'What it is called now; null: it is gone for good.',
        examples: ['Water the ferns'],
      }),
    ),
  },
  { additionalProperties: false, description: 'A change, of whatever thing.' },
)
export type Activity = Static<typeof ActivitySchema>

export const ActivityQuerySchema = t.Object(
  {
    by_kind: t.Optional(
      t.Array(kind, {
        description: 'Only changes by who was signed in by one of these, separated by commas.',
        examples: [['token', 'program']],
      }),
    ),
    by_name: t.Optional({
      ...name,
      description: 'Only changes by who has this name.',
      examples: ['Claude'],
    }),
    limit: t.Optional(
      t.Integer({
        minimum: 1,
        default: 50,
        description: 'Changes in a page, 1 to 200; more is taken as 200.',
        examples: [50],
      }),
    ),
    cursor: t.Optional(
      t.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Only changes with a smaller number: where to go on, from the Link header.',
        examples: [42],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ActivityQuery = Static<typeof ActivityQuerySchema>

export const HistoryQuerySchema = t.Object(
  {
    limit: t.Optional(
      t.Integer({
        minimum: 1,
        default: 50,
        description: 'Changes in a page, 1 to 200; more is taken as 200.',
        examples: [50],
      }),
    ),
    cursor: t.Optional(
      t.String({
        description: 'Where to go on, from the Link header of a page of the same history.',
        examples: ['WzQyLDQyLCIxeDlxazN2Il0'],
      }),
    ),
  },
  { additionalProperties: false },
)
export type HistoryQuery = Static<typeof HistoryQuerySchema>

/** What is to be undone. What JSON Schema says here of more than one field is held by rules.ts. */
export const UndoSchema = t.Object(
  {
    request_id: t.Optional(requestId('All that this request has changed.')),
    seq: t.Optional({ ...seq, description: 'The change with this number.' }),
    since: t.Optional(
      place({
        error: 'must be the number of a change, or an instant such as 2026-11-20T22:36:42Z',
        description:
          'All changes with a greater number, or made at this instant (RFC 3339) or later.',
        examples: [41, '2026-11-20T22:36:42Z'],
      }),
    ),
    by: t.Optional(
      t.Object(
        { kind: t.Optional(kind), name: t.Optional(name) },
        {
          additionalProperties: false,
          minProperties: 1,
          description: 'With `since`: only changes by them.',
          examples: [{ kind: 'program', name: 'Assistant' }],
        },
      ),
    ),
    force: t.Optional(
      t.Boolean({
        default: false,
        description: 'True also takes back what somebody has made of it since.',
        examples: [true],
      }),
    ),
    keep: t.Optional(
      t.Boolean({
        default: false,
        description:
          'True leaves what somebody has made of it since as it is, says so in `kept`, and takes back the rest.',
        examples: [false],
      }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ['request_id'] }, { required: ['seq'] }, { required: ['since'] }],
    dependentRequired: { by: ['since'] },
    description: 'What is to be undone: a request, a change, or all since then.',
    examples: [
      { request_id: '4bf92f3577b34da6a3ce929d0e0e4736' },
      { seq: 42, force: true },
      { since: '2026-11-20T22:36:42Z', by: { kind: 'program' }, keep: true },
    ],
  },
)
export type Undo = Static<typeof UndoSchema>

/** @param schemas of things by their types in the log, of which the document has each under that name, with a capital */
export const undoneSchema = <S extends TProperties>(schemas: S) => {
  const types = Object.keys(schemas)
  return t.Unsafe<
    { seq: number; type: keyof S & string; id: string; kept?: string[] } & {
      [K in keyof S]?: Static<S[K]>
    }
  >(
    t.Object(
      {
        seq,
        type: t.Union(
          types.map((type) => t.Literal(type)),
          { description: 'What it is.', examples: types.slice(0, 1) },
        ),
        id: t.String({
          format: 'uuid',
          description: 'Its id.',
          examples: ['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'],
        }),
        ...Object.fromEntries(
          types.map((type) => [type, t.Optional(referTo(type, schemas[type]))]),
        ),
        kept: t.Optional(
          t.Array(t.String(), {
            minItems: 1,
            description:
              'With `keep`: the fields that are as somebody has made them since. Absent: there are none.',
            examples: [['title']],
          }),
        ),
      },
      { additionalProperties: false, description: 'A thing as it is after an undo.' },
    ),
  )
}

const referTo = (type: string, schema: TProperties[string] | undefined) =>
  t.Unsafe({
    $ref: `#/components/schemas/${type.charAt(0).toUpperCase()}${type.slice(1)}`,
    examples: schema?.['examples'] ?? [],
  })

export const PurgedSchema = t.Object(
  {
    purged: t.Integer({ minimum: 0, description: 'How many are gone for good.', examples: [7] }),
    more: t.Boolean({
      description: 'True: there was no time for all of them. Send it again.',
      examples: [false],
    }),
  },
  { additionalProperties: false, description: 'What was purged.' },
)
export type Purged = Static<typeof PurgedSchema>
