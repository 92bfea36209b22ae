import { type Static, Type as t } from '@sinclair/typebox'
import { storable, visible } from '../http/formats.ts'

const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server, or any UUID that the client chose.',
  examples: ['019d2f6e-9e5d-7b7c-8d1f-3f4a5b6c7d8e'],
})
const name = visible(100, {
  description:
    'Its name: `@name` uses it. Those that differ in case, marks or composition are one.',
  examples: ['Next up'],
})
const filter = storable(1, 1000, {
  description: 'The filter, as `filter=` of a list has it. It cannot name another one.',
  examples: ['priority:>=medium (due:<=today or #home)'],
})
const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-20T22:36:42.123456+00:00'],
  })

export const FilterSchema = t.Object(
  {
    id,
    user_id: t.String({ description: 'Whose it is.', examples: ['alice'] }),
    name,
    filter,
    created_at: instant('When it was first stored.'),
    updated_at: instant('When it last changed.'),
  },
  { additionalProperties: false, description: 'A filter that is kept under a name.' },
)
export type KeptFilter = Static<typeof FilterSchema>

export const NewFilterSchema = t.Object(
  { id: t.Optional(id), name, filter },
  {
    additionalProperties: false,
    description: 'A filter to be kept.',
    examples: [{ name: 'Next up', filter: 'priority:>=medium (due:<=today or #home)' }],
  },
)
export type NewFilter = Static<typeof NewFilterSchema>

export const FilterPatchSchema = t.Object(
  { name: t.Optional(name), filter: t.Optional(filter) },
  {
    additionalProperties: false,
    minProperties: 1,
    description: 'What is to change: what is absent stays.',
    examples: [{ name: 'Later' }],
  },
)
export type FilterPatch = Static<typeof FilterPatchSchema>

/** How many filters somebody can keep. */
export const mostKept = 200

export const filterModels = {
  Filter: FilterSchema,
  NewFilter: NewFilterSchema,
  FilterPatch: FilterPatchSchema,
}
