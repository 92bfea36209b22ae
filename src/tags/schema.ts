import { type Static, Type as t } from '@sinclair/typebox'
import { tag } from '../tasks/schema.ts'

export const TagSchema = t.Object(
  {
    tag: { ...tag, description: 'As most of its tasks write it, or as one of them.' },
    count: t.Integer({
      minimum: 1,
      description: 'How many tasks have it, but for those in the trash.',
      examples: [7],
    }),
    pending: t.Integer({
      minimum: 0,
      description: 'How many of these are not completed.',
      examples: [3],
    }),
  },
  { additionalProperties: false, description: 'A tag, and how many tasks have it.' },
)
export type Tag = Static<typeof TagSchema>

export const RenameSchema = t.Object(
  {
    from: { ...tag, description: 'The tag that is to go, in any case and composition.' },
    to: {
      ...tag,
      description: 'What it is called from now on: another tag, or the same in another spelling.',
      examples: ['house'],
    },
    dry_run: t.Optional(
      t.Boolean({
        default: false,
        description: 'True only counts, and changes nothing.',
        examples: [false],
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'One tag into another.',
    examples: [{ from: 'home', to: 'house' }],
  },
)
export type Rename = Static<typeof RenameSchema>

export const RenamedSchema = t.Object(
  {
    matched: t.Integer({
      minimum: 0,
      description: 'How many tasks were to be changed.',
      examples: [7],
    }),
    changed: t.Integer({
      minimum: 0,
      description: 'How many were: 1,000 at most. Where it is fewer than matched, send it again.',
      examples: [7],
    }),
    request_id: t.String({
      description: 'Undo all of it by this.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
  },
  { additionalProperties: false, description: 'What a rename has changed.' },
)
export type Renamed = Static<typeof RenamedSchema>
