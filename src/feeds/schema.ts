import { type Static, Type as t } from '@sinclair/typebox'
import { nullable, storable, visible } from '../http/formats.ts'

const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server, or any UUID that the client chose.',
  examples: ['019d2f6e-a16f-7c8d-9e0f-4a5b6c7d8e9f'],
})
const user_id = t.String({ description: 'Whose it is.', examples: ['alice'] })
const name = visible(100, {
  description: 'What the calendar is called.',
  examples: ['Home'],
})
const list_id = t.String({
  format: 'uuid',
  description: 'The list whose tasks it shows; null: those of all lists, and of none.',
  examples: ['019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f'],
})
const filter = storable(1, 1000, {
  description:
    'Which tasks, as `filter=` of a list has it; it may name one that is kept. Null: all.',
  examples: ['priority:>=medium'],
})
const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-20T22:36:42.123456+00:00'],
  })
const created_at = instant('When it was first stored.')
const updated_at = instant('When it last changed, or got its address.')
const last_used_on = nullable(
  t.String({
    format: 'date',
    description: 'The last day, in UTC, on which somebody looked at it; null: nobody ever has.',
    examples: ['2026-11-27'],
  }),
)

export const FeedSchema = t.Object(
  {
    id,
    user_id,
    name,
    list_id: nullable(list_id),
    filter: nullable(filter),
    created_at,
    updated_at,
    last_used_on,
  },
  { additionalProperties: false, description: 'A calendar of tasks at a secret address.' },
)
export type Feed = Static<typeof FeedSchema>

export const FeedWithUrlSchema = t.Object(
  {
    ...FeedSchema.properties,
    url: t.String({
      description: 'Its address, said this once: whoever has it reads the calendar.',
      examples: ['https://api.example/feeds/4hSyCoxCGPfDT0HyqVgCmZ0YqEcvdYJOHYqf3S5XEKE.ics'],
    }),
  },
  { additionalProperties: false, description: 'A feed, with the address that it has from now on.' },
)
export type FeedWithUrl = Static<typeof FeedWithUrlSchema>

export const NewFeedSchema = t.Object(
  {
    id: t.Optional(id),
    name,
    list_id: t.Optional(nullable(list_id)),
    filter: t.Optional(nullable(filter)),
  },
  {
    additionalProperties: false,
    description: 'A feed to be made. Only the name is required.',
    examples: [{ name: 'Home', filter: 'priority:>=medium' }],
  },
)
export type NewFeed = Static<typeof NewFeedSchema>

export const FeedPatchSchema = t.Object(
  {
    name: t.Optional(name),
    list_id: t.Optional(nullable(list_id)),
    filter: t.Optional(nullable(filter)),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'What is to change: what is absent stays, null clears. The address stays.',
    examples: [{ name: 'House' }],
  },
)
export type FeedPatch = Static<typeof FeedPatchSchema>

export const CalendarQuerySchema = t.Object(
  {
    as: t.Optional(
      t.Union([t.Literal('event'), t.Literal('todo')], {
        error: 'must be event or todo',
        default: 'event',
        description:
          'As events, which every calendar shows; or as to-dos, with what has no due date and what was completed in the last 30 days.',
        examples: ['todo'],
      }),
    ),
  },
  { additionalProperties: false },
)

/** How many feeds somebody can have. */
export const mostFeeds = 20

export const feedModels = {
  Feed: FeedSchema,
  FeedWithUrl: FeedWithUrlSchema,
  NewFeed: NewFeedSchema,
  FeedPatch: FeedPatchSchema,
}

/** It was there a moment ago. */
export const feedConstraints = {
  feeds_list: { status: 404, detail: 'You have no list with this id.' },
} as const
