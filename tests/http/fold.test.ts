import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { fold, isBlank, separator, titleKey } from '../../src/http/fold.ts'

const characters = Array.from({ length: 0x11_0000 }, (_, code) =>
  String.fromCodePoint(code),
).filter((character) => /[^\p{Cn}\p{Co}\p{Cs}]/u.test(character))

describe('is the same', () => {
  test.each([
    ['in any case', ['Straße', 'STRASSE', 'strasse', 'STRAẞE']],
    ['at the end of a Greek word', ['ΔΡΟΜΟΣ', 'δρομος', 'δρόμος', 'δρομοσ']],
    ['with dots of any alphabet', ['İSTANBUL', 'istanbul', 'ıstanbul', 'ISTANBUL']],
    ['in Cherokee', ['ᏣᎳᎩ', 'ꮳꮃꭹ']],
    ['in Georgian capitals', ['ᲗᲑᲘᲚᲘᲡᲘ', 'თბილისი']],
    ['with a digraph', ['Ǆungla', 'ǆungla', 'DŽUNGLA', 'dzungla']],
    ['with accents', ['réunion', 're\u0301union', 'REUNION']],
    ['with two accents', ['Việt Nam', 'Viê\u0323t Nam', 'viet nam']],
    ['with a stroke', ['Łódź', 'lodz', 'ŁÓDŹ']],
    ['with letters in one', ['œuvre', 'Œuvre', 'oeuvre']],
    ['with a ring or its sign', ['Ångström', 'Ångström', 'angstrom']],
    ['in Russian with ё', ['ёлка', 'Елка']],
    ['with a ligature', ['ﬁle', 'file']],
    ['in full width', ['ＴＯＤＯ　１', 'todo 1']],
    ['in half width', ['ｶﾞｷﾞ', 'ガギ']],
    ['in Korean', ['한글', '한글'.normalize('NFD')]],
    ['with Hebrew points', ['שָׁלוֹם', 'שלום']],
    ['with Arabic points, and longer', ['مُحَمَّد', 'محمد', 'محـــمد']],
    ['with digits of any script', ['١٢٣', '۱۲۳', '१२३', '１２３', '𝟙𝟚𝟛', '123']],
    ['with what does not show', ['soft\u00ADhyphen', 'soft\u200Bhyphen', '\uFEFFsofthyphen']],
    ['in either style', ['❤️', '❤\uFE0E', '❤']],
    ['with white space of any kind', ['a b', ' a\u00A0\n\t\u2003b\u3000', 'a\u0085\u001Fb']],
  ])('%s', (_how, texts) => {
    expect(texts.map(fold)).toEqual(texts.map(() => fold(texts[0] ?? '')))
  })
})

describe('is not the same', () => {
  test.each([
    ['и and й, other letters', 'мои', 'мой'],
    ['kana with a mark', 'かき', 'かぎ'],
    ['another vowel in Hindi', 'कि', 'क'],
    ['another vowel in Thai', 'กิน', 'กน'],
    ['another tone in Thai', 'ไม่', 'ไม้'],
    ['another final in Korean', '하', '한'],
    ['a family and its people', '👨‍👩‍👧', '👨👩👧'],
    ['another flag', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['another colour', '👍🏽', '👍🏿'],
    ['a number and a half', '1½', '11⁄2'],
    ['a square', '10²', '102'],
  ])('%s', (_what, one, other) => {
    expect(fold(one)).not.toBe(fold(other))
  })
})

test('every character is the same in any case and composition, and folded once', () => {
  for (const character of characters) {
    const folded = fold(character)
    const forms = [
      folded,
      character.toLowerCase(),
      character.toUpperCase(),
      character.normalize('NFD'),
      character.normalize('NFKC'),
    ]
    // The whole at once: a million assertions take long.
    if (forms.some((form) => fold(form) !== folded)) expect([character, folded]).toEqual([])
  }
})

/** What has to do with what is next to it. */
const meeting = [
  '\u200D',
  '\uFE0F',
  '🏴',
  '\u{E0067}',
  '🌈',
  '👍',
  '🏽',
  '\u0301',
  '\u0306',
  'и',
  'И',
  'й',
  '\u0323',
  'ᄒ',
  'ᅡ',
  'ᆫ',
  'ㅎ',
  ' ',
  '\x85',
  '\x01',
  '\xAD',
  '½',
  '²',
  '𑇡',
  '1',
  '٣',
  '´',
  '¨',
  'ﷺ',
  'ß',
  'İ',
  'Σ',
  '\u3099',
  'か',
  'ﾞ',
  'क',
  '\u093F',
  '\u093C',
  '\u034F',
  '\u0640',
  '\u0654',
  '\u20E3',
]
const texts = fc
  .array(fc.oneof(fc.constantFrom(...meeting), fc.string({ unit: 'binary', maxLength: 1 })), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))

