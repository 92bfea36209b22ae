import { expect, test } from 'bun:test'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { blocksOf, pages } from './reading.ts'

// What the pages show in TypeScript compiles, with the packages that it names.

/** What stands around a piece of it, in a file of whoever reads it. */
const around: [RegExp, string][] = [
  [/^(?![^]*import \{ betterAuth \})[^]*betterAuth\(/, "import { betterAuth } from 'better-auth'"],
  [/^(?![^]*import \{ jwt \})[^]*\bjwt\(/, "import { jwt } from 'better-auth/plugins'"],
  [/\banonymous\(/, "import { anonymous } from 'better-auth/plugins'"],
  [
    /^(?![^]*const authClient)[^]*authClient/,
    "import { createAuthClient as create } from 'better-auth/client'\nconst authClient = create()",
  ],
  [/\btoken\b/, 'declare const token: string'],
  [/\bsessionToken\b/, 'declare const sessionToken: string'],
]

// Once is enough: no database has a say in it.
const isAgain = process.env['TEST_DATABASE_URL'] !== undefined

test.skipIf(isAgain)(
  'each block of TypeScript compiles',
  async () => {
    const folder = resolve('node_modules/.cache', `docket-docs-${process.pid}`)
    const files: string[] = []
    for (const [page, text] of pages) {
      for (const { text: body, line } of blocksOf(text).filter(
        ({ language }) => language === 'ts',
      )) {
        const file = `${page.replaceAll(/\W/g, '-')}-${line}.ts`
        const before = around.flatMap(([mark, code]) => (mark.test(body) ? [code] : []))
        await Bun.write(`${folder}/${file}`, `${before.join('\n')}\n${body}\nexport {}\n`)
        files.push(file)
      }
    }
    const config = {
      extends: resolve('tsconfig.json'),
      compilerOptions: { lib: ['ESNext', 'DOM'], types: ['bun'], noUnusedLocals: false },
      files: [...files, resolve('src/files.d.ts')],
      include: [],
    }
    await Bun.write(`${folder}/tsconfig.json`, JSON.stringify(config))

    const compiler = Bun.spawn([process.execPath, 'x', 'tsc', '-p', folder], { stdout: 'pipe' })
    const said = await compiler.stdout.text()
    rmSync(folder, { recursive: true })

    expect(files.length).toBeGreaterThan(8)
    expect(said).toBe('')
  },
  120_000,
)
