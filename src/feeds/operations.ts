import { Type as t } from '@sinclair/typebox'
import { common, operation, withBody } from '../http/operation.ts'
import { CalendarQuerySchema, FeedSchema, FeedWithUrlSchema } from './schema.ts'

// What the documentation says of each route, and what Eden learns of its answers.

const example = {
  id: '019d2f6e-a16f-7c8d-9e0f-4a5b6c7d8e9f',
  user_id: 'alice',
  name: 'Home',
  list_id: '019d2f6e-5b1a-7c3d-8e2f-1a0b9c8d7e6f',
  filter: null,
  created_at: '2026-11-20T22:36:42.123456+00:00',
  updated_at: '2026-11-20T22:36:42.123456+00:00',
  last_used_on: '2026-11-27',
}

const one = (description: string) =>
  ({ description, schema: FeedSchema, model: 'Feed', example }) as const

const withUrl = {
  description: 'The feed, with its address.',
  schema: FeedWithUrlSchema,
  model: 'FeedWithUrl',
  example: {
    ...example,
    last_used_on: null,
    url: 'https://api.example/feeds/4hSyCoxCGPfDT0HyqVgCmZ0YqEcvdYJOHYqf3S5XEKE.ics',
  },
} as const

/** A route is there twice, and each time has an id of its own. */
export function feedOperations(prefix: '/api' | '/api/:user_id') {
  const name = (id: string) => (prefix === '/api' ? id : `${id}OfUser`)
  return {
    list: operation({
      operationId: name('listFeeds'),
      summary: 'List calendar feeds',
      description: 'In the order in which they were made, without their addresses.',
      answers: {
        200: {
          description: 'Your feeds.',
          schema: t.Array(FeedSchema),
          model: 'Feed',
          list: true,
          example: [example],
        },
      },
      problems: [...common],
    }),
    create: operation({
      operationId: name('createFeed'),
      summary: 'Make a calendar feed',
      description:
        'A calendar that other programs follow, at an address that is said this once: whoever has it can read the calendar, without ' +
        'a sign-in. Up to 20 feeds can be there.',
      answers: { 201: { ...withUrl, headers: { Location: 'The path of the feed.' } } },
      problems: [...common, ...withBody, 404, 409],
    }),
    update: operation({
      operationId: name('updateFeed'),
      summary: 'Change what a calendar feed shows, or its name',
      description: 'What is absent stays as it is, and so does the address.',
      answers: { 200: one('The feed.') },
      problems: [...common, ...withBody, 404],
    }),
    delete: operation({
      operationId: name('deleteFeed'),
      summary: 'Delete a calendar feed',
      description: 'For good: its address shows nothing any more. No task goes with it.',
      answers: { 200: one('The feed as it was.') },
      problems: [...common, 404],
    }),
    rotate: operation({
      operationId: name('rotateFeed'),
      summary: 'Give a calendar feed another address',
      description: 'The one that it had shows nothing any more.',
      answers: { 200: withUrl },
      problems: [...common, 404],
    }),
  }
}

export const calendarOperation = operation({
  operationId: 'readCalendar',
  summary: 'Read a calendar by its secret address',
  description:
    'What a feed shows, as iCalendar (RFC 5545): tasks that are pending, up to 2,000. A task with a due date is an event of that day, ' +
    'or of half an hour; one that repeats by its due date is an event that repeats. Kept for five minutes.',
  query: CalendarQuerySchema,
  headers: {
    'If-None-Match': {
      description: 'An ETag: the answer is 304 without a body while the calendar is the same.',
      example: '"166340571258341"',
    },
  },
  answers: {
    200: {
      description: 'The calendar.',
      media: {
        type: 'text/calendar',
        example:
          'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Docket//Docket//EN\r\nX-WR-CALNAME:Home\r\nEND:VCALENDAR\r\n',
      },
      headers: { ETag: 'Of what it says.' },
    },
    304: { description: 'It is the same.' },
  },
  problems: [400, 404, 422, 429, 431, 500, 503],
})