test('any text is folded once, whatever its composition and the space around it', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const folded = fold(text)
      const forms = [folded, text.normalize('NFC'), text.normalize('NFD'), ` ${text}\u3000`]
      expect(forms.map(fold)).toEqual(forms.map(() => folded))
      expect(folded).not.toContain(separator)
    }),
    { numRuns: 5000 },
  )
})

test.each([
  ['marks on one letter', `a${'\u0301\u0316'.repeat(10_000)}`],
  ['marks with joiners between them', '\u0301\u200D\u0316\u200D'.repeat(5000)],
  ['vowels that compose', '\u{16D67}\u{16D68}'.repeat(8000)],
  ['marks of Hindi', `क${'\u093C\u094D'.repeat(10_000)}`],
  ['flags without an end', `🏴${'\u{E0067}'.repeat(16_000)}`],
  ['a sentence in one character', 'ﷺ'.repeat(20_000)],
])(
  'nobody waits for a text of %s',
  (_what, text) => {
    const folded = fold(text)

    expect(fold(folded)).toBe(folded)
    expect(folded.length).toBeLessThanOrEqual(100_000)
    expect(folded.isWellFormed()).toBe(true)
  },
  1000,
)

describe('shows as nothing', () => {
  test.each([
    ['nothing', ''],
    ['spaces', ' \u00A0\u2003\u3000\u1680\u205F'],
    ['line ends', '\r\n\u0085\u2028\u2029\v\f'],
    ['zero width', '\u200B\u200C\u200D\u2060\uFEFF\u180E'],
    ['directions', '\u202E\u2066\u200F\u061C\u2069'],
    ['fillers', '\u3164\u115F\u1160\uFFA0\u2800'],
    ['variation selectors', '\uFE0F\u{E0100}'],
    ['tags and soft hyphens', '\u{E0001}\u{E0067}\xAD\u034F'],
  ])('%s', (_what, text) => {
    expect(isBlank(text)).toBe(true)
    expect(isBlank(`${text}x${text}`)).toBe(false)
  })

  test.each(['.', '´', '\u0301', '🏴', '①', '\u{10FFFF}', '\u0001', 'ㅤx'])('but not %j', (text) => {
    expect(isBlank(text)).toBe(false)
  })
})

describe('titles are in the order', () => {
  const inOrder = (titles: string[]) =>
    titles.toSorted((a, b) => Buffer.compare(Buffer.from(titleKey(a)), Buffer.from(titleKey(b))))

  test.each([
    ['of the alphabet', ['Ähre', 'Ast', 'Azur', 'Öl', 'Ort', 'Zange']],
    ['of another one', ['Αθήνα', 'έλα', 'Ζωή', 'ώρα']],
    ['of letters with a stroke', ['Lodz', 'Łódź', 'Lot', 'oase', 'Øl', 'Zebra']],
    ['of numbers', ['Step', 'Step 1', 'Step 1½', 'Step 2', 'Step 10', 'Step 100', 'Steps']],
    ['of versions', ['v1.2', 'v1.10', 'v2.0.9', 'v2.0.10', 'v10']],
    ['of numbers in any script', ['٩ x', '10 x', '११ x', '１２ x']],
    [
      'of numbers that nothing can count',
      [`9${'0'.repeat(30)}`, `1${'0'.repeat(31)}`, '2'.repeat(400)],
    ],
    [
      'of case and marks where nothing else differs',
      ['ahre', 'Ahre', 'AHRE', 'Ähre', 'ähre', 'ahre 2'],
    ],
    ['of zeros where nothing else differs', ['007', '07', '7', '8']],
    ['of words, not of the space around them', ['Ast', '  bar', 'Cent']],
  ])('%s', (_what, titles) => {
    expect(inOrder(titles)).toEqual(titles)
    expect(inOrder(titles.toReversed())).toEqual(titles)
  })

  test.each(['x', '1 ', 'Ä', '語', '🌱', 'ﷺ', '1'])('and fit into an index, of %s', (character) => {
    const key = titleKey(character.repeat(500 / character.length))

    expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1501)
    expect(key.isWellFormed()).toBe(true)
  })
})
