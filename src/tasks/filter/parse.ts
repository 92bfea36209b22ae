import { fold } from '../../http/fold.ts'
import { containing, type Field, fieldOf, type Operator, tagged, type Value } from './fields.ts'
import { type Filter, FilterError, type Place } from './tree.ts'

// Reads filters, as `priority:>=high due:<tomorrow -#waiting "exact words"`, or as
// `priority >= medium and (due = today or tag = home)`:
//
//   filter := all { ("or" | "|" | "||") all }
//   all    := not { ["and" | "&" | "&&"] not }
//   not    := ("not" | "-" | "!") not | "(" filter ")" | term
//   term   := field (":" | ":"? operator) values | "#" tag | "@" name | word | "string"
//   values := value { "," value } | [value] ".." [value]

/** The most that a filter has. */
export const most = { characters: 1000, conditions: 40, depth: 20 }

/** A text that is being read, as far as it is. */
type Reader = { text: string; at: number; conditions: number; depth: number }

/** @throws FilterError */
export function parseFilter(text: string): Filter {
  if (text.length > most.characters) {
    throw new FilterError(`A filter has at most ${most.characters} characters.`, {
      at: most.characters,
      length: text.length - most.characters,
    })
  }
  const reader = { text, at: 0, conditions: 0, depth: 0 }
  skipSpace(reader)
  if (isAtEnd(reader)) throw new FilterError('The filter is empty.', { at: 0, length: text.length })
  const filter = readAny(reader)
  if (!isAtEnd(reader)) {
    throw new FilterError('This parenthesis closes nothing.', { at: reader.at, length: 1 })
  }
  return filter
}

