import { describe, expect, test } from 'bun:test'
import { dayOf, daysBetween, instantsOf } from '../../../src/tasks/filter/days.ts'
import { dueOf, needsOf, testsOf, withKept } from '../../../src/tasks/filter/meaning.ts'
import { most, parseFilter } from '../../../src/tasks/filter/parse.ts'
import { type Filter, FilterError } from '../../../src/tasks/filter/tree.ts'

const text = (words: string): Filter => ({ is: 'words', in: 'text', words })
const tag = (key: string): Filter => ({ is: 'tag', key })
const on = (plus: number, shift: -1 | 0 | 1 = 0) =>
  ({ day: { plus, unit: 'days' }, shift }) as const
const done: Filter = { is: 'completed' }

const read: [string, Filter][] = [
  ['Plants', text('plants')],
  ['"exact  Words"', text('exact words')],
  ['“exact words”', text('exact words')],
  ['"a \\"quote\\" in it"', text('a "quote" in it')],
  ['e-mail', text('e-mail')],
  ["don't", text("don't")],
  ['#home', tag('home')],
  ['#"At Home"', tag('at home')],
  ['tag:Café', tag('cafe')],
  ['label = home', tag('home')],
  ['tag:a,b', { any: [tag('a'), tag('b')] }],
  ['tag: "a, b" , c', { any: [tag('a, b'), tag('c')] }],
  ["tag == 'at home'", tag('at home')],
  ['tag:"none"', tag('none')],
  ['tag:none', { not: { is: 'given', field: 'tag' } }],
  ['a b', { all: [text('a'), text('b')] }],
  ['a and b AND c & d && e', { all: ['a', 'b', 'c', 'd', 'e'].map(text) }],
  ['a or b OR c | d || e', { any: ['a', 'b', 'c', 'd', 'e'].map(text) }],
  ['a b or c', { any: [{ all: [text('a'), text('b')] }, text('c')] }],
  ['a (b or c)', { all: [text('a'), { any: [text('b'), text('c')] }] }],
  ['-a', { not: text('a') }],
  ['not (a b)', { not: { all: [text('a'), text('b')] } }],
  ['!-a', text('a')],
  ['android or notes', { any: [text('android'), text('notes')] }],
  ['status:done', done],
  ['is:pending', { not: done }],
  ['completed = true', done],
  ['completed:false', { not: done }],
  ['is:overdue', { is: 'overdue' }],
  ['has:due', { is: 'given', field: 'due' }],
  ['-has:time', { not: { is: 'given', field: 'time' } }],
  ['priority:high', { is: 'priority', of: ['high'] }],
  ['Priority >= Medium', { is: 'priority', of: ['medium', 'high'] }],
  ['p:<medium', { is: 'priority', of: ['none', 'low'] }],
  ['priority:low..medium', { is: 'priority', of: ['low', 'medium'] }],
  ['priority != high', { not: { is: 'priority', of: ['high'] } }],
  ['due:today', { is: 'day', field: 'due', from: on(0), to: on(0) }],
  ['due < tomorrow', { is: 'day', field: 'due', from: null, to: on(1, -1) }],
  ['due:>-3d', { is: 'day', field: 'due', from: on(-3, 1), to: null }],
  ['due:today..+7d', { is: 'day', field: 'due', from: on(0), to: on(7) }],
  ['due:..yesterday', { is: 'day', field: 'due', from: null, to: on(-1) }],
  [
    'dueDate:none or due_date:none',
    { any: [{ not: { is: 'given', field: 'due' } }, { not: { is: 'given', field: 'due' } }] },
  ],
  ['due:none', { not: { is: 'given', field: 'due' } }],
  ['created:any', { is: 'given', field: 'created' }],
  ['title:plant', { is: 'words', in: 'title', words: 'plant' }],
  ['list:Home', { is: 'list', key: 'home', id: null, place: { at: 5, length: 4 } }],
  ['list:inbox', { not: { is: 'given', field: 'list' } }],
  ['@"My Day"', { is: 'saved', key: 'my day', place: { at: 0, length: 9 } }],
]

test.each(read)('reads %s', (filter, tree) => {
  expect(parseFilter(filter)).toEqual(tree)
})

test('reads the same in signs and in words', () => {
  const signs = parseFilter('priority:>=medium (due:today | #home)')
  const words = parseFilter("priority >= 'medium' and (due == today or tag = home)")

  expect(signs).toEqual(words)
})

