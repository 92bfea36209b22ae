import { mostTasks, mostText } from './found.ts'
import type { Pace } from './pace.ts'

// Comma-separated values (RFC 4180), as programs write them and people save them anew: with semicolons or tabs, and with any line ends.

/** A record, and the line that it begins on. */
type Record = { line: number; fields: string[] }

/** What is under a header. */
export type Table = {
  /** Under this name of a column, in any case, without white space around; '': there is no such column, or nothing is in it. */
  rows: { line: number; get: (column: string) => string }[]
  /** The line of a quotation mark that nothing closes: it is taken for a letter. */
  unclosed: number | null
  /** There are more rows than that. */
  isCut: boolean
}

/** The table whose header has these columns, with whatever is above it; null: there is none. */
export async function readTable(
  text: string,
  required: string[],
  pace: Pace,
): Promise<Table | null> {
  for (const separator of [',', ';', '\t']) {
    const { records, unclosed } = await readRecords(text, separator, pace)
    const at = records.slice(0, mostAbove).findIndex(({ fields }) => {
      const names = namesOf(fields)
      return required.every((name) => names.includes(name))
    })
    const header = records[at]
    if (header === undefined) continue
    const places = new Map(namesOf(header.fields).map((name, index) => [name, index]))
    const rows = records.slice(at + 1).flatMap(({ line, fields }) => {
      // Programs put empty lines between what belongs together.
      if (fields.every((field) => field.trim() === '')) return []
      const get = (name: string) => (fields[places.get(name) ?? -1] ?? '').slice(0, mostText)
      return [{ line, get }]
    })
    return { rows, unclosed, isCut: records.length > mostRecords }
  }
  return null
}

/** How many records can be above a header. */
const mostAbove = 30

/** More than any program writes for as many tasks as there may be. */
const mostRecords = 2 * mostTasks

const namesOf = (fields: string[]): string[] => fields.map((name) => name.trim().toLowerCase())

/** All records. A quotation mark counts at the beginning of a field only. */
async function readRecords(text: string, separator: string, pace: Pace) {
  const records: Record[] = []
  let record: Record = { line: 1, fields: [] }
  let unclosed: number | null = null
  let line = 1
  let at = 0
  // Each is looked for once.
  const next = [separator, '\n', '\r'].map((mark) => ({ mark, at: text.indexOf(mark) }))

  const endOfPlain = (): number => {
    let end = text.length
    for (const found of next) {
      if (found.at !== -1 && found.at < at) found.at = text.indexOf(found.mark, at)
      if (found.at !== -1 && found.at < end) end = found.at
    }
    return end
  }

  while (at < text.length && records.length <= mostRecords) {
    await pace()
    let field = ''
    if (text[at] === '"') {
      const quoted = readQuoted(text, at)
      if (quoted === null) unclosed ??= line
      else {
        field = quoted.field
        line += countLines(text, at, quoted.end)
        at = quoted.end
      }
    }
    const end = endOfPlain()
    record.fields.push(field + text.slice(at, end))
    at = end
    const mark = text[at]
    if (mark === separator) {
      at += 1
      // The last field of a text may be empty.
      if (at < text.length) continue
      record.fields.push('')
    } else if (mark !== undefined) {
      at += mark === '\r' && text[at + 1] === '\n' ? 2 : 1
      line += 1
    }
    records.push(record)
    record = { line, fields: [] }
  }
  return { records, unclosed }
}

/** What is in quotation marks, of which two are one; null: nothing closes them. */
function readQuoted(text: string, start: number): { field: string; end: number } | null {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] === '"') continue
    return { field: text.slice(start + 1, at).replaceAll('""', '"'), end: at + 1 }
  }
  return null
}

function countLines(text: string, from: number, to: number): number {
  let count = 0
  for (let at = text.indexOf('\n', from); at !== -1 && at < to; at = text.indexOf('\n', at + 1)) {
    count += 1
  }
  return count
}
