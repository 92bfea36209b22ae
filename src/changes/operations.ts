import { type TSchema, Type as t } from '@sinclair/typebox'
import { common, operation } from '../http/operation.ts'
import { ChangesQuerySchema, EventsQuerySchema } from './schema.ts'

const headers = {
  ETag: 'The number of your last change, as W/"42": send it as If-None-Match.',
  'Docket-Epoch': 'What the numbers are of: send it as `epoch`.',
}

/** The routes below one path, as the document has them. */
export function changeOperations(path: '/api' | '/api/:user_id', change: TSchema, example: object) {
  const name = (verb: string) => (path === '/api' ? verb : `${verb}OfUser`)

  return {
    list: operation({
      operationId: name('listChanges'),
      summary: 'What has changed',
      description:
        'What has changed after a number, oldest first: each thing once, as it is now, in the trash too, and what is gone for good ' +
        'as `purged`. From 0 on that is all there is. While there is more, `Link` has the address of the next page; then go on from ' +
        'the last `seq`. Nothing is ever missing that has a smaller number than what you have seen.',
      query: ChangesQuerySchema,
      headers: {
        'If-None-Match': {
          description: 'An ETag: the answer is 304 without a body while nothing has changed.',
          example: 'W/"42"',
        },
      },
      answers: {
        200: {
          description: 'The changes.',
          schema: t.Array(change),
          model: 'Change',
          list: true,
          headers: { ...headers, Link: '`<address>; rel="next"`, if there is more.' },
          example: [{ seq: 42, type: 'task', ...example }],
        },
        304: { description: 'Nothing has changed.', schema: t.Void(), headers },
      },
      problems: [...common, 410],
    }),
    events: operation({
      operationId: name('followChanges'),
      summary: 'Follow what changes',
      description:
        'A stream of events (`text/event-stream`), as an `EventSource` reads it: `event: change`, its number as `id`, and as `data` what ' +
        '`changes` answers. It goes on after `Last-Event-ID`, `since` or from now on, and misses and repeats nothing. `event: resync`: ' +
        'the number means nothing here, begin anew with `changes`. `event: reminder` is a task that reminds: `{"id", "task_id", "title", ' +
        '"due_date", "due_time", "time_zone", "reminder", "timestamp"}`. It has no number, as nothing changes by it; who was away for less ' +
        'than a minute gets it when it comes back, maybe once more, with the same `id` in its data. The stream ends when the credential does.',
      query: EventsQuerySchema,
      headers: {
        'Last-Event-ID': {
          description: 'The `id` of the last event that you have.',
          example: '42',
        },
      },
      answers: {
        200: {
          description: 'The stream.',
          media: {
            type: 'text/event-stream',
            example:
              'id: 42\nevent: change\ndata: {"seq":42,"type":"task","id":"…","task":{…}}\n\n',
          },
          headers: { 'Docket-Epoch': headers['Docket-Epoch'] },
        },
      },
      problems: [...common],
    }),
  }
}
