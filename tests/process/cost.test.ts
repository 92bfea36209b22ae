import { expect, test } from 'bun:test'
import { temporaryFolder } from '../support/database.ts'
import { docket, startServer } from '../support/process.ts'

test('what takes the database long counts as several requests', async () => {
  const cwd = temporaryFolder()
  const instant = '2026-11-20T22:36:42.123456+00:00'
  // Each word is found at the end of the text, and all of it looked through for it.
  const description = `${'lorem ipsum dolor '.repeat(1100)} one two three four five six seven`
  const lines = Array.from({ length: 500 }, (_, n) =>
    JSON.stringify({
      task: {
        id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`,
        user_id: 'alice',
        title: `Task ${n}`,
        description,
        completed: false,
        completed_at: null,
        priority: 'none',
        tags: [],
        due_date: null,
        due_time: null,
        time_zone: null,
        version: 1,
        created_at: instant,
        updated_at: instant,
        deleted_at: null,
      },
    }),
  )
  const secret = 'only-for-tests-only-for-tests-only'
  const env = { BETTER_AUTH_SECRET: secret }
  expect(await docket(['import'], { cwd, env, input: lines.join('\n') })).toMatchObject({
    exitCode: 0,
  })
  const { stdout } = await docket(['token', '--user', 'alice'], { cwd, env })
  // Two more in a second, so that the time that it takes gives back next to nothing.
  const server = await startServer({ cwd, env: { ...env, RATE_LIMIT: '120' } })
  const headers = { authorization: `Bearer ${stdout.trim()}` }
  /** How many requests are left after one. */
  const left = async (path: string): Promise<number> => {
    const answer = await fetch(`${server.address}${path}`, { headers })
    // On a slow machine nothing is left.
    expect([200, 429]).toContain(answer.status)
    await answer.text()
    return Number(/r=(\d+)/.exec(answer.headers.get('ratelimit') ?? '')?.[1])
  }
  const first = await left('/api/tasks?limit=1')
  // The last word, which is looked for last, is in none of them.
  const search = '/api/tasks?q=one two three four five six seven no'
  for (let round = 0; round < 3; round += 1) await left(search)
  const last = await left('/api/tasks?limit=1')
  await server.end('SIGTERM')

  // Four of them, and what the three took.
  expect(first - last).toBeGreaterThan(4 + 5)
})
