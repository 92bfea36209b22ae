import { closeSync, cpSync, existsSync, ftruncateSync, mkdirSync, openSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePort } from '../support/postgres.ts'
import { end, remember, run } from './processes.ts'
import { secret } from './requests.ts'
import type { PeerName } from './settings.ts'

/** A server that is measured. */
export type Server = {
  name: string
  port: number
  /** Of the process. */
  id: number
  /** Milliseconds from the start of the process to the first answer of `isReady`. */
  began: number
  truncateLog: () => void
  stop: () => Promise<void>
}

export type Command = { command: string[]; cwd: string; env: Record<string, string> }

/** What every server is told, by the names that Docket has for it. */
const told = (url: string, port: number) => ({
  DATABASE_URL: url,
  BETTER_AUTH_SECRET: secret,
  PORT: String(port),
  NODE_ENV: 'production',
  PATH: process.env['PATH'] ?? '',
})

/** Docket at its defaults, but for a limit that counts and never refuses: the highest there is. */
export const docket = (
  folder: string,
  command: string[],
  env: Record<string, string> = {},
): Command => ({
  command,
  cwd: folder,
  env: { RATE_LIMIT: '1000000', LOG_LEVEL: 'info', ...env },
})

/** Starts a server on a free port, its output in a file, and waits until it answers. */
export async function startServer(
  name: string,
  { command, cwd, env }: Command,
  folder: string,
  url: string,
  isReady: (port: number) => Promise<boolean> = answers,
): Promise<Server> {
  const port = freePort()
  const path = join(folder, `${name}.log`)
  // To append, so that after it was truncated it begins anew.
  const log = openSync(path, 'a')
  ftruncateSync(log)
  const start = performance.now()
  const child = remember(
    Bun.spawn(command, {
      cwd,
      env: { HOME: folder, ...told(url, port), ...env },
      stdin: 'ignore',
      stdout: log,
      stderr: log,
    }),
  )
  while (!(await isReady(port))) {
    if (child.exitCode !== null || performance.now() - start > 30_000) {
      throw new Error(`${name} did not start: ${(await Bun.file(path).text()).slice(-2000)}`)
    }
    await Bun.sleep(1)
  }
  const began = performance.now() - start
  return {
    name,
    port,
    id: child.pid,
    began,
    truncateLog: () => ftruncateSync(log),
    stop: async () => {
      await end(child)
      closeSync(log)
    },
  }
}

/** Whether there is an answer, whatever it is. */
const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}/api/tasks`, { signal: AbortSignal.timeout(2000) }).then(
    async (answer) => {
      await answer.text()
      return true
    },
    () => false,
  )

const straight = 'tests/bench/straight.ts'

/** The commands of the other servers, by name; installs what they need. Null: it cannot run here. */
export async function peer(name: PeerName, folder: string): Promise<Command | null> {
  // With the packages of this repository, and so with the driver as patches/ makes it.
  if (name === 'mended') {
    return { command: [process.execPath, resolve(straight)], cwd: resolve('.'), env: {} }
  }
  const runtime = name === 'fastapi' ? 'python3' : name === 'fastify' ? 'node' : process.execPath
  const program = Bun.which(runtime)
  if (program === null) {
    console.error(`${name} is left out: there is no ${runtime}.`)
    return null
  }
  // A copy, so that no package comes between those of this repository.
  const cwd = join(folder, 'peers', name)
  mkdirSync(cwd, { recursive: true })
  cpSync(resolve('tests/bench/peers', name), cwd, { recursive: true })
  // The program of mended, with packages of its own.
  if (name === 'straight') cpSync(resolve(straight), join(cwd, 'server.ts'))
  if (name !== 'fastapi') {
    await run([process.execPath, 'install', '--frozen-lockfile'], { cwd })
    return { command: [program, name === 'fastify' ? 'server.js' : 'server.ts'], cwd, env: {} }
  }
  const python = join(cwd, 'venv/bin/python')
  if (!existsSync(python)) await run([program, '-m', 'venv', 'venv'], { cwd })
  await run([python, '-m', 'pip', 'install', '-q', '-r', 'requirements.txt'], { cwd })
  return { command: [python, 'server.py'], cwd, env: {} }
}
