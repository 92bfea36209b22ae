import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { docket, isCompiled, type Server, startServer } from '../support/process.ts'

// The official client for Python, and the conformance suite of the protocol, on /mcp of a running server. They are installed, and so
// nothing here is run unless it is asked for: TEST_BINARY=dist/docket bun test tests/agents

const client = 'mcp==2.3.0'
const conformance = '@modelcontextprotocol/conformance@0.2.0-alpha.12'

const python = Bun.which('python3')
if (isCompiled && python === null) console.log('Skipped: python3 is not installed.')

/** Milliseconds, for what is installed. */
const patience = 180_000

async function run(command: string[]): Promise<{ status: number; output: string }> {
  // Where packages come from is the matter of this machine.
  const child = Bun.spawn(command, { env: process.env, stderr: 'pipe' })
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { status: await child.exited, output: output + errors }
}

describe.skipIf(!isCompiled || python === null)('an agent', () => {
  const folder = temporaryFolder()
  const programs = join(folder, 'venv/bin')
  let server: Server
  let token = ''
  /** The suite can send no header: this adds it. */
  let proxy: ReturnType<typeof Bun.serve>

  beforeAll(async () => {
    for (const command of [
      [python ?? '', '-m', 'venv', join(folder, 'venv')],
      [join(programs, 'pip'), 'install', '--quiet', '--no-input', client],
    ]) {
      const { status, output } = await run(command)
      if (status !== 0) throw new Error(output)
    }
    server = await startServer({ cwd: folder })
    const signedIn = await docket(['token', '--user', 'alice'], { cwd: folder })
    const response = await fetch(`${server.address}/api/me/tokens`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${signedIn.stdout.trim()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ name: 'An agent', scopes: ['tasks:write'] }),
    })
    ;({ token } = (await response.json()) as { token: string })
    proxy = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        const headers = new Headers(request.headers)
        headers.set('authorization', `Bearer ${token}`)
        const body = request.method === 'POST' ? await request.text() : null
        return fetch(`${server.address}${new URL(request.url).pathname}`, {
          method: request.method,
          headers,
          body,
        })
      },
    })
  }, patience)
  afterAll(async () => {
    await proxy?.stop(true)
    await server?.end('SIGTERM')
  })

  test.each(['auto', 'legacy', '2026-07-28'])(
    'works by the client for Python, in the mode %s',
    async (mode) => {
      const script = `${import.meta.dir}/client.py`
      const command = [join(programs, 'python'), script, `${server.address}/mcp`, token, mode]

      const { status, output } = await run(command)

      expect([status, output.trim().split('\n').at(-1)]).toEqual([
        0,
        JSON.stringify({ tools: 12, added: `By ${mode}`, status: 'completed', is_error: true })
          .replaceAll('":', '": ')
          .replaceAll(',"', ', "'),
      ])
    },
    patience,
  )

  test.each([
    'server-initialize',
    'ping',
    'tools-list',
    'dns-rebinding-protection',
    'http-header-validation',
  ])(
    'conforms to the protocol: %s',
    async (scenario) => {
      const { status, output } = await run([
        process.execPath,
        'x',
        '--bun',
        conformance,
        'server',
        '--url',
        `http://localhost:${proxy.port}/mcp`,
        '--scenario',
        scenario,
      ])

      expect([status, status === 0 ? '' : output]).toEqual([0, ''])
    },
    patience,
  )
})
