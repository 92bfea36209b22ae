// Text as people compare it: the same on every database, whatever its locale. What it makes is stored: how it treats a
// character stays as it is, or all that is stored is made anew. Unicode promises the same of every character that it has
// assigned, so a later Bun differs by new characters only.

/** White space of any kind, and control characters: none of them is part of a word. */
const space = /[\s\p{White_Space}\p{Cc}]+/gu

/**
 * What shows as nothing by itself, as format characters, fillers and variation selectors do, and what is drawn around a letter or
 * makes it longer. But for what joins emoji to another one, or makes one of its flags.
 */
const unseen =
  /(?<!🏴[\u{E0020}-\u{E007F}]{0,7})[\u{E0020}-\u{E007F}]|(?!(?<=\p{Extended_Pictographic}\uFE0F?|\p{Emoji_Modifier})\u200D\p{Extended_Pictographic})[[\u0640\p{Me}\p{Cf}\p{Default_Ignorable_Code_Point}]--[\u{E0020}-\u{E007F}]]/gv

/**
 * Marks on a letter that is the same without them: accents, and points that readers do without. Not the breve that makes и another
 * letter, not the iota below one, which is a letter in capitals, not the marks of kana, and not the vowels of scripts that write them so.
 */
const marks =
  /(?<=\S)(?<![иИ](?=\u0306))[[\p{Mn}&&[\p{sc=Zinh}\p{sc=Grek}\p{sc=Cyrl}\p{sc=Hebr}\p{sc=Arab}\p{sc=Syrc}]]--[\u0345\u3099\u309A]]+/gv

/**
 * More marks than any text has on a letter (UAX #15), or of the vowels of Kirat Rai, which compose with each other: to put many
 * thousands in their order takes seconds.
 */
const run = /([\p{M}\u{16D63}\u{16D67}-\u{16D6A}]{30})[\p{M}\u{16D63}\u{16D67}-\u{16D6A}]+/gu

/** As long as the longest texts become in any script. There is a ligature of a whole sentence, of which only so many count. */
const longest = 100_000

/** Letters that are others with a stroke, or two in one, and have no decomposition. */
const letters: Record<string, string> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
}
const isOther = new RegExp(`[${Object.keys(letters).join('')}]`, 'g')

const isPlain = /^(?:[!-~]+(?: [!-~]+)*)?$/

/**
 * What is the same to a reader is the same text: without case, marks and composition, digits of any script as 0 to 9, white space as
 * one space between words. Once more it changes nothing.
 */
export function fold(text: string): string {
  if (isPlain.test(text)) return text.toLowerCase()
  return (
    text
      .replace(run, '$1')
      // ½ and ² are no digits of the number before them.
      .replace(/(?<=\p{Nd})(?=[¹²³¼-¾⁰-₉⅐-⅟↉①-⒛])/gu, ' ')
      .normalize('NFKD')
      .slice(0, longest)
      .toWellFormed()
      .replace(unseen, '')
      .replace(run, '$1')
      // The marks that were on both sides of it, in their order.
      .normalize('NFD')
      .replace(space, ' ')
      .trim()
      .replace(marks, '')
      // Not all that is the same in capitals has the same small letters, nor the other way round.
      .toLowerCase()
      .toUpperCase()
      .toLowerCase()
      .replace(isOther, (letter) => letters[letter] ?? letter)
      .replace(/[^\P{Nd}0-9]/gu, digit)
      .normalize('NFC')
  )
}

const isDigit = /^\p{Nd}$/u

/** Those that were met. */
const digits = new Map<string, string>()

/** The digits of a script follow each other, from 0 to 9. */
function digit(character: string): string {
  const known = digits.get(character)
  if (known !== undefined) return known
  const code = character.codePointAt(0) ?? 0
  let value = 0
  while (value < 9 && isDigit.test(String.fromCodePoint(code - value - 1))) value += 1
  digits.set(character, String(value))
  return String(value)
}

/** Whether there is nothing to see in it. The last is an empty pattern of braille. */
export const isBlank = (text: string): boolean =>
  /^[\s\p{White_Space}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]*$/u.test(text)

/** In no folded text: separates what no word goes across, and is before whatever is in one. */
export const separator = '\u001F'

/** Byte for byte these are in the order of titles: numbers by what they are, then all that folding may have changed, for ties. */
export function titleKey(title: string, folded = fold(title)): string {
  const key = folded.replace(/0*(\d+)/g, (_, number: string) => sizeOf(number) + number)
  return (
    cut(key, mostBytes.key) +
    separator +
    cut(title.replaceAll(/[a-z\p{Cc} ]+/gu, ''), mostBytes.tie)
  )
}

/** Whether it can be one, as far as that can be told. */
export const isTitleKey = (text: string): boolean =>
  text.includes(separator) && Buffer.byteLength(text) <= mostBytes.key + 1 + mostBytes.tie

/** How many digits, in digits that sort by that. */
const sizeOf = ({ length }: string): string =>
  length < 9 ? String(length) : `9${String(length).padStart(4, '0')}`

/** With the longest id of a user it is all that fits into an entry of an index. */
const mostBytes = { key: 1000, tie: 500 }

const encoder = new TextEncoder()

/** So many bytes of a text, and no part of a character. */
const cut = (text: string, bytes: number): string =>
  text.length * 3 <= bytes
    ? text
    : text.slice(0, encoder.encodeInto(text, new Uint8Array(bytes)).read)
