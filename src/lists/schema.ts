import { type Static, type TSchema, Type as t } from '@sinclair/typebox'
import { nullable, visible } from '../http/formats.ts'

// Column names are field names: ListSchema is the row, the response body and the OpenAPI model.
const id = t.String({
  format: 'uuid',
  description: 'A UUIDv7 made by the server, or any UUID that the client chose.',
  examples: ['019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f'],
})
const user_id = t.String({ description: 'Whose it is.', examples: ['alice'] })
const name = visible(200, {
  description: 'What it is called. Two lists may have one name.',
  examples: ['Home'],
})
const color = t.String({
  pattern: '^#[0-9A-Fa-f]{6}$',
  error: 'must be a color as #rrggbb',
  description: 'As #rrggbb; null: none. Answered in small letters.',
  examples: ['#3366cc'],
})
const archived = t.Boolean({
  description: 'True archives it, false brings it back. Its tasks stay as they are.',
  examples: [false],
})
const instant = (meaning: string) =>
  t.String({
    format: 'date-time',
    description: meaning,
    examples: ['2026-11-20T22:36:42.123456+00:00'],
  })
const archived_at = nullable(instant('When it was archived; null: it is not.'))
const position = t.String({
  pattern: '^[0-9A-Za-z]{1,60}$',
  description: 'Its place among the lists: compare them byte by byte. To change it, move the list.',
  examples: ['i00000001c'],
})
const version = t.Integer({
  minimum: 1,
  description: 'Grows by one with each change; quoted, it is the ETag.',
  examples: [1],
})
const created_at = instant('When the server first stored it.')
const updated_at = instant('When it last changed.')
const deleted_at = nullable(instant('When it went to the trash; null: it is not there.'))

export const ListSchema = t.Object(
  {
    id,
    user_id,
    name,
    color: nullable(color),
    archived_at,
    position,
    version,
    created_at,
    updated_at,
    deleted_at,
  },
  { additionalProperties: false, description: 'A list of tasks.' },
)
export type List = Static<typeof ListSchema>

const count = (meaning: string) => t.Integer({ minimum: 0, description: meaning, examples: [7] })

export const CountedListSchema = t.Object(
  {
    ...ListSchema.properties,
    pending: t.Optional(count('With `counts`: its tasks that are not completed.')),
    completed: t.Optional(count('With `counts`: its tasks that are completed.')),
  },
  { additionalProperties: false, description: 'A list, and how many tasks are in it.' },
)
export type CountedList = Static<typeof CountedListSchema>

/** What the server gave and takes back: not to be written, so generators leave it out of what is sent. */
const given = <T extends TSchema>(schema: T) => t.Optional({ ...schema, readOnly: true })

const writable = { name, color: t.Optional(nullable(color)), archived: t.Optional(archived) }

export const NewListSchema = t.Object(
  { id: t.Optional(id), user_id: given(user_id), ...writable },
  {
    additionalProperties: false,
    description: 'A list to be created. Only the name is required.',
    examples: [{ name: 'Home', color: '#3366cc' }],
  },
)
export type NewList = Static<typeof NewListSchema>

/** What becomes of a list by itself, under the names of its fields. */
const course = {
  archived_at: given(archived_at),
  position: given(position),
  version: given(version),
  created_at: given(created_at),
  updated_at: given(updated_at),
  deleted_at: given(deleted_at),
}

export const ListPatchSchema = t.Object(
  { ...writable, name: t.Optional(name), id: given(id), user_id: given(user_id), ...course },
  {
    additionalProperties: false,
    minProperties: 1,
    description:
      'What is to change: a field that is absent stays, null clears it. What is read-only may be sent back as it was answered.',
    examples: [{ name: 'House' }, { archived: true }],
  },
)
export type ListPatch = Static<typeof ListPatchSchema>

export type Course = Partial<Pick<ListPatch, keyof typeof course>>

export const isOfCourse = (field: string): field is keyof Course => field in course

export type Changes = Omit<ListPatch, 'id' | 'user_id' | keyof Course>

const besides = (meaning: string) =>
  t.Optional({ ...id, description: meaning, examples: ['019d2f6e-5b1a-7c3d-8e2f-2b1c0d9e8f70'] })

export const ListMoveSchema = t.Object(
  {
    before: besides('The list that it shall be just before.'),
    after: besides('The list that it shall be just after.'),
  },
  {
    additionalProperties: false,
    dependentSchemas: { before: { not: { required: ['after'] } } },
    description: 'Where the list shall be among the others; without either, at the end.',
    examples: [{ after: '019d2f6e-5b1a-7c3d-8e2f-2b1c0d9e8f70' }],
  },
)
export type ListMove = Static<typeof ListMoveSchema>

export const ListsQuerySchema = t.Object(
  {
    archived: t.Optional(
      t.Boolean({
        description: 'True: only those that are archived; false: only the others. Absent: all.',
        examples: [false],
      }),
    ),
    deleted: t.Optional(
      t.Boolean({
        default: false,
        description: 'True lists the trash instead: what went there last comes first, 500 lists.',
        examples: [true],
      }),
    ),
    counts: t.Optional(
      t.Boolean({
        default: false,
        description: 'True: with how many tasks are in each. Those in the trash are not counted.',
        examples: [true],
      }),
    ),
  },
  { additionalProperties: false },
)
export type ListsQuery = Static<typeof ListsQuerySchema>

export const ListParamsSchema = t.Object({ user_id: t.Optional(t.String()), id })

/** Named so that OpenAPI shows each once, under components.schemas. */
export const listModels = {
  List: ListSchema,
  CountedList: CountedListSchema,
  NewList: NewListSchema,
  ListPatch: ListPatchSchema,
  ListMove: ListMoveSchema,
}

/** What the checks of the database mean to who sent the values. */
export const listConstraints = {
  lists_count: { status: 422, detail: 'You may have 500 lists, and this would be one more.' },
} as const
