/** README.md and all of docs/, as their readers have them. */
export const pages: [file: string, text: string][] = await Promise.all(
  ['README.md', ...(await Array.fromAsync(new Bun.Glob('docs/*.md').scan('.'))).toSorted()].map(
    async (file): Promise<[string, string]> => [file, await Bun.file(file).text()],
  ),
)

export const textOf = (file: string): string => pages.find(([name]) => name === file)?.[1] ?? ''

export type Block = { language: string; text: string; line: number }

/** What stands between fences. */
export function blocksOf(text: string): Block[] {
  return Array.from(
    text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms),
    ({ 1: language = '', 2: body = '', index }) => ({
      language,
      text: body,
      line: text.slice(0, index).split('\n').length,
    }),
  )
}

/** All but what stands between fences. */
export const proseOf = (text: string): string => text.replaceAll(/^```[^\n]*\n.*?^```$/gms, '')

export type Call = { command: string; output: string; line: number }

/** The commands of a ```console block, each with what it prints. A command goes on after a backslash and within quotes. */
export function callsOf({ text, line }: Block): Call[] {
  const calls: Call[] = []
  for (const [index, row] of text.split('\n').entries()) {
    const last = calls.at(-1)
    if (row.startsWith('$ ')) calls.push({ command: row.slice(2), output: '', line: line + index })
    else if (last?.output === '' && goesOn(last.command)) last.command += `\n${row}`
    else if (last !== undefined) last.output += `${row}\n`
  }
  return calls
}

const goesOn = (command: string): boolean =>
  command.endsWith('\\') || command.split("'").length % 2 === 0

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const instant = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?\\+00:00'

/** What a page shows, as a pattern for what is printed: `…` is whatever varies, and so is each id and each instant. White space is not compared. */
export function patternOf(shown: string): RegExp {
  const bare = shown.replaceAll(/\s/g, '')
  const pattern = bare
    .split('…')
    .map((part) =>
      part
        .replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
        .replaceAll(new RegExp(uuid, 'g'), uuid)
        .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\\\.\d+\\\+00:00/g, instant),
    )
    .join('[^]*?')
  return new RegExp(`^${pattern}$`)
}
