import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'

// Every process and folder of a run, so that none is left when it ends, whichever way.

const children = new Map<Bun.Subprocess, NodeJS.Signals>()
const folders: string[] = []

export type Spawned = Bun.Subprocess

/**
 * Remembers a process, with the signal that ends it, and forgets it when it has ended by itself.
 */
export function remember<T extends Spawned>(child: T, signal: NodeJS.Signals = 'SIGTERM'): T {
  children.set(child, signal)
  void child.exited.then(() => children.delete(child))
  return child
}

export const rememberFolder = (folder: string): void => {
  folders.push(folder)
}

/** Ends a process, by force if it takes longer than ten seconds. */
export async function end(child: Spawned): Promise<void> {
  child.kill(children.get(child) ?? 'SIGTERM')
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await child.exited
  clearTimeout(force)
}

/** Ends what was begun last first: the database is the last to go. */
export async function endAll(): Promise<void> {
  for (const child of [...children.keys()].toReversed()) await end(child)
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

/** A run that is told to stop, or that fails in an unexpected way, leaves nothing behind either. */
export function endWithUs(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void endAll().finally(() => process.exit(130)))
  }
  process.on('exit', () => {
    for (const child of children.keys()) child.kill('SIGKILL')
  })
}

/** Runs a command to its end, and gives what it said on standard output. */
export async function run(
  command: string[],
  options: { cwd?: string; env?: Record<string, string>; input?: Blob } = {},
): Promise<string> {
  const child = remember(
    Bun.spawn(command, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdin: options.input ?? 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    }),
  )
  const [output, errors, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ])
  if (status !== 0) throw new Error(`${command.join(' ')} failed with ${status}: ${errors}`)
  return output
}

/** A process and all that came of it. */
function family(id: number): number[] {
  try {
    const threads = readdirSync(`/proc/${id}/task`)
    const next = threads.flatMap((thread) =>
      readFileSync(`/proc/${id}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
    )
    return [id, ...next.flatMap((child) => family(Number(child)))]
  } catch {
    return [] // It has ended in the meantime.
  }
}

const sumOf = (id: number, measure: (id: number) => number): number =>
  family(id).reduce((sum, one) => {
    try {
      return sum + measure(one)
    } catch {
      return sum // It has ended in the meantime.
    }
  }, 0)

/** Clock ticks a second of /proc: 100 on every Linux that Bun runs on. */
const ticks = 100

/** Seconds of processor time that a process and its children have taken. */
export const processorTime = (id: number): number =>
  sumOf(id, (one) => {
    // The name in brackets may have spaces: what follows begins with the third field.
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    // Its own, and that of its children that have ended.
    const spent = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
    return spent / ticks
  })

/** Megabytes (1,048,576 bytes) of memory that a process and its children have resident. */
export const residentMemory = (id: number): number =>
  sumOf(id, (one) => {
    const status = readFileSync(`/proc/${one}/status`, 'utf8')
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024
  })

/** Which part of the processors others take, looked at for a second while nothing runs here. */
export async function busyProcessors(): Promise<number> {
  const times = () => {
    const sum = { idle: 0, all: 0 }
    for (const { times: spent } of cpus()) {
      sum.idle += spent.idle
      sum.all += spent.user + spent.nice + spent.sys + spent.idle + spent.irq
    }
    return sum
  }
  const before = times()
  await Bun.sleep(1000)
  const after = times()
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all)
}
