import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Launch } from './config.ts'

/** The command that this program was started with, as its person typed it and can type it again with other arguments. */
export function typedCommand({ script, runner, isNpx }: Launch): string {
  if (Bun.isStandaloneExecutable) return quote(process.argv0)
  if (script === null) return `bun ${quote(relative(process.cwd(), process.argv[1] ?? ''))}`
  if (runner === 'npm') return isNpx ? `npx -y bun@${Bun.version} start` : 'npm start -s --'
  if (runner === 'pnpm') return 'pnpm -s start'
  if (runner === 'yarn') return 'yarn start'
  return 'bun start'
}

const quote = (word: string): string => (/^[\w./~-]+$/.test(word) ? word : `'${word}'`)

/** How often, in milliseconds, to look whether whoever runs the script is there. */
const interval = 500

/** More there are not between npx and us: npx, a shell, `bun start`, a shell. */
const longestChain = 6

/**
 * Calls `stop` when what runs the script has ended, where there is one: npx and npm tell the shell that they start to end, and
 * that tells nobody. Linux says who is above us; elsewhere we see our own parent alone.
 */
export function onOrphaned({ script }: Launch, stop: () => void): () => void {
  if (script === null || Bun.isStandaloneExecutable) return () => {}
  const chain = runnersOf(process.pid)
  const timer = setInterval(() => {
    if (chain.every(([child, parent]) => parentOf(child) === parent)) return
    clearInterval(timer)
    stop()
  }, interval)
  timer.unref()
  return () => clearInterval(timer)
}

type Link = [child: number, parent: number]

/** From us up to the runner that was started from outside: it alone has none of a runner's variables. */
function runnersOf(child: number): Link[] {
  const links: Link[] = []
  for (let at = child; links.length < longestChain; ) {
    const parent = parentOf(at)
    if (parent === null || parent <= 1) break
    links.push([at, parent])
    if (!isOfRunner(parent)) break
    at = parent
  }
  return links
}

function parentOf(id: number): number | null {
  if (id === process.pid) return process.ppid
  // After the name, which may have anything in it: state, parent.
  const parent = /\) \w (\d+) [^)]*$/.exec(read(`/proc/${id}/stat`))?.[1]
  return parent === undefined ? null : Number(parent)
}

const isOfRunner = (id: number): boolean =>
  /(^|\0)npm_(lifecycle_event|execpath)=/.test(read(`/proc/${id}/environ`))

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
