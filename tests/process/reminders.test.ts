import { afterEach, expect, test } from 'bun:test'
import { eventually } from '../deliveries/support.ts'
import { startPushService } from '../push/browser.ts'
import { momentIn } from '../reminders/support.ts'
import { emptyDatabase, serverEnvironment, temporaryFolder } from '../support/database.ts'
import { docket, type Server, startServer } from '../support/process.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const secret = 'only-for-tests-only-for-tests-only'

/** A place to start servers in, on one database, and a user with a token. */
async function place() {
  const cwd = temporaryFolder()
  const server = serverEnvironment()
  const { url, close } = server === null ? { url: null, close: () => {} } : await emptyDatabase()
  closing.push(close)
  const env = {
    ...server,
    ...(url === null ? {} : { DATABASE_URL: url }),
    BETTER_AUTH_SECRET: secret,
    VAPID_SUBJECT: 'mailto:ops@example.com',
    WEBHOOKS_PRIVATE: 'on',
    EVENTS: 'poll',
  }
  const start = async (more: Record<string, string> = {}): Promise<Server> => {
    const started = await startServer({ cwd, env: { ...env, ...more } })
    closing.push(() => started.end('SIGKILL'))
    return started
  }
  const first = await start()
  const { stdout } = await docket(['token', '--user', 'alice'], { cwd, env })
  const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' }
  const send = async (to: Server, method: string, path: string, body?: unknown) => {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${to.address}${path}`, { method, headers, ...init })
    // Any: the test asserts the shape.
    const answered: any = await answer.json()
    return { status: answer.status, body: answered }
  }
  return { first, start, headers, send, hasOthers: server !== null }
}

/** The reminders that somebody who follows is told. */
async function follow(server: Server, headers: Record<string, string>) {
  const heard: { id: string; task_id: string; timestamp: string }[] = []
  const aborting = new AbortController()
  closing.push(() => aborting.abort())
  const { body } = await fetch(`${server.address}/api/events`, { headers, signal: aborting.signal })
  void (async () => {
    let rest = ''
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      rest += chunk
      for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
        const [, data] = /^event: reminder\ndata: (.*)$/m.exec(rest.slice(0, end)) ?? []
        if (data !== undefined) heard.push(JSON.parse(data))
        rest = rest.slice(end + 2)
      }
    }
  })().catch(() => {})
  return heard
}

test('a reminder comes in time, to who follows and to a browser, whatever server it was made on', async () => {
  const { first, start, headers, send, hasOthers } = await place()
  const service = startPushService()
  closing.push(service.stop)
  const second = hasOthers ? await start() : first
  const [heard, elsewhere] = [await follow(first, headers), await follow(second, headers)]
  await send(first, 'POST', '/api/me/push', service.subscribe())
  const moment = momentIn(1500)

  const { body: task } = await send(first, 'POST', '/api/tasks', {
    title: 'Water the plants',
    reminders: [moment],
  })
  await eventually(() => heard.length > 0 && elsewhere.length > 0 && service.messages.length > 0)

  const [message] = service.messages.map(({ text }) => JSON.parse(text ?? ''))
  expect(message).toMatchObject({ type: 'reminder.due', task: { id: task.id }, timestamp: moment })
  for (const [event] of [heard, elsewhere]) {
    expect(event).toMatchObject({ id: message.id, task_id: task.id, timestamp: moment })
  }
  expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(moment))
})

test('a reminder that came while nobody was there is told when somebody is, with its own moment', async () => {
  const { first, start, send } = await place()
  const service = startPushService()
  closing.push(service.stop)
  await send(first, 'POST', '/api/me/push', service.subscribe())
  const moment = momentIn(1000)
  await send(first, 'POST', '/api/tasks', { title: 'A task', reminders: [moment] })
  await first.end('SIGKILL')
  await eventually(() => Date.now() > Date.parse(moment))

  await start()
  await eventually(() => service.messages.length === 1)

  expect(JSON.parse(service.messages[0]?.text ?? '').timestamp).toBe(moment)
})
