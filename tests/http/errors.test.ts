import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { Crowded, Unavailable } from '../../src/database/gate/faults.ts'
import { createGate } from '../../src/database/gate/gate.ts'
import { errors } from '../../src/http/errors.ts'
import { createLog } from '../../src/http/log.ts'
import { Problem } from '../../src/http/problem.ts'
import { sql } from '../support/app.ts'

const constraints = { positive: { pointer: '/amount', detail: 'must be positive' } }

/** What is answered when a handler throws. */
async function answerTo(thrown: unknown) {
  const app = new Elysia({ normalize: false })
    .use(errors(constraints, createLog('silent'), null))
    .get('/', () => {
      throw thrown
    })
  const response = await app.handle(
    new Request('http://localhost/', { headers: { 'x-request-id': 'test' } }),
  )
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const failure = (statement: string): Promise<unknown> =>
  sql.unsafe(statement).then(
    () => undefined,
    (error: unknown) => error,
  )

test('renders a problem with its headers', async () => {
  const answer = await answerTo(new Problem(503, 'Later.', { headers: { 'retry-after': '7' } }))

  expect(answer.status).toBe(503)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('retry-after')).toBe('7')
  expect(JSON.parse(answer.text)).toEqual({
    type: 'about:blank',
    title: 'Service Unavailable',
    status: 503,
    detail: 'Later.',
    code: 'unavailable',
    request_id: 'test',
  })
})

const raise = (code: string) => `do $$ begin raise exception using errcode = '${code}'; end $$`

test.each([
  ['25006', 'The database takes no writes at the moment. Try again.'],
  ['40001', 'Too many change the same thing at once. Try again.'],
  ['53100', 'The disk of the database is full: nothing can be written. Try again.'],
  ['53200', 'The database is short of memory, or of room for locks. Try again.'],
  ['53400', 'The database has reached a limit of its own. Try again.'],
  ['55P03', 'Others have locked what is to be changed. Try again.'],
  ['57014', 'The database took too long. Try again.'],
])('says what the database cannot do: %s', async (code, detail) => {
  const gate = createGate(sql, { permits: 1, deadline: 2000 })
  const write = gate.write((pool) => pool.unsafe(raise(code)))
  const refused = await write.catch((error: unknown) => error)

  // As the scheduler gives it, and as a statement does that is none of its.
  for (const error of [refused, await failure(raise(code))]) {
    const answer = await answerTo(error)

    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    const kind = code === '25006' ? 'read_only' : 'unavailable'
    expect(JSON.parse(answer.text)).toMatchObject({ detail, code: kind })
  }
})

test.each([
  ['an error', () => new Error('secret')],
  ['an error with a status', () => Object.assign(new Error('secret'), { status: 200 })],
  ['text', () => 'secret'],
  ['an object', () => ({ secret: 1 })],
])('says nothing of %s that was thrown', async (_what, make) => {
  const answer = await answerTo(make())

  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('secret')
  expect(JSON.parse(answer.text).code).toBe('internal')
})

test('turns a violated check into the fault that it stands for', async () => {
  const answer = await answerTo(
    await failure(
      `do $$ begin raise exception 'x' using errcode = '23514', constraint = 'positive'; end $$`,
    ),
  )

  expect(answer.status).toBe(422)
  expect(JSON.parse(answer.text).errors).toEqual([
    { pointer: '/amount', detail: 'must be positive' },
  ])
})

test('says nothing of a statement that fails', async () => {
  const answer = await answerTo(await failure('select secret from nowhere'))

  expect(answer.status).toBe(500)
  expect(answer.text).not.toMatch(/secret|nowhere|42P01/)
})

test('answers 503 where too much waits for a database that is well, and does not say it was away', async () => {
  const { status, text } = await answerTo(new Crowded('too many'))

  expect([status, JSON.parse(text).code]).toEqual([503, 'overloaded'])
  expect(text).toContain('too much to do')
})

test('answers 503 when the gate says that the database cannot be had', async () => {
  const answer = await answerTo(new Unavailable('secret'))

  expect(answer.status).toBe(503)
  expect(answer.headers.get('retry-after')).toBe('1')
  expect(answer.text).not.toContain('secret')
})
