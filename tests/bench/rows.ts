// The tasks of the benchmark: the same in every run, row by row from the number of the row alone.

import { fold, separator, titleKey } from '../../src/http/fold.ts'

/** So many tasks of so many users, and what one more user has, called heavy. */
export type Dataset = { tasks: number; users: number; heavy: number }

/** As many users as make a thousand tasks each. */
export const datasetOf = (tasks: number, heavy = 0): Dataset => ({
  tasks,
  users: Math.ceil(tasks / 1000),
  heavy,
})

/** Task n, of 1 and up, belongs to this one: neighbours in the table are of different users. */
export const userOf = ({ users }: Dataset, n: number): string => String(((n - 1) % users) + 1)

export const idOf = (n: number): string =>
  String(n)
    .padStart(32, '0')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')

/** One in fifty of each user. */
export const isInTrash = ({ users }: Dataset, n: number): boolean =>
  (Math.floor((n - 1) / users) + ((n - 1) % users)) % 50 === 49

/** In five tasks of the user heavy, and in nobody else's. */
export const rareWord = 'quixotism'

let state = 0

/** A number below `limit`: mulberry32. */
export function random(limit: number): number {
  state = (state + 0x6d2b79f5) | 0
  let bits = Math.imul(state ^ (state >>> 15), state | 1)
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
  return Math.floor((((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32) * limit)
}

/** What follows is the same whenever it follows the same seed. */
export const seed = (value: number): void => {
  state = Math.imul(value, 0x9e3779b1)
}

/** 2,000 words that can be pronounced. */
export const vocabulary: readonly string[] = (() => {
  seed(2000)
  const syllable = () =>
    'bcdfghjklmnprstvwz'.charAt(random(18)) +
    'aeiou'.charAt(random(5)) +
    ['', '', 'n', 'r', 's', 'l'][random(6)]
  const words = new Set<string>()
  while (words.size < 2000) {
    words.add(Array.from({ length: 2 + random(3) }, syllable).join(''))
  }
  return [...words]
})()

/** Numbers of words, each as often as its rank says (Zipf): to look up is faster than to compute. */
const ranks = (() => {
  const weights = vocabulary.map((_, rank) => 1 / (rank + 3))
  const total = weights.reduce((sum, weight) => sum + weight)
  return Uint16Array.from(
    weights.flatMap((weight, rank) =>
      Array.from<number>({ length: Math.max(1, Math.round((weight / total) * 65_536)) }).fill(rank),
    ),
  )
})()

const word = (): string => vocabulary[ranks[random(ranks.length)] ?? 0] ?? ''

/** Words of `least` to `most` characters in all. */
export function text(least: number, most: number): string {
  const length = least + random(most - least - 15)
  let words = word()
  while (words.length < length) words += ` ${word()}`
  return words.slice(0, most).trimEnd()
}

export const priorities = ['none', 'low', 'medium', 'high'] as const
export const allTags =
  'home work garden shopping money health travel family school reading music car urgent waiting someday phone mail sport cooking ideas'.split(
    ' ',
  )
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Asia/Tokyo']

export function tags(): string[] {
  const first = random(20)
  return Array.from({ length: random(4) }, (_, index) => allTags[(first + 7 * index) % 20] ?? '')
}

const year = 365 * 86_400_000
/** When the first task was created; all others follow within a year. */
const beginning = Date.UTC(2024, 6, 1)
/** After everything that is loaded, and before everything that a run makes. */
export const afterLoaded = '2025-09-01T00:00:00Z'

export const day = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 10)
/** A day on which tasks are due, for filters. */
export const someDay = (): string => day(beginning + year * 0.3 + random(year / 2))

const instant = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, -1)}${String(random(1000)).padStart(3, '0')}+00`

export const copyColumns =
  'user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone, version, created_at, updated_at, deleted_at, title_key, words, long_words, seq, position'

/** One line of COPY: task n, which is the `nth` of `userId`, created at this part of the year, with the rare word or without. */
export function line(
  n: number,
  userId: string,
  nth: number,
  part: number,
  trash: boolean,
  isRare = false,
): string {
  seed(n)
  const created = beginning + part * year
  const title = isRare ? text(20, 60).replace(/^\w+/, rareWord) : text(20, 60)
  const description = random(2) === 0 ? text(60, 200) : '\\N'
  const completed = random(100) < 40
  const changes = completed || trash || random(100) < 40 ? 1 + random(4) : 0
  const createdAt = instant(created)
  const updatedAt =
    changes === 0
      ? createdAt
      : instant(created + 1000 + random(30) * 86_400_000 + random(86_400_000))
  const due = random(100) < 70 ? day(created + (random(130) - 10) * 86_400_000) : '\\N'
  const time = due !== '\\N' && random(5) === 0 ? `${10 + random(10)}:${10 + random(50)}:00` : '\\N'
  const zone = time !== '\\N' && random(2) === 0 ? (zones[random(4)] ?? '') : '\\N'
  const priority = priorities[random(4)] ?? 'none'
  const list = tags()
  const words = [title, description === '\\N' ? '' : description, ...list].map(fold).join(separator)
  const folded = words.length > 500 ? `\\N\t${words}` : `${words}\t\\N`
  const end = `${changes + 1}\t${createdAt}\t${updatedAt}\t${trash ? updatedAt : '\\N'}\t${titleKey(title)}\t${folded}\t${nth}\ti${nth.toString(16).padStart(9, '0')}\n`
  return `${userId}\t${String(n).padStart(32, '0')}\t${title}\t${description}\t${completed ? updatedAt : '\\N'}\t${priority}\t{${list.join(',')}}\t${due}\t${time}\t${zone}\t${end}`
}
