import { afterAll, expect, test } from 'bun:test'
import { startServer } from '../support/process.ts'
import { haproxy, startHaproxy } from './proxy.ts'

// HAProxy asks the server how it is, in all the ways that it has.

const checks = {
  bare: 'option httpchk',
  health: 'option httpchk GET /health',
  ready: 'option httpchk HEAD /ready',
  query: 'option httpchk GET /health?from=haproxy&deep=1',
  slash: 'option httpchk GET /ready/?t=%3F',
  old: 'option httpchk OPTIONS /health HTTP/1.0',
  host: 'option httpchk\n  http-check send meth GET uri /health ver HTTP/1.1 hdr Host docket',
  expected: 'option httpchk GET /health\n  http-check expect string \\"status\\":\\"ok\\"',
}

const server = haproxy === null ? null : await startServer()
afterAll(() => server?.end('SIGTERM'))

test.skipIf(haproxy === null)('is up for every check of HAProxy', async () => {
  const { port } = new URL(server?.address ?? '')
  const backends = Object.entries(checks).map(
    ([name, check]) => `backend ${name}
  ${check}
  server docket 127.0.0.1:${port} check inter 100ms rise 1 fall 1`,
  )
  const proxy = await startHaproxy('default_backend health', backends.join('\n'))

  const found = await untilChecked(proxy.address)
  await proxy.end()

  expect(found).toEqual(Object.fromEntries(Object.keys(checks).map((name) => [name, 'UP L7OK'])))
})

/** What the checks have found, by backend, when all of them have come to an end. */
async function untilChecked(address: string): Promise<Record<string, string>> {
  for (;;) {
    const [head = '', ...lines] = (await (await fetch(`${address}/stats;csv`)).text()).split('\n')
    const names = head.replace('# ', '').split(',')
    const rows = lines.map((line) => {
      const values = line.split(',')
      return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
    })
    const servers = rows.filter(({ svname }) => svname === 'docket')
    const isDone = servers.every((row) => /^L\d/.test(row['check_status'] ?? ''))
    if (servers.length > 0 && isDone) {
      return Object.fromEntries(
        servers.map((row) => [row['pxname'], `${row['status']} ${row['check_status']}`]),
      )
    }
    await Bun.sleep(50)
  }
}