/** What is wrong, and with what part of it. */
const refused: [string, RegExp, string][] = [
  ['   ', /empty/, '   '],
  ['stauts:done', /no field stauts: did you mean status\?/, 'stauts'],
  ['a http://x', /no field http\. There are status, .*quotes/, 'http'],
  ['due:frday', /did you mean friday\?/, 'frday'],
  ['due:2026-02-30', /no such day/, '2026-02-30'],
  ['due:today..tomorow', /did you mean tomorrow\?/, 'tomorow'],
  ['priority:hgih', /did you mean high\?/, 'hgih'],
  ['is:deleted', /deleted=true/, 'deleted'],
  ['has:wings', /no thing that a task has\. There are/, 'wings'],
  ['a (b or c', /not closed/, '('],
  ['a) b', /closes nothing/, ')'],
  ['"a b', /not closed/, '"'],
  ['a or', /missing here/, ''],
  ['or a', /missing before this/, 'o'],
  ['()', /missing before this/, ')'],
  ['due:', /value is missing after due/, ''],
  ['tag:a,', /value is missing after tag/, ''],
  ['tag > a', /no order/, '>'],
  ['due:<today,tomorrow', /single value/, ':<'],
  ['due:..', /two dots/, '..'],
  ['#', /missing after #/, '#'],
  ['@', /missing after @/, '@'],
  ['R&D', /spaces around & and \|/, 'R&D'],
  ['tag:a|tag:b', /spaces around & and \|/, 'a|tag:b'],
  ['a = b', /no field a\./, 'a'],
  ['10:30', /goes into quotes/, '10:30'],
  ['title:"\u200b"', /nothing in it/, '"\u200b"'],
]

test.each(refused)('refuses %s, and says where', (filter, message, part) => {
  const error = errorOf(filter)

  expect(error.message).toMatch(message)
  expect(filter.slice(error.at, error.at + error.length)).toBe(part)
})

function errorOf(filter: string): FilterError {
  try {
    parseFilter(filter)
  } catch (error) {
    if (error instanceof FilterError) return error
    throw error
  }
  throw new Error(`This was taken: ${filter}`)
}

test('draws its lines where it says', () => {
  const words = (count: number) => Array(count).fill('a').join(' ')
  const deep = (count: number) => `${'('.repeat(count)}a${')'.repeat(count)}`

  expect(() => parseFilter(words(most.conditions))).not.toThrow()
  expect(errorOf(words(most.conditions + 1)).message).toMatch(/at most 40 conditions/)
  expect(errorOf(`tag:${Array(41).fill('a').join(',')}`).message).toMatch(/40 conditions/)
  expect(() => parseFilter(deep(most.depth))).not.toThrow()
  expect(errorOf(deep(most.depth + 1)).message).toMatch(/20 deep/)
  expect(() => parseFilter('a'.repeat(1000))).not.toThrow()
  expect(errorOf('a'.repeat(1001)).message).toMatch(/1000 characters/)
  expect(parseFilter(`${'-'.repeat(998)}a`)).toEqual(text('a'))
})

describe('days', () => {
  // A Friday.
  const today = { zone: 'UTC', date: '2026-11-27' }
  const of = (word: string) => {
    const day = dayOf(word)
    return day === null
      ? null
      : (daysBetween({ day, shift: 0 }, null, today)?.from ?? 'before all days')
  }

  test.each([
    ['2026-12-31', '2026-12-31'],
    ['Today', '2026-11-27'],
    ['tomorrow', '2026-11-28'],
    ['yesterday', '2026-11-26'],
    ['friday', '2026-11-27'],
    ['THU', '2026-12-03'],
    ['sat', '2026-11-28'],
    ['+3d', '2026-11-30'],
    ['-2w', '2026-11-13'],
    ['3m', '2027-02-27'],
    ['1y', '2027-11-27'],
    ['-9999y', 'before all days'],
    ['31', null],
    ['3h', null],
    ['2026-13-01', null],
  ])('%s is %s', (word, day) => {
    expect(of(word)).toBe(day)
  })

  test('end where the calendar does', () => {
    const bound = (word: string, shift: -1 | 0 | 1) => ({
      day: dayOf(word) ?? { weekday: 1 },
      shift,
    })

    expect(daysBetween(bound('9999y', 0), null, today)).toBeNull()
    expect(daysBetween(null, bound('9999y', 0), today)).toEqual({ from: null, to: null })
    expect(daysBetween(null, bound('0001-01-01', -1), today)).toBeNull()
    expect(daysBetween(bound('9999-12-31', 1), null, today)).toBeNull()
  })

  test('begin and end at midnight where somebody is', () => {
    const day = { from: '2026-03-29', to: '2026-03-29' }

    expect(instantsOf(day, 'Europe/Berlin')).toEqual({
      from: '2026-03-28T23:00:00Z',
      to: '2026-03-29T22:00:00Z',
    })
    expect(instantsOf(day, 'UTC').from).toBe('2026-03-29T00:00:00Z')
    expect(instantsOf({ from: '0001-01-01', to: '9999-12-31' }, 'Asia/Tokyo')).toEqual({
      from: null,
      to: null,
    })
    // There was no midnight in Cairo.
    expect(instantsOf({ from: '2026-04-24', to: null }, 'Africa/Cairo').from).toBe(
      '2026-04-23T22:00:00Z',
    )
  })
})

describe('what a filter means', () => {
  const today = { zone: 'UTC', date: '2026-11-27' }
  const lists = [
    { id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c31', name: 'Home' },
    { id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c32', name: 'HÓME' },
    { id: '019d2f6e-7a3c-7b54-9c1e-0d5f2a8b6c33', name: 'Work' },
  ]
  const tests = (filter: string) => testsOf(parseFilter(filter), today, lists)

  test('needs no more than it says', () => {
    expect(needsOf(parseFilter('priority:high #home'))).toEqual({
      today: false,
      lists: false,
      filters: [],
    })
    expect(needsOf(parseFilter('is:overdue or (list:a -@B)'))).toEqual({
      today: true,
      lists: true,
      filters: ['b'],
    })
  })

  test('is of all lists of a name, or of the one of an id', () => {
    const [one, two, three] = lists.map(({ id }) => id)

    expect(tests('list:home')).toEqual({ is: 'in', lists: [one ?? '', two ?? ''] })
    expect(tests(`list:${three?.toUpperCase()}`)).toEqual({ is: 'in', lists: [three ?? ''] })
    expect(() => tests('list:Wrok')).toThrow('did you mean Work?')
    expect(() => tests('list:Garden')).toThrow('You have no list of this name.')
  })

  test('has filters that are kept in their places', () => {
    const kept = new Map([
      ['mine', '#a or #b'],
      ['other', '@mine'],
      ['many', Array(39).fill('a').join(' ')],
    ])

    expect(withKept(parseFilter('c @Mine'), kept)).toEqual({
      all: [text('c'), { any: [tag('a'), tag('b')] }],
    })
    expect(() => withKept(parseFilter('@none'), kept)).toThrow('You have no filter of this name.')
    expect(() => withKept(parseFilter('@other'), kept)).toThrow('cannot name another one')
    expect(() => withKept(parseFilter('a @many'), kept)).not.toThrow()
    expect(() => withKept(parseFilter('a b @many'), kept)).toThrow('more than 40 conditions')
  })

  test('bounds the due dates that are looked at', () => {
    expect(dueOf(tests('due:>=today due:<+7d #a'))).toEqual({
      due_after: '2026-11-27',
      due_before: '2026-12-03',
    })
    expect(dueOf(tests('is:overdue'))).toEqual({ due_before: '2026-11-26' })
    expect(dueOf(tests('due:today or #a'))).toEqual({})
    expect(dueOf(tests('-due:today'))).toEqual({})
    expect(dueOf(tests('due:any created:today'))).toEqual({})
  })
})

test('gives a tree or says what is wrong, whatever it is given', () => {
  const runs = Number(process.env['FILTER_RUNS'] ?? 20_000)
  const random = seeded(20_261_127)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  const parts = [
    [
      'due',
      'priority',
      'tag',
      'list',
      'is',
      'has',
      'completed',
      'title',
      'text',
      'stauts',
      'created',
    ],
    [':', '=', '==', '!=', '<', '<=', '>', '>=', ':>', ',', '..', '.', '\\', "'", '"', '“', '”'],
    ['(', ')', ' and ', ' or ', ' not ', '-', '!', '&', '||', '|', '#', '@', ' ', ' ', ' ', '\t'],
    ['today', 'friday', '+3d', '-9999y', '2026-12-31', '2026-02-30', 'high', 'none', 'any', 'true'],
    [
      'home',
      'ß',
      'é',
      '\u0301',
      '\u200b',
      '\u0085',
      '\u3000',
      '🏴',
      '½',
      'İ',
      '\u0001',
      '0',
      '__proto__',
    ],
  ].flat()
  const wordsOf = () =>
    Array.from({ length: Math.floor(random() * 20) }, () => pick(parts)).join('')
  const mutated = () => {
    const [filter] = pick(read)
    const at = Math.floor(random() * filter.length)
    return filter.slice(0, at) + pick(parts) + filter.slice(at + Math.floor(random() * 3))
  }
  const anything = () =>
    String.fromCharCode(...Array.from({ length: Math.floor(random() * 30) }, () => random() * 400))
  const today = { zone: 'America/St_Johns', date: '2026-11-27' }
  let taken = 0

  for (let run = 0; run < runs; run += 1) {
    const filter = pick([wordsOf, mutated, anything])()
    try {
      testsOf(parseFilter(filter), today, [])
      taken += 1
    } catch (error) {
      if (!(error instanceof FilterError)) throw new Error(JSON.stringify(filter), { cause: error })
      const { at, length, message } = error
      const isWithin = at >= 0 && length >= 0 && at + length <= filter.length
      expect([filter, isWithin, message.length < 400]).toEqual([filter, true, true])
    }
  }
  expect(taken).toBeGreaterThan(runs / 10)
})

/** The same numbers each time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
