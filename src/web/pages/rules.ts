import type { NewTask } from '../../client.ts'
import { weekdays } from './days.ts'

// How a task repeats: a rule as the API answers it (RRULE, RFC 5545), the words that it takes for one, and in words for people.

/** The words that the page offers. */
const rules: Record<string, string> = {
  daily: 'FREQ=DAILY',
  weekdays: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
  weekly: 'FREQ=WEEKLY',
  biweekly: 'FREQ=WEEKLY;INTERVAL=2',
  monthly: 'FREQ=MONTHLY',
  quarterly: 'FREQ=MONTHLY;INTERVAL=3',
  yearly: 'FREQ=YEARLY',
}

/** What is asked for, as a rule; null: it does not repeat. The server knows better about the ends of months, and answers with its own. */
export function ruleOf(asked: NewTask['recurrence']): string | null {
  if (typeof asked === 'string') return rules[asked] ?? asked
  if (!asked) return null
  const rule = rules[asked.frequency] ?? ''
  const [, times = '1'] = /INTERVAL=(\d+)/.exec(rule) ?? []
  return `${rule.replace(/;INTERVAL=\d+/, '')};INTERVAL=${Number(times) * (asked.interval ?? 1)}`
}

/** As rules name them, in the order of `weekdayOf`. */
export const codes = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

const units: Record<string, string> = {
  DAILY: 'day',
  WEEKLY: 'week',
  MONTHLY: 'month',
  YEARLY: 'year',
}

/** An RRULE in words, as far as they go. */
export function sayRule(rule: string): string {
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]))
  const unit = units[parts.get('FREQ') ?? ''] ?? ''
  const every = Number(parts.get('INTERVAL') ?? 1)
  const days = (parts.get('BYDAY') ?? '').split(',').filter((code) => code !== '')
  if (days.join() === 'MO,TU,WE,TH,FR') return 'every weekday'
  const named = days.map((code) => weekdays[codes.indexOf(code)])
  if (unit === 'week' && every === 1 && days.length > 0 && !named.includes(undefined)) {
    return `every ${new Intl.ListFormat('en').format(named.map(String))}`
  }
  return every === 1 ? `every ${unit}` : `every ${every} ${unit}s`
}
