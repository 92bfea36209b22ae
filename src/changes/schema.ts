import { type Static, Type as t } from '@sinclair/typebox'

const seq = t.Integer({
  minimum: 1,
  description: 'The number of the change: each of yours has the next one.',
  examples: [42],
})

/** What the document says of a kind of things: where its schema is, and one of them. */
export type Described = { type: string; model: string; example: { id: string } }

/** A change of something, with what it is now. */
export const changeSchema = (things: Described[]) =>
  t.Object(
    {
      seq,
      type: t.Union(
        things.map(({ type }) => t.Literal(type)),
        { description: 'What has changed.', examples: things.slice(0, 1).map(({ type }) => type) },
      ),
      id: t.String({
        format: 'uuid',
        description: 'Of what has changed.',
        examples: ['019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31'],
      }),
      ...Object.fromEntries(things.map(({ type, ...thing }) => [type, t.Optional(referTo(thing))])),
      purged: t.Optional(
        t.Literal(true, { description: 'It is gone for good.', examples: [true] }),
      ),
    },
    {
      additionalProperties: false,
      description:
        'The last change of something: with what it is now, also in the trash, or purged.',
    },
  )

const referTo = ({ model, example }: Omit<Described, 'type'>) =>
  t.Unsafe({
    $ref: `#/components/schemas/${model}`,
    description: 'As it is now.',
    examples: [example],
  })

/** The largest number that JSON has in every language. */
const most = Number.MAX_SAFE_INTEGER

const since = t.Integer({
  minimum: 0,
  maximum: most,
  default: 0,
  description:
    'What changed after the change with this number. 0: all there is. A number that was never given is answered with 410.',
  examples: [42],
})
const epoch = t.String({
  maxLength: 100,
  description:
    'The Docket-Epoch that came with the number. Where it is another one by now, the database was restored, and the answer is 410.',
  examples: ['5f2b9c1d7e3a4f60'],
})

export const ChangesQuerySchema = t.Object(
  {
    since: t.Optional(since),
    epoch: t.Optional(epoch),
    limit: t.Optional(
      t.Integer({
        minimum: 1,
        default: 200,
        description:
          'Changes in a page, 1 to 1000; more is taken as 1000. It ends at a megabyte in any case.',
        examples: [200],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ChangesQuery = Static<typeof ChangesQuerySchema>

export const EventsQuerySchema = t.Object(
  {
    since: t.Optional({
      ...since,
      default: undefined,
      description: `${since.description} Absent: what changes from now on.`,
    }),
    epoch: t.Optional(epoch),
  },
  { additionalProperties: false },
)
export type EventsQuery = Static<typeof EventsQuerySchema>
