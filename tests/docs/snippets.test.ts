import { afterAll, describe, expect, test } from 'bun:test'
import { createTestApp, signUp } from '../support/app.ts'
import { temporaryFolder } from '../support/database.ts'
import { blocksOf, type Call, callsOf, pages, patternOf } from './reading.ts'

// What README.md and docs/ tell to type is typed, and has to print what they show. Skipped where there is no curl.

const app = createTestApp({ rates: null }).listen({ hostname: '127.0.0.1', port: 0 })
afterAll(() => app.stop(true))
const host = `127.0.0.1:${app.server?.port}`

const hasCurl = Bun.which('curl') !== null

/** Those of blocks. */
const languages = new Set([
  '',
  'console',
  'sh',
  'json',
  'ts',
  'js',
  'sql',
  'nginx',
  'dockerfile',
  'caddy',
  'ini',
  'yaml',
])

/** What each call of a page printed: one shell for all, as its reader has it. */
async function run(calls: Call[]): Promise<string[]> {
  const user = await signUp()
  const home = temporaryFolder()
  await Bun.write(`${home}/.curlrc`, 'no-progress-meter')
  const script = [
    'exec 2>&1',
    // How a token is made is another test's; here there is one.
    'npx() { echo "$TOKEN"; }',
    ...calls.flatMap(({ command }) => [String.raw`printf '\n\036'`, command]),
  ].join('\n')
  const shell = Bun.spawn(['bash', '-c', script.replaceAll('localhost:8000', host)], {
    cwd: temporaryFolder(),
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      TOKEN: user.authorization.slice('Bearer '.length),
    },
    stdin: 'ignore',
    stdout: 'pipe',
  })
  const printed = await shell.stdout.text()
  return printed
    .replaceAll(host, 'localhost:8000')
    .replaceAll(user.id, 'alice')
    .split('\u001e')
    .slice(1)
}

describe.each(pages)('%s', (_file, text) => {
  const blocks = blocksOf(text)
  const calls = blocks.filter(({ language }) => language === 'console').flatMap(callsOf)
  let running: Promise<string[]> | undefined

  test
    .skipIf(calls.length === 0 || !hasCurl)
    .each(calls.map((call, index) => [call.line, call, index] as const))(
    'line %d prints what is shown',
    async (_line, { command, output }, index) => {
      running ??= run(calls)
      const printed = (await running)[index] ?? ''

      const isAsShown =
        output.trim() === ''
          ? !/"type":"about:blank"|command not found/.test(printed)
          : patternOf(output).test(printed.replaceAll(/\s/g, ''))
      // Whoever mends the page wants to see what is printed.
      if (!isAsShown) throw new Error(`$ ${command}\n${printed}`)
    },
  )

  test('has blocks of languages that are checked', () => {
    for (const { language, text: body, line } of blocks) {
      expect([line, language, languages.has(language)]).toEqual([line, language, true])
      // A call of the server is shown with what it prints.
      expect([line, /curl .*localhost/.test(body) && language !== 'console']).toEqual([line, false])
    }
  })

  test.skipIf(!blocks.some(({ language }) => /^(ts|js|json|sh)$/.test(language)))(
    'has code without a fault of syntax',
    async () => {
      for (const { language, text: body, line } of blocks) {
        if (language === 'json') JSON.parse(body.replaceAll('[…]', '[]'))
        if (language === 'ts' || language === 'js') {
          const parse = () =>
            new Bun.Transpiler({ loader: language }).transformSync(body.replaceAll('…', ''))
          expect(parse, `line ${line}`).not.toThrow()
        }
        if (language === 'sh') {
          const shell = Bun.spawn(['bash', '-n', '-c', body], { stderr: 'pipe' })
          expect([line, await shell.stderr.text()]).toEqual([line, ''])
        }
      }
    },
  )
})
