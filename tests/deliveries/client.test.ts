import { afterAll, expect, test } from 'bun:test'
import type { LookupAddress, lookup } from 'node:dns'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { createClient, isPublic } from '../../src/deliveries/client.ts'
import { makeAuthority } from '../faults/support/authority.ts'
import { createTestApp, delivering, send, signUp } from '../support/app.ts'
import { temporaryFolder } from '../support/database.ts'
import { expectInvalid } from '../support/tasks.ts'

/** Who listens on this machine, on whatever address, and counts who has come. */
const connections: string[] = []
const listeners = await Promise.all(['0.0.0.0', '::'].map(listenOn))
const ports = listeners.flatMap((listener) => {
  const address = listener.address()
  return typeof address === 'object' && address !== null ? [address.port] : []
})
afterAll(() => {
  for (const listener of listeners) listener.close()
})

async function listenOn(host: string): Promise<Server> {
  const server = createServer((socket) => {
    connections.push(socket.remoteAddress ?? '')
    socket.destroy()
  })
  const listening = Promise.withResolvers<void>()
  // There may be no IPv6 here.
  server.on('error', () => listening.resolve())
  server.listen({ host, port: 0, ipv6Only: true }, listening.resolve)
  await listening.promise
  return server
}

/** A look-up that finds these, one after the other, and the last ones for ever. */
function finding(...answers: string[][]): typeof lookup {
  let count = 0
  const find = (
    _name: string,
    _options: object,
    done: (error: null, found: LookupAddress[]) => void,
  ) => {
    const found = answers[Math.min(count, answers.length - 1)] ?? []
    count += 1
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return find as unknown as typeof lookup
}

const spellings = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '0',
  '0.0.0.0',
  '0x0',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '127.0.0.1.',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'ｌｏｃａｌｈｏｓｔ',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::1]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fd00::1]',
  '[fec0::1]',
  '[ff02::1]',
  '[100::1]',
  '10.1.2.3',
  '100.64.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '172.16.0.1',
  '192.168.1.1',
  '192.0.0.192',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
]

const post = createClient({ isPrivate: false, patience: 5000 })

test.each(spellings)('connects to nobody by https://%s', async (host) => {
  for (const port of ports) {
    const sent = await post(`https://${host}:${port}/`, {}, '{}')
    expect(sent).toEqual({ error: expect.stringMatching(/internet|not found|is none/) })
  }
  expect(connections).toEqual([])
})

test.each([
  ['a name of a private address', [['127.0.0.1']]],
  ['one of a private address among others', [['93.184.215.14', '127.0.0.1']]],
  ['one of an address that is mapped', [['::ffff:127.0.0.1']]],
  ['one of no address', [[]]],
])('connects to nobody by %s', async (_what, answers) => {
  const guarded = createClient({ isPrivate: false, patience: 5000, lookup: finding(...answers) })

  for (const port of ports) {
    expect(await guarded(`https://hook.example:${port}/`, {}, '{}')).toHaveProperty('error')
  }
  expect(connections).toEqual([])
})

test('looks a name up once for a connection, and goes to what it found then', async () => {
  // The first one is of the internet, and nobody answers there; the second look would find this machine.
  const rebinding = finding(['3000::1'], ['127.0.0.1'])
  const guarded = createClient({ isPrivate: false, patience: 300, lookup: rebinding })

  for (const port of ports) {
    expect(await guarded(`https://hook.example:${port}/`, {}, '{}')).toHaveProperty('error')
    expect(await guarded(`https://hook.example:${port}/`, {}, '{}')).toHaveProperty('error')
  }
  expect(connections).toEqual([])
})

test('speaks nothing but HTTPS, and HTTP where it may', async () => {
  for (const address of ['http://example.com/', 'ftp://example.com/', 'file:///etc/passwd']) {
    expect(await post(address, {}, '{}')).toEqual({ error: 'the address is not one of https://' })
  }
  const open = createClient({ isPrivate: true })
  expect(await open('ftp://127.0.0.1/', {}, '')).toHaveProperty('error')
})

