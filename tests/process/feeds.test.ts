import { afterAll, expect, test } from 'bun:test'
import { request } from 'node:http'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { docket, startServer } from '../support/process.ts'

const cwd = temporaryFolder()
const metricsPort = freePort()
const server = await startServer({
  cwd,
  env: { LOG_LEVEL: 'trace', RATE_LIMIT: '300', METRICS_PORT: String(metricsPort) },
})
afterAll(() => server.end('SIGTERM'))

const { stdout } = await docket(['token', '--user', 'alice'], { cwd })
const headers = {
  authorization: `Bearer ${stdout.trim()}`,
  'content-type': 'application/json',
}

/** Sends exactly this, which fetch would put in order. */
const ask = (method: string, path: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(server.address, { method, path }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })

test('never tells a log or a metric the address of a calendar', async () => {
  const made = await fetch(`${server.address}/api/feeds`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'Home' }),
  })
  const { id, url } = (await made.json()) as { id: string; url: string }
  expect(url.startsWith(`${server.address}/feeds/`)).toBe(true)
  const path = new URL(url).pathname
  const token = path.slice('/feeds/'.length, -'.ics'.length)
  expect((await fetch(url)).status).toBe(200)

  const statuses = [
    await ask('GET', path),
    await ask('HEAD', path),
    await ask('POST', path),
    await ask('OPTIONS', path),
    await ask('GET', `${path}?as=${token}`),
    await ask('GET', `${path}?${token}=1`),
    await ask('GET', `/feeds/${token}`),
    await ask('GET', `//feeds/${token}.ics`),
    await ask('GET', `/feeds/${token}.ics/more`),
    await ask('GET', `/calendars${path}`),
  ]
  expect(statuses).toEqual([200, 200, 405, 204, 422, 422, 404, 404, 404, 404])
  const deleted = await fetch(`${server.address}/api/feeds/${id}`, { method: 'DELETE', headers })
  expect([deleted.status, await deleted.text()]).toEqual([200, expect.any(String)])
  expect(await ask('GET', path)).toBe(404)
  let status = 0
  while (status !== 429) status = await ask('GET', path)

  const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  await server.end('SIGTERM')
  const said = server.said()
  expect(said).toContain('"route":"/feeds/:token","status":200')
  expect(said).toContain('"route":"/feeds/:token","status":429')
  expect(said).not.toContain(token)
  expect(metrics).toContain('/feeds/:token')
  expect(metrics).not.toContain(token)
})
