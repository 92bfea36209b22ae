const names = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU']
const dayLength = 86_400_000

type Day = {
  date: string
  /** Days since 1970-01-01. */
  number: number
  year: number
  month: number
  day: number
  monthLength: number
  weekday: number
}

function dayOf(number: number): Day {
  const date = new Date(number * dayLength)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()]
  const monthLength = new Date(Date.UTC(year, month, 0)).getUTCDate()
  const weekday = (date.getUTCDay() + 6) % 7
  return { date: date.toISOString().slice(0, 10), number, year, month, day, monthLength, weekday }
}

const numberOf = (date: string): number => Date.parse(date) / dayLength

/** Where the search ends. */
export const horizon = '2160-12-31'

const begin = numberOf('1990-01-01')
const calendar = Array.from({ length: numberOf('2162-01-02') - begin }, (_, index) =>
  dayOf(begin + index),
)

/** The days of a rule up to the horizon, found by asking each day of the calendar whether it is one. COUNT is not looked at. */
export function* bruteDays(rule: string, start: string): Generator<string> {
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]))
  const list = (name: string) => parts.get(name)?.split(',').map(Number)
  const frequency = parts.get('FREQ') ?? ''
  const interval = Number(parts.get('INTERVAL') ?? 1)
  const until = parts.get('UNTIL')?.replace(/(....)(..)(..)/, '$1-$2-$3') ?? horizon
  const first = dayOf(numberOf(start))
  const positions = list('BYSETPOS')
  let months = list('BYMONTH')
  let monthDays = list('BYMONTHDAY')
  let weekdays = parts.get('BYDAY')?.split(',')
  if (monthDays === undefined && weekdays === undefined) {
    // What the rule leaves open is as on its first day.
    if (frequency === 'WEEKLY') weekdays = [names[first.weekday] ?? '']
    if (frequency === 'MONTHLY' || frequency === 'YEARLY') monthDays = [first.day]
    if (frequency === 'YEARLY') months ??= [first.month]
  }

  const weekStart = names.indexOf(parts.get('WKST') ?? 'MO')
  // 1970-01-01 was a Thursday.
  const periods: Record<string, (day: Day) => number> = {
    DAILY: ({ number }) => number,
    WEEKLY: ({ number }) => Math.floor((number + 3 - weekStart) / 7),
    MONTHLY: ({ year, month }) => year * 12 + month,
    YEARLY: ({ year }) => year,
  }
  const periodOf = periods[frequency] ?? (() => Number.NaN)
  const isOnWeekday = (day: Day, weekday: string) => {
    const nth = Number(weekday.slice(0, -2))
    const fromStart = Math.ceil(day.day / 7)
    const fromEnd = -Math.ceil((day.monthLength - day.day + 1) / 7)
    const isNth = nth === 0 || nth === fromStart || nth === fromEnd
    return names[day.weekday] === weekday.slice(-2) && isNth
  }
  const fits = (day: Day) =>
    (months?.includes(day.month) ?? true) &&
    (monthDays?.some((one) => one === day.day || one === day.day - day.monthLength - 1) ?? true) &&
    (weekdays?.some((weekday) => isOnWeekday(day, weekday)) ?? true)

  const ofPeriod = (days: Day[]) =>
    days.filter(
      ({ date }, index) =>
        (positions?.some((one) => one === index + 1 || one === index - days.length) ?? true) &&
        date >= start &&
        date <= until,
    )

  const firstPeriod = periodOf(first)
  let period = Number.NaN
  let isOn = false
  let days: Day[] = []
  // A week before the year, which may have begun in the one before.
  for (let at = numberOf(`${first.year}-01-01`) - 7 - begin; at < calendar.length; at += 1) {
    const day = calendar[at]
    if (day === undefined) return
    if (periodOf(day) !== period) {
      if (days.length > 0) yield* ofPeriod(days).map(({ date }) => date)
      if (day.date > until) return
      period = periodOf(day)
      isOn = (period - firstPeriod) % interval === 0
      days = []
    }
    if (isOn && fits(day)) days.push(day)
  }
}
