import { resolve } from 'node:path'
import { temporaryFolder } from './database.ts'

// The program as its users run it: from source, or the compiled binary of TEST_BINARY.
const binary = process.env['TEST_BINARY']
export const command =
  binary === undefined ? [process.execPath, resolve('src/index.ts')] : [resolve(binary)]

export const isCompiled = binary !== undefined

export type Options = {
  env?: Record<string, string>
  /** The folder that the program is started in: an empty one of its own by default. */
  cwd?: string
  /** What it can read from standard input. */
  input?: string
}

function spawn(args: string[], { env = {}, cwd = temporaryFolder(), input }: Options) {
  return Bun.spawn([...command, ...args], {
    cwd,
    // Nothing of the environment of the tests.
    env: { HOME: cwd, ...env },
    stdin: input === undefined ? 'ignore' : new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
  })
}

/** Runs a command to its end. */
export async function docket(args: string[], options: Options = {}) {
  const child = spawn(args, options)
  const [stdout, stderr, exitCode] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ])
  return { stdout, stderr, exitCode }
}

export type Server = {
  /** Of the process. */
  id: number
  address: string
  /** What it said on standard error before it was ready. */
  introduction: string
  /** All that it said until now. */
  said: () => string
  hasEnded: () => boolean
  /** Sends a signal, waits for the end, and gives the exit code. */
  end: (signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL') => Promise<number>
}

const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a server on a free port and waits until it is ready. */
export async function startServer(options: Options = {}): Promise<Server> {
  const child = spawn([], { ...options, env: { PORT: '0', LOG_LEVEL: 'warn', ...options.env } })
  running.add(child)
  void child.exited.then(() => running.delete(child))

  // Read to the end: a full pipe would hold up the server.
  let output = ''
  void follow(child.stdout, (text) => {
    output += text
  })
  let said = ''
  const ready = Promise.withResolvers<string | undefined>()
  void follow(child.stderr, (text) => {
    said += text
    const address = /ready at (http:\S+)\n[^]*A token/.exec(said)?.[1]
    if (address !== undefined) ready.resolve(address)
  }).then(() => ready.resolve(undefined))

  const address = await ready.promise
  if (address !== undefined) {
    return {
      id: child.pid,
      address,
      introduction: said,
      said: () => said + output,
      hasEnded: () => child.exitCode !== null || child.signalCode !== null,
      end: async (signal) => {
        child.kill(signal)
        return child.exited
      },
    }
  }
  throw new Error(`The server did not start: ${said}`)
}

async function follow(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }))
}

/** Starts a frontend's Better Auth as a process with an origin of its own. */
export async function startFrontend(env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, resolve('tests/support/frontend-process.ts')], {
    env: { ...env, TEST_DATABASE_PREPARE: process.env['TEST_DATABASE_PREPARE'] ?? 'on' },
    cwd: temporaryFolder(),
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  running.add(child)
  const { value } = await child.stdout.getReader().read()
  return {
    address: new TextDecoder().decode(value).trim(),
    end: async (): Promise<void> => {
      child.kill()
      await child.exited
      running.delete(child)
    },
  }
}
