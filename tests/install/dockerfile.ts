import { chownSync, cpSync, lstatSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

// As much of Docker as this repository's Dockerfile needs, on this machine.

type Step = { name: string; rest: string }

export type Image = {
  /** The folder that is its root. */
  root: string
  env: Record<string, string>
  user: string
  volume: string
  entrypoint: string[]
  healthcheck: string[]
}

function readStages(text: string): Step[][] {
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
  const stages: Step[][] = []
  for (const line of lines) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? []
    if (name === undefined || rest === undefined) continue
    if (name === 'FROM') stages.push([])
    stages.at(-1)?.push({ name, rest })
  }
  return stages
}

/**
 * Runs the two stages: the first in a folder that stands for its file system, with the commands of this machine; the second
 * with nothing but what it copies.
 * @param context what of the repository is sent along, as by .dockerignore
 */
export async function buildImage(
  folder: string,
  { text, context, args }: { text: string; context: Set<string>; args: Record<string, string> },
): Promise<Image> {
  const [build = [], run = [], ...others] = readStages(text)
  if (others.length > 0 || build[0]?.rest.endsWith(' AS build') !== true) {
    throw new Error('There are other stages than these two.')
  }
  if (run[0]?.rest !== 'scratch') throw new Error('The image begins with something.')

  const system = join(folder, 'system')
  let here = system
  for (const { name, rest } of build.slice(1)) {
    switch (name) {
      case 'WORKDIR':
        here = join(system, rest)
        mkdirSync(here, { recursive: true })
        break
      case 'COPY':
        copy(
          rest,
          (source) => {
            if (!context.has(source)) throw new Error(`.dockerignore leaves out ${source}.`)
            return source
          },
          here,
        )
        break
      case 'ARG':
        break
      case 'RUN':
        // What it makes outside of its folder is in the folder that stands for /.
        await runShell(rest.replaceAll(/(?<=[ =])\/(image|data)\b/g, `${system}/$1`), here, args)
        break
      default:
        throw new Error(`Cannot run ${name}.`)
    }
  }

  const root = join(folder, 'root')
  mkdirSync(root)
  const image: Image = { root, env: {}, user: '', volume: '', entrypoint: [], healthcheck: [] }
  for (const { name, rest } of run.slice(1)) {
    switch (name) {
      case 'COPY':
        if (!rest.startsWith('--from=build ')) throw new Error(`Cannot copy ${rest}.`)
        copy(rest, (source) => join(system, source), root)
        break
      case 'ENV':
        for (const [, key = '', value = ''] of rest.matchAll(/(\w+)=(\S+)/g)) image.env[key] = value
        break
      case 'USER':
        image.user = rest
        break
      case 'VOLUME':
        image.volume = rest
        break
      case 'ENTRYPOINT':
        image.entrypoint = JSON.parse(rest)
        break
      case 'HEALTHCHECK':
        image.healthcheck = JSON.parse(/ CMD (\[.*)$/.exec(rest)?.[1] ?? '')
        break
      case 'EXPOSE':
        break
      default:
        throw new Error(`Cannot run ${name}.`)
    }
  }
  return image
}

function copy(rest: string, find: (source: string) => string, folder: string): void {
  const words = rest.split(' ')
  const owner = words.find((word) => word.startsWith('--chown='))?.slice(8)
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = join(folder, paths.at(-1) ?? '')
  for (const source of paths.slice(0, -1).map(find)) {
    // Of a folder it is what is in it; a file comes into the folder.
    const isFolder = lstatSync(source).isDirectory()
    const into = isFolder || !rest.endsWith('/') ? target : join(target, source)
    mkdirSync(dirname(into), { recursive: true })
    cpSync(source, into, { recursive: true })
  }
  if (owner !== undefined) chownSync(target, ...(owner.split(':').map(Number) as [number, number]))
}

async function runShell(command: string, cwd: string, args: Record<string, string>): Promise<void> {
  const env = {
    ...process.env,
    ...args,
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  }
  const child = Bun.spawn(['sh', '-ec', command], { cwd, env, stdout: 'pipe', stderr: 'pipe' })
  const [said, complained] = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) throw new Error(`${command}\n${said}${complained}`)
}

/**
 * The command that runs a program in a container of it: with its user, its variables and no others, a root that is
 * read-only, a volume, no capabilities and none to be had, as number 1 of its own processes; on the network of this machine.
 */
export function inContainer(
  { root, env, user, volume }: Image,
  { data, more = {}, command }: { data: string; more?: Record<string, string>; command: string[] },
): string[] {
  const variables = Object.entries({ ...env, ...more }).map(([key, value]) => `${key}=${value}`)
  const script = `
    mount --bind "$0" "$0"
    mount -o remount,bind,ro "$0"
    mount -t proc proc "$0/proc"
    mount --bind "$1" "$0${volume}"
    cd /
    root=$0
    shift
    exec setpriv --no-new-privs env -i ${variables.map((variable) => `'${variable}'`).join(' ')} \
      "$(command -v chroot)" --userspec=${user} "$root" "$@"`
  return ['unshare', '--mount', '--pid', '--fork', 'sh', '-ec', script, root, data, ...command]
}
