import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { devDependencies } from '../../package.json' with { type: 'json' }
import { freePort } from '../support/postgres.ts'
import { clone, runIn } from './clone.ts'

// `bun start` in an empty clone of what is committed: TEST_INSTALL=1 bun test tests/install

setDefaultTimeout(120_000)

describe.skipIf(process.env['TEST_INSTALL'] !== '1')('bun start', () => {
  test('installs what a server needs; the tools of developers come by check, and stay', async () => {
    const folder = await clone('docket')

    const first = await start(folder)
    const installed = toolsIn(folder)
    const checked = await runIn(folder, [
      'sh',
      '-c',
      'bun install --frozen-lockfile && bunx biome ci',
    ])
    const second = await start(folder)

    expect(first).toEqual({ health: 200, page: 200, exitCode: 0 })
    expect(installed).toEqual([])
    expect(checked.exitCode).toBe(0)
    expect(second).toEqual(first)
    expect(toolsIn(folder)).toEqual(tools)
  })
})

/** The tools of developers, without what packages of the server ask for too. */
const tools = Object.keys(devDependencies).filter(
  (name) => !['typescript', '@types/bun'].includes(name),
)

const toolsIn = (folder: string): string[] =>
  tools.filter((name) => existsSync(join(folder, 'node_modules', name)))

async function start(cwd: string) {
  const port = freePort()
  const server = Bun.spawn(['bun', 'start'], {
    cwd,
    env: { ...process.env, PORT: String(port), DATA_DIR: join(cwd, '.docket') },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  let said = ''
  for await (const chunk of server.stderr) {
    said += new TextDecoder().decode(chunk)
    if (said.includes('A token')) break
  }
  const health = await fetch(`http://127.0.0.1:${port}/health`)
  const page = await fetch(`http://127.0.0.1:${port}/sign-in`)
  server.kill('SIGTERM')
  return { health: health.status, page: page.status, exitCode: await server.exited }
}
