import { expect, test } from 'bun:test'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { docket, isCompiled, startServer } from '../support/process.ts'

test('says how to get a token with the command that was typed', async () => {
  const cwd = temporaryFolder()
  const server = await startServer({ cwd })
  const command = /A token {8}(.*)\n/.exec(server.introduction)?.[1] ?? ''
  await server.end('SIGTERM')

  const typed = Bun.spawn(['sh', '-c', command], {
    cwd,
    env: { PATH: process.env['PATH'], DATA_DIR: `${cwd}/.docket` },
    stdout: 'pipe',
  })

  expect(command).toMatch(isCompiled ? /docket token --user alice$/ : /^bun \S+index\.ts token/)
  expect(await typed.stdout.text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  'ends in order when each process of its group passes %s on',
  async (signal) => {
    const server = await startServer()

    process.kill(server.id, signal)
    await Bun.sleep(20)
    const code = await server.end(signal)

    expect(code).toBe(0)
  },
)

// As npx and npm do: the runner starts a shell, and that the script. The signal that ends the first two reaches nobody else.
test.skipIf(isCompiled || process.platform !== 'linux').each([
  ['npx', '_npx', 'sh -c "bun start; true"; true', /npx -y bun@\S+ start token/],
  // Which finds a Bun that is installed.
  ['npx', 'bin', 'sh -c "bun start; true"; true', /npx -y bun@\S+ start token/],
  [
    'npm',
    'bin',
    'sh -c "NODE_ENV=production bun src/index.ts; true"; true',
    /npm start -s -- token/,
  ],
])('ends when %s is ended by its process manager', async (_runner, where, script, command) => {
  const port = freePort()
  const folder = join(temporaryFolder(), where, 'bin')
  mkdirSync(folder, { recursive: true })
  symlinkSync(process.execPath, join(folder, 'bun'))
  const inner = `npm_lifecycle_event=start npm_execpath=x npm_config_user_agent=npm/11 npm_command=start ${script}`
  const child = Bun.spawn(['sh', '-c', inner], {
    cwd: resolve('.'),
    env: {
      HOME: temporaryFolder(),
      PATH: `${folder}:/usr/bin:/bin`,
      PORT: String(port),
      DATA_DIR: temporaryFolder(),
      LOG_LEVEL: 'warn',
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = untilReady(child.stderr)

  const introduction = await said
  child.kill('SIGTERM')
  await child.exited

  expect(introduction).toMatch(command)
  await untilClosed(port)
})

async function untilReady(stream: ReadableStream<Uint8Array>): Promise<string> {
  let said = ''
  for await (const chunk of stream) {
    said += new TextDecoder().decode(chunk)
    if (/A token .*\n/.test(said)) break
  }
  return said
}

async function untilClosed(port: number): Promise<void> {
  while (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null)) await Bun.sleep(50)
}

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['0.0.0.0', '127.0.0.1'],
  ['localhost', 'localhost'],
])(
  'a server on %s is well to a health check of %s, whatever proxy there is',
  async (HOST, asked) => {
    const server = await startServer({ env: { HOST } })
    const { port } = new URL(server.address)
    const env = {
      HOST: asked,
      PORT: port,
      HTTP_PROXY: 'http://127.0.0.1:1',
      http_proxy: 'http://127.0.0.1:1',
    }

    const well = await docket(['healthcheck'], { env })
    const ready = await docket(['healthcheck', '--ready'], { env })
    await server.end('SIGTERM')
    const ended = await docket(['healthcheck'], { env })

    expect(well).toMatchObject({
      exitCode: 0,
      stderr: '',
      stdout: expect.stringContaining('is well'),
    })
    expect(ready.exitCode).toBe(0)
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' })
    expect(ended.stderr).toMatch(/^Docket at \S+ is not well: \/health cannot be asked/)
  },
)

test('is not well where somebody else answers, or nobody', async () => {
  using other = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: () => new Response('no', { status: 503 }),
  })
  using silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => {} } })
  using closing = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { data: (socket) => void socket.end() },
  })
  const check = (port: number | undefined) =>
    docket(['healthcheck'], { env: { PORT: String(port) } })

  const answers = await Promise.all([other.port, silent.port, closing.port, 0].map(check))

  expect(answers.map(({ exitCode }) => exitCode)).toEqual([1, 1, 1, 1])
  const words = ['answered 503', 'did not answer within', 'was not answered', 'set PORT']
  for (const [index, word] of words.entries()) expect(answers[index]?.stderr).toContain(word)
})
