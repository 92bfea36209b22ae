import { common, operation, withBody } from '../http/operation.ts'
import { ImportedSchema, ImportQuerySchema } from './schema.ts'

export const importOperations = {
  import: operation({
    operationId: 'importFile',
    summary: 'Import what Docket or another program exports',
    description:
      'Docket: what `GET /api/me/export` and `docket export` write, JSON Lines, at most 64 MiB and 100,000 lists and tasks. Whoever it was of, it is yours ' +
      'then: under the same ids, and of what is there already the later version stays. A line that is wrong is told, and then nothing is written. What cannot be ' +
      'where it was comes into the inbox, or under nothing, with a warning; what was done before, and by whom, stays in the file. Where it ends half way, with 503 or ' +
      'a lost connection, send it again. Todoist: a project as CSV, the ZIP archive of a backup, or the JSON that its API answers to a sync. TickTick: its CSV backup. iCalendar: ' +
      'the tasks (VTODO) of Nextcloud, Tasks.org, Apple and others. Twice is once: what is there already stays as it is, whatever has become of it, and ' +
      'what is missing is added. Nothing else is changed. A line of another program that cannot be taken is a warning. Undo all of it by its `request_id`. Of another program at most 8 MiB, and 20,000 tasks.',
    query: ImportQuerySchema,
    file: {
      description: 'The file as it is.',
      types: [
        'text/csv',
        'text/calendar',
        'application/json',
        'application/zip',
        'text/plain',
        'application/octet-stream',
        'application/x-ndjson',
        'application/jsonl',
      ],
      example:
        'TYPE,CONTENT,PRIORITY,INDENT,DATE\ntask,Water the plants @home,1,1,2026-12-01\ntask,Fill the can,4,2,\n',
    },
    answers: {
      200: {
        description: 'What became of it.',
        schema: ImportedSchema,
        model: 'Imported',
        example: {
          tasks: 2,
          lists: 1,
          skipped: 0,
          warnings: [],
          warning_count: 0,
          request_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        },
      },
    },
    problems: [...common, ...withBody],
  }),
}