const signs = {
  space: /[\s\p{White_Space}\p{Cc}]+/uy,
  or: /or(?![^\s()"“”„])|\|\|?/iy,
  and: /and(?![^\s()"“”„])|&&?/iy,
  not: /not(?![^\s()"“”„])|[-!]/iy,
  field: /([\p{L}_][\p{L}\p{N}_-]*)\s*(:\s*(?:[=!]=|[<>]=?|=)?|[=!]=|[<>]=?|=)\s*/uy,
  word: /[^\s()"“”„]+/y,
  value: /[^\s(),"“”„]+/y,
  comma: /\s*,\s*/y,
  string: /["“”„]((?:\\.|[^\\"“”„])*)["“”„]/suy,
  apostrophes: /'((?:\\.|[^\\'])*)'/suy,
} satisfies Record<string, RegExp>

/** Goes on after a sign that is next, if it is. */
function take(reader: Reader, sign: RegExp): RegExpExecArray | null {
  sign.lastIndex = reader.at
  const found = sign.exec(reader.text)
  if (found !== null) reader.at += found[0].length
  return found
}

const skipSpace = (reader: Reader): void => void take(reader, signs.space)

const isAtEnd = ({ text, at }: Reader): boolean => at >= text.length

/** Where something was that has just been read. */
const since = ({ at: now }: Reader, at: number): Place => ({ at, length: now - at })

/** What is said of the end of the text, where something is missing. */
const here = ({ text, at }: Reader): Place => ({ at, length: at < text.length ? 1 : 0 })

function readAny(reader: Reader): Filter {
  const parts = [readAll(reader)]
  while (take(reader, signs.or) !== null) {
    skipSpace(reader)
    parts.push(readAll(reader))
  }
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : { any: parts }
}

function readAll(reader: Reader): Filter {
  const parts = [readNot(reader)]
  while (!isAtEnd(reader) && reader.text[reader.at] !== ')' && !isNext(reader, signs.or)) {
    if (take(reader, signs.and) !== null) skipSpace(reader)
    parts.push(readNot(reader))
  }
  const [only] = parts
  return parts.length === 1 && only !== undefined ? only : { all: parts }
}

function isNext(reader: Reader, sign: RegExp): boolean {
  sign.lastIndex = reader.at
  return sign.test(reader.text)
}

function readNot(reader: Reader): Filter {
  let isNegated = false
  while (take(reader, signs.not) !== null) {
    skipSpace(reader)
    isNegated = !isNegated
  }
  const filter = reader.text[reader.at] === '(' ? readGroup(reader) : readTerm(reader)
  skipSpace(reader)
  return isNegated ? { not: filter } : filter
}

function readGroup(reader: Reader): Filter {
  const opening = { at: reader.at, length: 1 }
  reader.depth += 1
  if (reader.depth > most.depth) {
    throw new FilterError(`Parentheses are at most ${most.depth} deep.`, opening)
  }
  reader.at += 1
  skipSpace(reader)
  if (isAtEnd(reader)) throw new FilterError('This parenthesis is not closed.', opening)
  const filter = readAny(reader)
  if (isAtEnd(reader)) throw new FilterError('This parenthesis is not closed.', opening)
  reader.at += 1
  reader.depth -= 1
  return filter
}

function readTerm(reader: Reader): Filter {
  const { at } = reader
  const sign = reader.text[at]
  if (isAtEnd(reader)) throw new FilterError('A condition is missing here.', here(reader))
  if (sign === ')' || isNext(reader, signs.or) || isNext(reader, signs.and)) {
    throw new FilterError('A condition is missing before this.', here(reader))
  }
  if (sign === '#' || sign === '@') {
    reader.at += 1
    const value = readString(reader) ?? readWord(reader, signs.word)
    if (value === null) {
      const what = sign === '#' ? 'The name of a tag' : 'The name of a filter'
      throw new FilterError(`${what} is missing after ${sign}.`, { at, length: 1 })
    }
    count(reader, at)
    if (sign === '#') return tagged(value)
    const key = fold(value.text)
    return { is: 'saved', key, place: since(reader, at) }
  }
  const quoted = readString(reader)
  if (quoted !== null) {
    count(reader, at)
    return containing('text', quoted)
  }
  const [, name, operator] = take(reader, signs.field) ?? []
  if (name !== undefined && operator !== undefined) {
    return readField(reader, fieldOf(name, { at, length: name.length }), operator, at + name.length)
  }
  const word = readWord(reader, signs.word)
  if (word === null || /[:=<>]/.test(word.text)) {
    throw new FilterError(
      'This is no condition. What has a colon or a sign in it goes into quotes.',
      word?.place ?? here(reader),
    )
  }
  count(reader, at)
  return containing('text', word)
}

function readField(reader: Reader, field: Field, sign: string, at: number): Filter {
  const operator = operatorOf(sign)
  const place = { at: reader.text.indexOf(sign, at), length: sign.trimEnd().length }
  const values = readValues(reader, field)
  const [first] = values
  if (operator !== '=' && operator !== '!=') {
    if (field.compare === undefined) {
      throw new FilterError(`${field.name} has no order: compare it with a colon.`, place)
    }
    if (values.length !== 1 || first === undefined || 'from' in first) {
      throw new FilterError('This compares with a single value.', place)
    }
    return field.compare(operator, first)
  }
  const parts = values.map((value) => {
    if (!('from' in value)) return field.equal(value)
    if (field.range === undefined) {
      throw new FilterError(`${field.name} has no order, so there is no range of it.`, place)
    }
    return field.range(value)
  })
  const [part] = parts
  const filter = parts.length === 1 && part !== undefined ? part : { any: parts }
  return operator === '!=' ? { not: filter } : filter
}

function operatorOf(sign: string): Operator {
  const operator = sign.replace(/[:\s]/g, '')
  // It is one of those in the pattern of a field.
  return operator === '' || operator === '==' ? '=' : (operator as Operator)
}

type Read = Value | { from: Value | undefined; to: Value | undefined }

function readValues(reader: Reader, { name, range }: Field): Read[] {
  const values: Read[] = []
  do {
    const { at } = reader
    const quoted = readString(reader) ?? readApostrophes(reader)
    const value = quoted ?? readWord(reader, signs.value)
    if (value === null) {
      throw new FilterError(`A value is missing after ${name}.`, here(reader))
    }
    count(reader, at)
    const isRange = range !== undefined && !value.isQuoted && value.text.includes('..')
    values.push(isRange ? readRange(value) : value)
  } while (take(reader, signs.comma) !== null)
  return values
}

function readRange({ text, place }: Value): Read {
  const middle = text.indexOf('..')
  const from = text.slice(0, middle)
  const to = text.slice(middle + 2)
  if (from === '' && to === '') {
    throw new FilterError('A range has two dots between its values.', place)
  }
  const part = (value: string, at: number): Value | undefined =>
    value === '' ? undefined : { text: value, isQuoted: false, place: { at, length: value.length } }
  return { from: part(from, place.at), to: part(to, place.at + middle + 2) }
}

function readString(reader: Reader): Value | null {
  const { at } = reader
  const found = take(reader, signs.string)
  if (found === null) {
    if (!/["“”„]/.test(reader.text[at] ?? '')) return null
    throw new FilterError('This quote is not closed.', { at, length: 1 })
  }
  return unquoted(found[1], since(reader, at))
}

/** As programs write it. Where there is no other one it is part of a word. */
function readApostrophes(reader: Reader): Value | null {
  const { at } = reader
  const found = take(reader, signs.apostrophes)
  return found === null ? null : unquoted(found[1], since(reader, at))
}

const unquoted = (text = '', place: Place): Value => ({
  text: text.replace(/\\(.)/gsu, '$1'),
  isQuoted: true,
  place,
})

/** A word. Signs of the language within one may be meant as such, or not: so they are neither. */
function readWord(reader: Reader, sign: RegExp): Value | null {
  const { at } = reader
  const found = take(reader, sign)
  if (found === null) return null
  const [text] = found
  const place = since(reader, at)
  if (/[&|]/.test(text)) {
    throw new FilterError('Put spaces around & and |, or quotes around all of it.', place)
  }
  return { text, isQuoted: false, place }
}

function count(reader: Reader, at: number): void {
  reader.conditions += 1
  if (reader.conditions > most.conditions) {
    throw new FilterError(`A filter has at most ${most.conditions} conditions.`, {
      at,
      length: reader.text.length - at,
    })
  }
}
