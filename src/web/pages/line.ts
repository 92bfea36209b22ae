import type { NewTask, Task } from '../../client.ts'
import { addDays, addMonths, nextWeekday, weekdayOf } from './days.ts'
import { codes } from './rules.ts'

/** What a line says of a task. What it does not say is not there. */
export type Line = Pick<NewTask, 'title' | 'due_date' | 'due_time' | 'recurrence' | 'tags'> & {
  priority?: Task['priority']
  list_id?: string
}

const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const weekday =
  '(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)'
const month =
  '(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'

/**
 * Reads "Buy milk tomorrow at 5pm #home !high every week". What is understood is taken out of the title; of two days the last one
 * counts, and what is in quotation marks is a part of the title, whatever it says.
 * @param lists those that can be named, as @Home
 */
export function readLine(
  text: string,
  today: string,
  lists: readonly { id: string; name: string }[] = [],
): Line {
  const quoted: string[] = []
  let rest = ` ${text.replaceAll(/"([^"]+)"/g, (_, inner: string) => `\uE000${quoted.push(inner)}\uE000`)} `

  /** The last place that fits, which goes out of the title where `read` makes something of it. */
  function take<T>(pattern: string, read: (found: string[]) => T | undefined): T | undefined {
    const all = [...rest.matchAll(new RegExp(`(?<=\\s)(?:${pattern})(?=\\s)`, 'giu'))]
    for (const found of all.toReversed()) {
      const value = read([...found].map((part) => part ?? ''))
      if (value === undefined) continue
      rest = rest.slice(0, found.index) + rest.slice(found.index + found[0].length + 1)
      return value
    }
    return undefined
  }

  const tags: string[] = []
  for (;;) {
    const tag = take(String.raw`#((?!\d+\s)[\p{L}\p{N}_-]{1,50})`, ([, name]) => name)
    if (tag === undefined) break
    tags.unshift(tag)
  }
  const priority = take('!(high|medium|low|[123])', ([, word = '']) => priorityOf(word))
  const list_id = take(
    String.raw`@(\S+)`,
    ([, word = '']) => lists.find(({ name }) => plain(name) === plain(word))?.id,
  )
  const rule = take(
    `every (?:(other|\\d{1,2}) )?(day|week|month|quarter|year)s?|every (weekday)s?|every (${weekday}(?:(?:,? and |, ?)${weekday})*)`,
    (found) => repetitionOf(found, today),
  )
  const day = take(
    `(?:on |due |by )?(?:(today|tonight)|(tomorrow|tmrw)|(next week)|(?:in (\\d{1,3}) (day|week|month)s?)|(\\d{4}-\\d\\d-\\d\\d)|(?:(this |next )?(${weekday}))|${month} (\\d{1,2})|(\\d{1,2}) ${month})`,
    (found) => dayOf(found, today),
  )
  const time = take(
    String.raw`(?:at )?(\d{1,2}):(\d\d) ?(am|pm)?|(?:at )?(\d{1,2}) ?(am|pm)|at (\d{1,2})(?=\s*$)`,
    timeOf,
  )
  const title = rest
    .replaceAll(/\uE000(\d+)\uE000/g, (_, index) => quoted[Number(index) - 1] ?? '')
    .replaceAll(/\s+/g, ' ')
    .trim()
  const due_date = day ?? rule?.from ?? (time === undefined ? undefined : today)
  return {
    // All of it was understood, and there has to be a title.
    title: title === '' ? text.trim() : title,
    ...(tags.length === 0 ? {} : { tags }),
    ...(priority === undefined ? {} : { priority }),
    ...(list_id === undefined ? {} : { list_id }),
    ...(due_date === undefined ? {} : { due_date }),
    ...(time === undefined ? {} : { due_time: time }),
    ...(rule === undefined ? {} : { recurrence: rule.recurrence }),
  }
}

/** A name as it is typed behind @. */
const plain = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]+/g, '')

function priorityOf(word: string): Task['priority'] {
  const names = { 1: 'high', 2: 'medium', 3: 'low' } as const
  return names[word as '1'] ?? (word.toLowerCase() as Task['priority'])
}

const weekdayIn = (word: string): number => weekdayNames.indexOf(word.slice(0, 3).toLowerCase())

/** How it repeats, and the first day of that. */
function repetitionOf(
  [, count = '', unit = '', isWorkday = '', days = '']: string[],
  today: string,
): { recurrence: NonNullable<NewTask['recurrence']>; from: string } | undefined {
  if (isWorkday !== '') {
    const isWeekend = [0, 6].includes(weekdayOf(today))
    return { recurrence: 'weekdays', from: isWeekend ? nextWeekday(today, 1) : today }
  }
  if (days !== '') {
    const numbers = days.split(/,? and |, ?/i).map(weekdayIn)
    const from = numbers.map((number) => nextWeekday(today, number)).toSorted()[0] ?? today
    const list = numbers.map((number) => codes[number]).join()
    return { recurrence: `FREQ=WEEKLY;BYDAY=${list}`, from }
  }
  const interval = count === '' ? 1 : count.toLowerCase() === 'other' ? 2 : Number(count)
  if (interval < 1) return undefined
  const frequency = {
    day: 'daily',
    week: 'weekly',
    month: 'monthly',
    quarter: 'quarterly',
    year: 'yearly',
  }[unit.toLowerCase()]
  if (frequency === undefined) return undefined
  return { recurrence: interval === 1 ? frequency : { frequency, interval }, from: today }
}

function timeOf(found: string[]): string | undefined {
  const [, clock = '', minutes = '', half = '', hour = '', halfOfHour = '', bare = ''] = found
  const number = Number(clock || hour || bare)
  const word = (half || halfOfHour).toLowerCase()
  if (word !== '' && (number < 1 || number > 12)) return undefined
  const hours = word === '' ? number : (number % 12) + (word === 'pm' ? 12 : 0)
  if (hours > 23 || Number(minutes) > 59) return undefined
  return `${String(hours).padStart(2, '0')}:${minutes || '00'}`
}

function dayOf(found: string[], today: string): string | undefined {
  const [, now, tomorrow, nextWeek, count, unit, day = '', which = '', named = '', ...rest] = found
  const [monthFirst = '', dateAfter = '', dateFirst = '', monthAfter = ''] = rest
  if (now) return today
  if (tomorrow) return addDays(today, 1)
  if (nextWeek) return nextWeekday(addDays(today, 1), 1)
  if (count && unit) {
    const number = Number(count)
    if (unit.toLowerCase() === 'month') return addMonths(today, number)
    return addDays(today, unit.toLowerCase() === 'week' ? number * 7 : number)
  }
  if (day !== '') return isDay(day) ? day : undefined
  if (named !== '') {
    const isNext = which.toLowerCase() === 'next '
    return nextWeekday(isNext ? addDays(today, 1) : today, weekdayIn(named))
  }
  const number = months.indexOf((monthFirst || monthAfter).slice(0, 3).toLowerCase()) + 1
  const date = Number(dateAfter || dateFirst)
  // One that is over is meant of the next year.
  for (const year of [0, 1].map((more) => Number(today.slice(0, 4)) + more)) {
    const text = `${year}-${String(number).padStart(2, '0')}-${String(date).padStart(2, '0')}`
    if (isDay(text) && text >= today) return text
  }
  return undefined
}

/** Not so for February 30, which would become a day of March. */
const isDay = (text: string): boolean =>
  !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text)
