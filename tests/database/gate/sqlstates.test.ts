import { expect, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAnswer, mayCome, remedyOf } from '../../../src/database/gate/faults.ts'
import { type Remedy, remedyFor, wordsFor } from '../../../src/database/gate/sqlstates.ts'
import { findPostgres } from '../../support/postgres.ts'

// Every code of the appendix, of PostgreSQL 15 to 18, with what is decided about it.
// https://www.postgresql.org/docs/current/errcodes-appendix.html
const decided: Record<Remedy, string> = {
  again: '08001 08004 28000 28P01 3D000 53300 57P03 57P05',
  'again if idempotent': '08000 08003 08006 08007 08P01 25P03 40003 57P01 57P02 57P04',
  'again soon': '26000 40000 40001 40P01 42P05 72000',
  elsewhere: '25006',
  later: '25P04 53000 53100 53200 53400 55006 55P03 57000 57014 58000 58030',
  none: `
    00000 01000 0100C 01008 01003 01007 01006 01004 01P01 02000 02001 03000 09000 0A000 0B000 0F000 0F001 0L000
    0LP01 0P000 0Z000 0Z002 10608 20000 21000 22000 2202E 22021 22008 22012 22005 2200B 22022 22015 2201E 22014
    22016 2201F 2201G 22018 22007 22019 2200D 22025 22P06 22010 22023 22013 2201B 2201W 2201X 2202H 2202G 22009
    2200C 2200G 22004 22002 22003 2200H 22026 22001 22011 22027 22024 2200F 22P01 22P02 22P03 22P04 22P05 2200L
    2200M 2200N 2200S 2200T 22030 22031 22032 22033 22034 22035 22036 22037 22038 22039 2203A 2203B 2203C 2203D
    2203E 2203F 2203G 23000 23001 23502 23503 23505 23514 23P01 24000 25000 25001 25002 25008 25003 25004 25005
    25007 25P01 25P02 27000 2B000 2BP01 2D000 2F000 2F005 2F002 2F003 2F004 34000 38000 38001 38002 38003 38004
    39000 39001 39004 39P01 39P02 39P03 3B000 3B001 3F000 40002 42000 42601 42501 42846 42803 42P20 42P19 42830
    42602 42622 42939 42804 42P18 42P21 42P22 42809 428C9 42703 42883 42P01 42P02 42704 42701 42P03 42P04 42723
    42P06 42P07 42712 42710 42702 42725 42P08 42P09 42P10 42611 42P11 42P12 42P13 42P14 42P15 42P16 42P17 44000
    54000 54001 54011 54023 55000 55P02 55P04 58P01 58P02 58P03 F0000 F0001 HV000 HV005 HV002 HV010 HV021 HV024
    HV007 HV008 HV004 HV006 HV091 HV00B HV00C HV00D HV090 HV00A HV009 HV014 HV001 HV00P HV00J HV00K HV00Q HV00R
    HV00L HV00M HV00N P0000 P0001 P0002 P0003 P0004 XX000 XX001 XX002`,
}

const words = (text: string): string[] => text.match(/\S+/g) ?? []

const all = Object.entries(decided).flatMap(([remedy, codes]) =>
  words(codes).map((code) => ({ remedy, code })),
)

const failure = (code: string, severity = 'ERROR') =>
  Object.assign(new Error(code), { code, severity })

test('every code that PostgreSQL has is decided about, in a class that is', () => {
  const codes = all.map(({ code }) => code)

  expect(new Set(codes).size).toBe(codes.length)
  expect(codes.length).toBe(263)
  expect(codes.filter((code) => remedyFor(code) === undefined)).toEqual([])
  expect(remedyFor('ZZ000')).toBeUndefined()
})

test.each(Object.entries(decided))('%s: %s', (remedy, codes) => {
  for (const code of words(codes)) expect([code, remedyFor(code)]).toEqual([code, remedy as Remedy])
})

/** What the server that is installed here can say, from which the appendix is made. */
const installed = join(
  '/usr/share/postgresql',
  /\/(\d+)\/bin$/.exec(findPostgres() ?? '')?.[1] ?? '',
  'errcodes.txt',
)

test.skipIf(!existsSync(installed))('the server that is installed has no other codes', () => {
  const codes = readFileSync(installed, 'utf8').match(/^[\dA-Z]{5}(?= )/gm) ?? []
  const known = new Set(all.map(({ code }) => code))

  expect(codes.length).toBeGreaterThan(200)
  expect(codes.filter((code) => !known.has(code))).toEqual([])
})

test('only what is lost has the database in doubt', () => {
  for (const { code, remedy } of all) {
    const isLost = remedy === 'again' || remedy === 'again if idempotent'
    expect([code, isAnswer(failure(code))]).toEqual([code, !isLost])
  }
})

test('what is said of a session that ends is no fault of the statement, whatever it is', () => {
  // As the pooler of Supabase says that it is full.
  expect(remedyOf(failure('XX000', 'FATAL'))).toBe('again if idempotent')
  expect(remedyOf(failure('XX000'))).toBe('none')
  expect(remedyOf(failure('28P01', 'FATAL'))).toBe('again')
  // At the start it is said to the operator at once.
  expect(mayCome(failure('XX000', 'FATAL'))).toBe(false)
})

test('says in words what the server cannot do', () => {
  for (const code of words(`${decided.later} ${decided.elsewhere}`)) {
    expect([code, wordsFor(code)]).toEqual([code, expect.stringMatching(/^[A-Z].*\.$/)])
  }
  expect(wordsFor('23505')).toBeUndefined()
})
