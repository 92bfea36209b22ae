import { keyLimits } from './once.ts'

// Headers as the document has them, of whatever is read and written alike.

export const etagOf = (thing: string) => ({
  ETag: `The version of the ${thing}, quoted: send it as If-Match with a change.`,
})

export const listHeaders = {
  ETag: 'The number of your last change, as W/"42", and more with a filter: send it as If-None-Match.',
  'Docket-Epoch': 'What that number is of: another one once the database was restored.',
}

export const unlessChanged = {
  'If-None-Match': {
    description: 'An ETag: the answer is 304 without a body while nothing of yours has changed.',
    example: 'W/"42"',
  },
}

export const replayedHeader = {
  'Idempotency-Replayed': 'true: this is the first answer to the same Idempotency-Key.',
}

export const idempotencyKey = {
  'Idempotency-Key': {
    description:
      '1 to 255 printable characters that name this request. Sent again with the same key within a day, it has no ' +
      'second effect, and the same answer.',
    example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
    ...keyLimits,
  },
}

export const ifMatch = (thing: string) => ({
  ...idempotencyKey,
  'If-Match': {
    description: `An ETag: change the ${thing} only while it has that version, else 412.`,
    example: '"1"',
  },
})
