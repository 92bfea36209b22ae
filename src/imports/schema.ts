import { type Static, Type as t } from '@sinclair/typebox'
import { nullable, storable } from '../http/formats.ts'

/** The other programs whose files are read. */
export const sources = ['todoist', 'ticktick', 'ical'] as const
export type SourceName = (typeof sources)[number]

export const ImportQuerySchema = t.Object(
  {
    from: t.Optional(
      t.Union(
        [t.Literal('docket'), t.Literal('todoist'), t.Literal('ticktick'), t.Literal('ical')],
        {
          error: `must be one of docket, ${sources.join(', ')}`,
          default: 'docket',
          description: 'What has written the file.',
          examples: ['todoist'],
        },
      ),
    ),
    dry_run: t.Optional(
      t.Boolean({
        default: false,
        description: 'True only says what would become of it, and writes nothing.',
        examples: [true],
      }),
    ),
    name: t.Optional(
      storable(0, 200, {
        description:
          'What the file is called. A project of Todoist has its name there only, and so may a calendar: without one its tasks come into the inbox.',
        examples: ['Home [2203306141].csv'],
      }),
    ),
  },
  { additionalProperties: false },
)

/** The most warnings that are answered. */
export const mostWarnings = 200

const count = (meaning: string) => t.Integer({ minimum: 0, description: meaning, examples: [7] })

export const ImportedSchema = t.Object(
  {
    tasks: count(
      'Tasks that were made, or would be; of Docket also those that came in a later version.',
    ),
    lists: count('Lists that were made, or would be; likewise.'),
    skipped: count('Tasks that were there already, in the trash too: they stay as they are.'),
    warnings: t.Array(
      t.Object(
        {
          line: nullable(
            t.Integer({
              minimum: 1,
              description: 'The line of the file; null: it is about no single one.',
              examples: [12],
            }),
          ),
          what: t.String({
            description: 'What it is, for a person.',
            examples: ['“Water the plants”: how long it takes (30) is not taken.'],
          }),
        },
        { additionalProperties: false },
      ),
      {
        description: `What was not taken, or not as it was: the first ${mostWarnings}.`,
        examples: [[]],
      },
    ),
    warning_count: count('How many warnings there are in all.'),
    request_id: t.String({
      description: 'Undo all of it by this.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
  },
  { additionalProperties: false, description: 'What became of a file.' },
)
export type Imported = Static<typeof ImportedSchema>

export const importModels = { Imported: ImportedSchema }
