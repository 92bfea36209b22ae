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
  'application/json; charset=utf-16; charset=utf-8',
  'application/json; charset="iso-8859-1"',
  'application/json-patch+json',
  'application/merge-patch+json',
  'text/json',
  'text/plain; application/json',
  '; application/json',
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
  'application/json; charset=utf8',
  'application/json;charset="Utf8"',
  'application/json;',
  'application/json ; ; charset = utf-8 ;',
  'application/json; charset=',
  'application/json; odata.metadata=minimal',
  'application/json;v=1;charset=UTF-8;profile="https://example.com/x"',
])('takes %p', async (type) => {
  expect((await post('{"title":"x"}', { 'content-type': type })).status).toBe(201)
})

test.each([
  'application/merge-patch+json',
  'Application/Merge-Patch+JSON; charset=utf8',
  'application/merge-patch+json;',
  'application/json;charset=utf8',
])('takes %p for a PATCH', async (type) => {
  const { id } = await alice.create()
  const patch = (path: string, raw: string, content: string) =>
    send('PATCH', path, {
      raw,
      headers: { authorization: alice.authorization, 'content-type': content },
    })

  const changed = await patch(`/api/tasks/${id}`, '{"title":"x","description":null}', type)
  const completed = await patch(`/api/tasks/${id}/complete`, '{"completed":true}', type)
  const other = await patch(
    `/api/tasks/${id}`,
    '{"title":"y"}',
    `${type.split(';')[0]}; charset=koi8-r`,
  )

  expect([changed.status, changed.body.title]).toEqual([200, 'x'])
  expect([completed.status, completed.body.completed]).toEqual([200, true])
  expect(other.status).toBe(415)
})

test('takes a body that says that it is not compressed', async () => {
  expect((await post('{"title":"x"}', { 'content-encoding': 'identity' })).status).toBe(201)
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

test.each([
  '{"title":"x","title":"y"}',
  '{"title":"x","\\u0074itle":"y"}',
  '{"title":"x","nested":{"a":1,"a":2}}',
  '{"__proto__":{},"__proto__":{},"title":"x"}',
])('answers 400 to a name that is there twice: %s', async (raw) => {
  const answer = await post(raw)

  expect(answer.status).toBe(400)
  expect(answer.body.detail).toBe('The body has the same name twice.')
})

test.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'])(
  'answers 422 to the field %s, as to any that is not known',
  async (name) => {
    const answer = await post(`{"title":"x","${name}":{"admin":true}}`)

    expect(answer.status).toBe(422)
    expect(answer.body.errors[0].pointer).toBe(`/${name}`)
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  },
)

test('takes names as values, and the same name in different objects', async () => {
  const title = '{"title":"x","title":[{]}\\": '

  expect((await post(JSON.stringify({ title, tags: ['title', 'tags'] }))).status).toBe(201)
  expect((await post('{"title":"x","a":{"a":{"a":1}}}')).status).toBe(422)
})

test.each(['[', '{"a":'])('answers 400 to 20,000 times %s at once', async (opening) => {
  const began = performance.now()

  expect((await post(opening.repeat(10_000))).status).toBe(400)
  expect((await post(`{"title":${'['.repeat(9)}${']'.repeat(9)}}`)).body.detail).toBe(
    'The body is nested too deeply.',
  )
  expect(performance.now() - began).toBeLessThan(1000)
})

test('answers 431 to an address that is too long, and to too many headers', async () => {
  const authorization = alice.authorization
  const long = await send('GET', `/api/tasks?q=${'a'.repeat(14_000)}`, {
    headers: { authorization },
  })
  const many = await send('GET', '/api/tasks', {
    headers: {
      authorization,
      ...Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, '1'])),
    },
  })

  expect([long.status, many.status]).toEqual([431, 431])
  expect(long.body.code).toBe('headers_too_large')
})
