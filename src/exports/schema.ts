import { Type as t } from '@sinclair/typebox'

export const ExportQuerySchema = t.Object(
  {
    history: t.Optional(
      t.Union([t.Literal('on'), t.Literal('off')], {
        error: 'must be on or off',
        default: 'on',
        description:
          'Whether each list and each task comes with who changed what of it: off writes only what there is now.',
        examples: ['off'],
      }),
    ),
  },
  { additionalProperties: false },
)