test('knows which addresses are of the internet', () => {
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111']) {
    expect([address, isPublic(address)]).toEqual([address, true])
  }
  for (const address of [
    '192.0.2.1',
    '203.0.113.9',
    '198.51.100.1',
    '240.0.0.1',
    '2001:db8::1',
    '3fff::1',
    '::ffff:8.8.8.8',
    'example.com',
    '',
  ]) {
    expect([address, isPublic(address)]).toEqual([address, false])
  }
})

test('sends what it is given, and asks for the certificate of the name', async () => {
  const authority = await makeAuthority(temporaryFolder(), '127.0.0.1,DNS:hook.example')
  const ca = readFileSync(authority.ca, 'utf8')
  let seen = ''
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key: Bun.file(authority.key), cert: Bun.file(authority.certificate) },
    fetch: async (request) => {
      seen = `${request.method} ${request.headers.get('host')} ${request.headers.get('a')} ${await request.text()}`
      return new Response('ok', { status: 201 })
    },
  })
  const lookUp = finding(['127.0.0.1'])
  const client = createClient({ isPrivate: true, lookup: lookUp, ca })

  const address = `hook.example:${server.port}`
  expect(await client(`https://${address}/`, { a: 'b' }, 'é')).toEqual({ status: 201 })
  expect(seen).toBe(`POST ${address} b é`)
  seen = ''
  const untrusted = { error: 'the certificate is not to be trusted' }
  expect(await client(`https://other.example:${server.port}/`, {}, '')).toEqual(untrusted)
  const strict = createClient({ isPrivate: true, lookup: lookUp })
  expect(await strict(`https://${address}/`, {}, '')).toEqual(untrusted)
  expect(seen).toBe('')
  await server.stop(true)
})

test('asks no proxy of the environment', async () => {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('ok') })
  const before = process.env['HTTP_PROXY']
  process.env['HTTP_PROXY'] = `http://127.0.0.1:${ports[0]}`
  const sent = await createClient({ isPrivate: true })(`http://127.0.0.1:${server.port}/`, {}, '')
  if (before === undefined) delete process.env['HTTP_PROXY']
  else process.env['HTTP_PROXY'] = before
  await server.stop(true)

  expect(sent).toEqual({ status: 200 })
  expect(connections).toEqual([])
})

test('waits no longer than it may, also for what drips or has no end', async () => {
  const stream = (pause: number, bytes: number) =>
    new Response(
      new ReadableStream({
        async pull(controller) {
          await Bun.sleep(pause)
          controller.enqueue(new Uint8Array(bytes))
        },
      }),
    )
  const answers: Record<string, () => Response | Promise<Response>> = {
    '/late': () => Bun.sleep(5000).then(() => new Response('late')),
    '/drips': () => stream(50, 1),
    '/endless': () => stream(0, 65_536),
  }
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) => answers[new URL(url).pathname]?.() ?? new Response('none'),
  })
  const client = createClient({ isPrivate: true, patience: 500 })

  expect(await client(`http://127.0.0.1:${server.port}/late`, {}, '')).toEqual({
    error: 'there was no answer in time',
  })
  expect(await client(`http://127.0.0.1:${server.port}/drips`, {}, '')).toHaveProperty('error')
  expect(await client(`http://127.0.0.1:${server.port}/endless`, {}, '')).toEqual({ status: 200 })
  await server.stop(true)
})

test('says of an address that stands in a URL at once that it is private', async () => {
  const alice = await signUp()
  const app = createTestApp({ sending: { ...delivering.sending, isPrivate: false } })
  const make = (url: string) =>
    send('POST', '/api/webhooks', {
      headers: { authorization: alice.authorization },
      body: { url },
      app,
    })

  for (const host of ['127.0.0.1', '0x7f.1', '[::1]', '10.0.0.1', '169.254.169.254']) {
    expectInvalid(await make(`https://${host}/`), '/url')
  }
  expectInvalid(await make('http://example.com/'), '/url')
  expect((await make('https://example.com/')).status).toBe(201)
})
