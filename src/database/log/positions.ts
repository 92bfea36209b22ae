import { generateKeyBetween, generateNKeysBetween } from 'fractional-indexing'
import type { Sql } from '../connect.ts'
import type { Fragment } from './log.ts'

// Manual order: sql/005_lists.sql has what positions are. Those at an end are made by the database alone; those between two others are
// fractional keys, to which it adds the number of the change. So none is ever given twice, whoever reckons at the same time.

/** Where something goes: to an end of its list, or between others, at the beginning of a position that is not whole yet. */
export type Spot = { spot: 'start' | 'end' } | { spot: 'between'; position: string }

/** Of an `asked` row, as columns with their types. */
export const spotColumns = (sql: Sql): Fragment => sql`position text, spot text`

/** The position that is asked for: that of a spot, or one that was given before. */
export const askedPosition = (sql: Sql): Fragment => sql`
        case asked.spot
          when 'start' then docket.position_at_start(asked.seq)
          when 'end' then docket.position_at_end(asked.seq)
          when 'between' then asked.position || lpad(to_hex(asked.seq), 9, '0') || 'V'
          else asked.position
        end`

/** Longer ones are spread anew, with what is around them. */
const longest = 40

/** What the database adds. */
const ending = 10

/** Between two positions, one of which there may be none of. */
export function spotBetween(before: string | null, after: string | null): Spot {
  if (before === null) return { spot: 'start' }
  if (after === null) return { spot: 'end' }
  return { spot: 'between', position: open(generateKeyBetween(before, after), after) }
}

/** Whether it is to be spread anew. */
export const isLong = (spot: Spot): boolean =>
  spot.spot === 'between' && spot.position.length + ending > longest

/** So many between two positions, evenly. */
export function spotsBetween(before: string | null, after: string | null, count: number): Spot[] {
  const keys = generateNKeysBetween(before, after, count)
  return keys.map((key, index) => ({
    spot: 'between',
    position: open(key, keys[index + 1] ?? after),
  }))
}

/** A key that stays below the next one, whatever is added to it. */
function open(key: string, next: string | null): string {
  const between = generateKeyBetween(key, next)
  if (!between.startsWith(key)) return key
  const zeros = /^0*/.exec(between.slice(key.length))?.[0] ?? ''
  return `${key}${zeros}0`
}

/** Whether it is one that another one can be put beside. */
export function isPosition(text: string): boolean {
  try {
    return /^[0-9A-Za-z]{10,60}$/.test(text) && generateKeyBetween(text, null) !== ''
  } catch {
    return false
  }
}

/** Numbers of changes that fit into positions. */
const mostNumber = 2 ** 35

/** The greatest number of a change that a position has been made of; 0: of none. */
export function numberIn(position: string): number {
  const [, side, first = ''] = /^([iR])([0-9a-f]{9})/.exec(position) ?? []
  const last = /([0-9a-f]{9})V$/.exec(position)?.[1] ?? ''
  const end = Number.parseInt(first, 16)
  const numbers = [side === 'R' ? mostAtEnd - end : end, Number.parseInt(last, 16)]
  return Math.max(0, ...numbers.filter((number) => number < mostNumber))
}

/** As the database has it, which counts down from it at the beginning. */
const mostAtEnd = 68_719_476_735
