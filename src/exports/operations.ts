import { common, operation } from '../http/operation.ts'
import { ExportQuerySchema } from './schema.ts'

/** JSON Lines has no registered type: this is what most programs call it. */
export const mediaType = 'application/x-ndjson'

export const exportOperations = {
  export: operation({
    operationId: 'exportMe',
    summary: 'Take along all that you have',
    description:
      'A file of JSON Lines, as `docket export` writes it: `{"user": …}`, then each `{"filter": …}`, each `{"list": …, "history": […]}` and each ' +
      '`{"task": …, "history": […]}`, in the order in which they changed, with the trash. `docket import` and `POST /api/me/import` read it. Webhooks, ' +
      'calendar feeds and credentials are not in it. What changes meanwhile may be there as it was or as it is: stop writing, or ask for `changes` afterwards. ' +
      'An answer that is cut off is not whole: ask again. A history has the newest 1,000 changes of each, and no more than some 2 MB.',
    query: ExportQuerySchema,
    answers: {
      200: {
        description: 'The lines. Of whom there is nothing there are none.',
        media: {
          type: mediaType,
          example:
            '{"user":{"id":"alice","created_at":"2026-11-20T22:36:42.123456+00:00"}}\n{"task":{"id":"019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31",…}}\n',
        },
        headers: { 'Content-Disposition': 'A name for the file.' },
      },
    },
    problems: common,
  }),
}
