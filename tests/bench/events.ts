import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { endAll, endWithUs, rememberFolder, residentMemory } from './processes.ts'
import { tokenOf } from './requests.ts'
import { docket, startServer } from './servers.ts'

// Those who follow what changes: what a connection takes of memory, and how long it takes until the last of them has a change. On the
// embedded database: bun tests/bench/events.ts [BINARY]. It opens as many files as there are connections.

/** Of one user, who may have no more. */
const each = 100

const folder = mkdtempSync(join(tmpdir(), 'docket-bench-'))
rememberFolder(folder)
endWithUs()
const binary = resolve(process.argv[2] ?? 'dist/docket')

for (const count of [1000, 10_000]) {
  const env = { DATABASE_URL: '', DATA_DIR: join(folder, String(count)), LOG_LEVEL: 'warn' }
  const server = await startServer('docket', docket(folder, [binary], env), folder, '')
  const tokens = await Promise.all(
    Array.from({ length: count / each }, (_, index) => tokenOf(`user-${index}`)),
  )
  const write = () =>
    Promise.all(
      tokens.map((token) =>
        fetch(`http://127.0.0.1:${server.port}/api/tasks`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: '{"title":"A task"}',
        }),
      ),
    )
  await write()
  const before = residentMemory(server.id)
  let heard = 0
  let all = Promise.withResolvers<void>()
  const follow = (token: string): Promise<void> =>
    new Promise((done, fail) => {
      const data = (_: unknown, bytes: Buffer) => {
        const text = bytes.toString()
        if (text.startsWith('HTTP/1.1 5')) fail(new Error(text))
        if (text.includes('retry:')) done()
        if (text.includes('event: change') && ++heard === count) all.resolve()
      }
      const request = `GET /api/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`
      const socket = {
        data,
        open: (own: { write: (text: string) => void }) => own.write(request),
      }
      Bun.connect({ hostname: '127.0.0.1', port: server.port, socket }).catch(fail)
    })
  // Not all at once, which would be refused.
  for (const token of tokens) {
    for (let made = 0; made < each; made += 20) {
      await Promise.all(Array.from({ length: 20 }, () => follow(token)))
    }
  }
  const kilobytes = ((residentMemory(server.id) - before) * 1024) / count

  const milliseconds: number[] = []
  for (let round = 0; round < 5; round += 1) {
    heard = 0
    all = Promise.withResolvers()
    const began = performance.now()
    await Promise.all([write(), all.promise])
    milliseconds.push(performance.now() - began)
  }
  const [, , median = 0] = milliseconds.toSorted((a, b) => a - b)
  console.log(
    `${count} connections: ${kilobytes.toFixed(1)} KB each; the last of them has a change ${median.toFixed(0)} ms after each of ${tokens.length} users began to write one`,
  )
  await server.stop()
}

await endAll()
process.exit(0)
