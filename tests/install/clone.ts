import { join } from 'node:path'
import { $ } from 'bun'
import { temporaryFolder } from '../support/database.ts'

/** An empty clone of what is committed here. */
export async function clone(name: string): Promise<string> {
  const folder = join(temporaryFolder(), name)
  await $`git clone --quiet --no-hardlinks . ${folder}`
  return folder
}

/** Runs a command in it, on the registry of this machine. */
export async function runIn(
  cwd: string,
  command: string[],
  env: Record<string, string> = {},
): Promise<{ exitCode: number; said: string }> {
  const child = Bun.spawn(command, {
    cwd,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { exitCode: await child.exited, said: stdout + stderr }
}
