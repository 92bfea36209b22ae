import type { Task } from '../../../src/tasks/schema.ts'

// What is stored before the attacks: the accounts of the attacker, and many people with one task each. With these a
// planner that has statistics expects one or two tasks of anybody, and one that has none guesses.

/** How much of it. */
export type Size = { long: number; short: number; others: number }

export const sizes = {
  server: { long: 5000, short: 5000, others: 20_000 },
  embedded: { long: 1000, short: 1000, others: 5000 },
} as const satisfies Record<string, Size>

/** Has all the long tasks and the short ones. */
export const searcher = 'attacker-searches'
/** Has a little more than one page, of 60 kB each task. */
export const reader = 'attacker-reads'
export const writer = 'attacker-writes'
/** Have a few tasks each, which every filter of a list finds. */
export const walkers = Array.from({ length: 8 }, (_, index) => `attacker-walks-${index}`)

const latin =
  'milk bread water paper letter phone doctor garden window kitchen train ticket passport school book report meeting budget invoice customer contract repair bicycle engine battery cable screen keyboard holiday mountain river bridge market coffee sugar butter apple orange potato dinner birthday present candle music concert guitar dentist insurance account password printer scanner folder draft review release branch server backup weekend morning evening tomorrow urgent waiting someday call write buy clean fix plan send read ask pay book move sell wash'.split(
    ' ',
  )
const chinese =
  '買い物 会議 資料 牛乳 電車 旅行 病院 学校 図書館 請求書 契約 修理 自転車 台所 庭 手紙 誕生日 音楽 銀行 保険 週末 明日 掃除 準備 報告 连接 数据 备份 周末 音乐 花园 护照 合同 会议 银行 牛奶 火车 医院 电池 厨房'.split(
    ' ',
  )

/** Words that stand at the end of every long task and nowhere else: who looks for one reads all of it. */
export const tailWords =
  'quixotic zephyr vellichor jabberwock fjordland kyoxide waxwing xylograph'.split(' ')
/** Likewise, short, so that many fit into one search. */
export const tailNumbers = Array.from({ length: 66 }, (_, index) => String(index + 10))
/** In no task at all. */
export const absentWord = 'zq'

const tail = ` ${tailWords.join(' ')} ${tailNumbers.join(' ')}`

/** Words in no order, the same in every run. */
function textOf(words: string[], length: number): string {
  let text = ''
  for (let index = 0; text.length < length; index = Math.imul(index, 1_103_515_245) + 12_345) {
    text += `${words[(index >>> 8) % words.length]} `
  }
  return text
}

const longText = { latin: textOf(latin, 60_000), chinese: textOf(chinese, 60_000) }

/** A text of 16,000 to 20,000 characters, each another part of the same one. */
function description(script: keyof typeof longText, n: number): string {
  const begin = (n * 37) % 40_000
  return longText[script].slice(begin, begin + 20_000 - tail.length - ((n * 13) % 4000)) + tail
}

const priorities = ['none', 'low', 'medium', 'high'] as const

/** Task n of a user. One in four has high priority and the tag home, one in two is completed. */
function task(user_id: string, n: number, some: Partial<Task> = {}): Task {
  const at = `${new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString().slice(0, -1)}000+00:00`
  const completed = n % 2 === 1
  return {
    id: Bun.randomUUIDv7(),
    user_id,
    list_id: null,
    parent_id: null,
    position: `i${n.toString(16).padStart(9, '0')}`,
    title: `${latin[n % latin.length]} ${latin[(n * 7) % latin.length]} ${n}`,
    description: null,
    completed,
    completed_at: completed ? at : null,
    priority: priorities[n % 4] ?? 'none',
    tags: n % 4 === 3 ? ['home', 'garden'] : ['work'],
    due_date: n % 3 === 0 ? null : at.slice(0, 10),
    due_time: null,
    time_zone: null,
    recurrence: null,
    repeat_from: null,
    series_id: null,
    occurrence: null,
    reminders: [],
    version: 1,
    created_at: at,
    updated_at: at,
    deleted_at: null,
    ...some,
  }
}

export function* tasksOf({ long, short, others }: Size): Generator<Task> {
  for (let n = 0; n < long; n += 1) {
    const text = description(n % 4 === 0 ? 'chinese' : 'latin', n)
    const deleted_at = n % 5 === 0 ? '2026-11-01T00:00:00.000000+00:00' : null
    yield task(searcher, n, { description: text, deleted_at })
  }
  for (let n = 0; n < short; n += 1) yield task(searcher, long + n)
  for (let n = 0; n < 220; n += 1) {
    yield task(reader, n, { description: description('chinese', 4000 * n) })
  }
  for (const walker of walkers) {
    for (let n = 0; n < 8; n += 1) {
      const deleted_at = n % 4 < 2 ? null : '2026-11-01T00:00:00.000000+00:00'
      const due_date = '2026-06-01'
      yield task(walker, n, { priority: 'high', tags: ['home'], due_date, deleted_at })
    }
  }
  for (let n = 0; n < others; n += 1) yield task(`other-${n}`, n)
}

/** As `docket import` reads them. */
export const importLines = (size: Size): string =>
  Array.from(tasksOf(size), (one) => `${JSON.stringify({ task: one })}\n`).join('')

export const copyColumns =
  'user_id, id, title, description, completed_at, priority, tags, due_date, created_at, updated_at, deleted_at'

/** As COPY reads them: nothing in these texts means anything to it. */
export const copyLine = (one: Task): string => {
  const { user_id, id, title, description: text, completed_at, priority, tags, due_date } = one
  const fields = [user_id, id, title, text, completed_at, priority, `{${tags.join()}}`, due_date]
  const instants = [one.created_at, one.updated_at, one.deleted_at]
  return `${[...fields, ...instants].map((field) => field ?? '\\N').join('\t')}\n`
}
