import { expect, test } from 'bun:test'
import { app, send, signUp } from '../support/app.ts'

const alice = await signUp()

const post = (raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  send('POST', '/api/tasks', {
    raw,
    headers: { authorization: alice.authorization, 'content-type': 'application/json', ...headers },
  })

test.each([
  '{',
  '{"title":}',
  "{'title':'x'}",
  '{"title":"x"}}',
  '{"title":"x",}',
  'title=x',
  '\ufeff',
  'NaN',
  '{"title":"\t"}',
])('answers 400 to %j', async (raw) => {
  const answer = await post(raw)

  expect(answer.status).toBe(400)
  expect(answer.body.code).toBe('malformed')
})

test.each(['[]', 'null', '1', '"x"', 'true', '[{"title":"x"}]'])(
  'answers 422 to %s, which is no object',
  async (raw) => {
    const answer = await post(raw)

    expect(answer.status).toBe(422)
    expect(answer.body.errors).toEqual([{ pointer: '', detail: 'must be a JSON object' }])
  },
)

test('answers 422 to no body where one is needed', async () => {
  expect((await post('')).status).toBe(422)
})

test.each([
  [0x22, 0xff, 0x22],
  [0x22, 0xc3, 0x22],
  [0x22, 0xed, 0xa0, 0x80, 0x22],
])(
  'answers 400 to bytes that are not UTF-8, and stores nothing else in their place',
  async (...bytes) => {
    const encode = (text: string) => [...new TextEncoder().encode(text)]
    const raw = Uint8Array.from([...encode('{"title":'), ...bytes, ...encode('}')])

    expect((await post(raw)).status).toBe(400)
  },
)

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=latin1',
  'application/jsonx',
  '',
])('answers 415 to %p', async (type) => {
  const answer = await post('{"title":"x"}', { 'content-type': type })

  expect(answer.status).toBe(415)
  expect(answer.body.code).toBe('unsupported_media_type')
})

test.each([
  'application/json',
  'Application/JSON',
  'application/json;charset=utf-8',
  'application/json; charset="UTF-8"',
])('takes %p', async (type) => {
  expect((await post('{"title":"x"}', { 'content-type': type })).status).toBe(201)
})

test('answers 415 to a compressed body', async () => {
  const raw = Bun.gzipSync('{"title":"x"}')

  expect((await post(raw, { 'content-encoding': 'gzip' })).status).toBe(415)
})

test('answers 413 to a body that says it is too large, without reading it', async () => {
  const response = await app.handle(
    new Request('http://localhost/api/tasks', {
      method: 'POST',
      body: '{}',
      headers: {
        authorization: alice.authorization,
        'content-type': 'application/json',
        'content-length': '65537',
      },
    }),
  )

  expect(response.status).toBe(413)
  expect(await response.json()).toMatchObject({ code: 'too_large' })
})

test('answers 413 to a stream as soon as it is too large', async () => {
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      sent += 16_384
      controller.enqueue(new Uint8Array(16_384).fill(0x20))
    },
  })

  const response = await app.handle(
    new Request('http://localhost/api/tasks', {
      method: 'POST',
      body,
      headers: { authorization: alice.authorization, 'content-type': 'application/json' },
    }),
  )

  expect(response.status).toBe(413)
  expect(sent).toBeLessThan(200_000)
})
