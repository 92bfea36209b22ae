import { resolve } from 'node:path'
import { temporaryFolder } from './database.ts'

// The program as its users run it: from source, or the compiled binary of TEST_BINARY.
const binary = process.env['TEST_BINARY']
const command =
  binary === undefined ? [process.execPath, resolve('src/index.ts')] : [resolve(binary)]

export const isCompiled = binary !== undefined

export type Options = {
  env?: Record<string, string>
  /** The folder that the program is started in: an empty one of its own by default. */
  cwd?: string
}

function spawn(args: string[], { env = {}, cwd = temporaryFolder() }: Options) {
  return Bun.spawn([...command, ...args], {
    cwd,
    // Nothing of the environment of the tests.
    env: { HOME: cwd, ...env },
    stdin: 'ignore',
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
  address: string
  /** What it said on standard error before it was ready. */
  introduction: string
  /** What it has logged, once there is something. */
  log: () => Promise<string>
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

  let introduction = ''
  const decoder = new TextDecoder()
  for await (const chunk of child.stderr) {
    introduction += decoder.decode(chunk, { stream: true })
    const address = /ready at (http:\S+)\n[^]*A token/.exec(introduction)?.[1]
    if (address === undefined) continue
    return {
      address,
      introduction,
      log: async () => {
        const { value } = await child.stdout.getReader().read()
        return decoder.decode(value)
      },
      end: async (signal) => {
        child.kill(signal)
        return child.exited
      },
    }
  }
  throw new Error(`The server did not start: ${introduction}`)
}

/** Starts a frontend's Better Auth as a process with an origin of its own. */
export async function startFrontend(env: Record<string, string>) {
  const child = Bun.spawn([process.execPath, resolve('tests/support/frontend-process.ts')], {
    env,
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
