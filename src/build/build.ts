// `bun run build` makes dist/docket, for this machine. With --all: a file for each of the targets, and SHA256SUMS.
// Two builds of a commit are the same, byte for byte.
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureSnapshot } from '../database/embedded/snapshot.ts'
import { writeFiles } from '../web/bundle.ts'
import { describeCommit } from './commit.ts'
import { installRuntimes, runtimeVersion, targets } from './targets.ts'

const root = join(import.meta.dir, '..', '..')
const dist = join(root, 'dist')
const cache = join(root, 'node_modules', '.cache', 'docket')

const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    // Where there is no Git, as in an image. Empty: it is asked all the same.
    commit: { type: 'string', default: '' },
  },
})
const commit = values.commit.slice(0, 7) || (await describeCommit(root))
const assets = [await ensureSnapshot(), await writeFiles(cache)]
if (values.all) await buildAll()
else await compile(dist)

async function buildAll(): Promise<void> {
  if (Bun.version !== runtimeVersion) {
    throw new Error(`Build with Bun ${runtimeVersion}: npx bun@${runtimeVersion} run build --all`)
  }
  const runtimeOf = await installRuntimes(join(cache, 'runtimes'))
  await mkdir(dist, { recursive: true })
  let sums = ''
  for (const target of targets) {
    // In a folder of its own, for the maps of the source beside it; under the same name, which is in the file.
    const folder = join(cache, 'build')
    const ending = target.name.startsWith('windows') ? '.exe' : ''
    const name = `docket-${target.name}${ending}`
    await compile(folder, [
      `--target=${target.flag}`,
      `--compile-executable-path=${runtimeOf(target)}`,
    ])
    await rename(join(folder, `docket${ending}`), join(dist, name))
    await rm(folder, { recursive: true })
    sums += `${await sumOf(join(dist, name))}  ${name}\n`
  }
  await Bun.write(join(dist, 'SHA256SUMS'), sums)
}

/** Makes `docket` in a folder. By Bun's command: its function for this has no --production. */
async function compile(folder: string, more: string[] = []): Promise<void> {
  const child = Bun.spawn(
    [
      process.execPath,
      'build',
      '--compile',
      // Not the names: Elysia reads the source of handlers.
      '--minify-whitespace',
      '--minify-syntax',
      '--sourcemap',
      '--bytecode',
      '--splitting',
      '--format=esm',
      '--production',
      // A file that happens to lie where Docket is started is nothing to it.
      '--no-compile-autoload-dotenv',
      '--no-compile-autoload-bunfig',
      `--define=BUILT_FROM=${JSON.stringify(commit)}`,
      // Else it is where the packages are on this machine.
      '--define=__dirname="/"',
      '--entry-naming=[name].[ext]',
      ...assets.map((path) => `--asset=${path}`),
      ...more,
      'src/index.ts',
      'src/database/embedded/engine.worker.ts',
      `--outfile=${join(folder, 'docket')}`,
    ],
    { cwd: root, stdout: 'inherit', stderr: 'inherit' },
  )
  if ((await child.exited) !== 0) throw new Error('Cannot build (see above).')
}

async function sumOf(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const bytes of Bun.file(path).stream()) hash.update(bytes)
  return hash.digest('hex')
}
