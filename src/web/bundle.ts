import { join } from 'node:path'
import { makeGuides } from './guides.ts'

/** What the pages are made of, as text, by the names of the files. */
export type Files = Record<string, string>

const name = 'pages.json'

/** From the binary, where they are embedded; from source they are made. */
export async function readFiles(): Promise<Files> {
  // `bun build --asset` puts it next to the code.
  if (Bun.isStandaloneExecutable) return Bun.file(join(import.meta.dir, name)).json()
  return makeFiles()
}

/** For the build: writes them into a folder, and returns the path. */
export async function writeFiles(folder: string): Promise<string> {
  const path = join(folder, name)
  await Bun.write(path, JSON.stringify(await makeFiles()))
  return path
}

/** TypeScript becomes what browsers read, small, and the documentation HTML; all else is as it is. */
async function makeFiles(): Promise<Files> {
  const folder = join(import.meta.dir, 'pages')
  const built = await Bun.build({
    entrypoints: ['app.ts', 'account.ts', 'sign-in.ts', 'consent.ts', 'page.css', 'docs.css'].map(
      (file) => join(folder, file),
    ),
    target: 'browser',
    minify: true,
    naming: '[name].[ext]',
  })
  const files: Files = {}
  for (const output of built.outputs)
    files[output.path.replace(/^.*[/\\]/, '')] = await output.text()
  for (const file of [
    'index.html',
    'account.html',
    'sign-in.html',
    'consent.html',
    'welcome.html',
    'docs.html',
    'icon.svg',
  ]) {
    files[file] = await Bun.file(join(folder, file)).text()
  }
  return { ...files, ...(await makeGuides(join(import.meta.dir, '..', '..'))) }
}
