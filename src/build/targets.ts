import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { dependencies } from './runtimes/package.json' with { type: 'json' }

export type Target = {
  name: string
  /** What Bun calls it. */
  flag: string
  /** The package of the Bun that goes into the binary. */
  runtime: keyof typeof dependencies
}

/** The machines that `bun run build --all` builds for. */
export const targets: Target[] = [
  { name: 'linux-x64', flag: 'bun-linux-x64', runtime: '@oven/bun-linux-x64' },
  { name: 'linux-x64-musl', flag: 'bun-linux-x64-musl', runtime: '@oven/bun-linux-x64-musl' },
  { name: 'linux-arm64', flag: 'bun-linux-arm64', runtime: '@oven/bun-linux-aarch64' },
  {
    name: 'linux-arm64-musl',
    flag: 'bun-linux-arm64-musl',
    runtime: '@oven/bun-linux-aarch64-musl',
  },
  { name: 'macos-x64', flag: 'bun-darwin-x64', runtime: '@oven/bun-darwin-x64' },
  { name: 'macos-arm64', flag: 'bun-darwin-arm64', runtime: '@oven/bun-darwin-aarch64' },
  { name: 'windows-x64', flag: 'bun-windows-x64', runtime: '@oven/bun-windows-x64' },
]

/** The bytecode in a binary is for one version of Bun: that which builds has to be that which runs. */
export const runtimeVersion = dependencies['@oven/bun-linux-x64']

/**
 * Installs the Bun of each target, that of this machine too: its own may be one for older processors. Their sums are in the
 * lock file.
 * @returns where that of a target is
 */
export async function installRuntimes(folder: string): Promise<(target: Target) => string> {
  await cp(join(import.meta.dir, 'runtimes'), folder, { recursive: true })
  const install = ['install', '--frozen-lockfile', '--silent', '--os=*', '--cpu=*']
  const child = Bun.spawn([process.execPath, ...install], { cwd: folder, stdout: 'inherit' })
  if ((await child.exited) !== 0) throw new Error('Cannot install the runtimes (see above).')
  return ({ name, runtime }) =>
    join(folder, 'node_modules', runtime, 'bin', name.startsWith('windows') ? 'bun.exe' : 'bun')
}
