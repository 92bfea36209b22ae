const first = Temporal.PlainDate.from('0001-01-01')
const last = Temporal.PlainDate.from('9999-12-31')

const isAfter = (one: Temporal.PlainDate, other: Temporal.PlainDate): boolean =>
  Temporal.PlainDate.compare(one, other) > 0

/** A day, or the one nearest to it that the calendar has. */
export const nearest = (date: Temporal.PlainDate): string =>
  (isAfter(date, last) ? last : isAfter(first, date) ? first : date).toString()

/** A day; null: it is beyond the calendar. */
export const within = (date: Temporal.PlainDate): string | null =>
  isAfter(date, last) ? null : date.toString()

/** When a clock shows a time of a day: the later hour where it goes forward over it, the first of two where it goes back. */
export const momentOf = (date: string, time: string, zone: string): Temporal.Instant =>
  Temporal.PlainDateTime.from(`${date}T${time}`).toZonedDateTime(zone).toInstant()

/** A moment as it is answered; null: it is beyond the years that RFC 3339 can write. */
export function writeMoment(moment: Temporal.Instant): string | null {
  const text = moment.toString()
  return /^(?!0000)\d{4}-/.test(text) ? text : null
}

/** The first day of a rule after a day; null: there is none. */
export type Days = (after: string) => string | null

/**
 * The days of a rule that begins on one. A rule says days only, and the time and the zone of a task are put on afterwards, so that no
 * change of a clock can lose or double one.
 * @param rrule as writeRule has it, without COUNT
 */
export async function daysOf(rrule: string, start: string): Promise<Days> {
  const { RRuleTemporal } = await import('rrule-temporal')
  const days = new RRuleTemporal({
    rruleString: `DTSTART;VALUE=DATE:${start.replaceAll('-', '')}\nRRULE:${rrule}`,
    // What does not come in so many periods is given up. The calendar is the same again after 400 years.
    maxIterations: rrule.startsWith('FREQ=YEARLY') ? 400 : 1000,
    cache: false,
  })
  return (after) => {
    try {
      const next = days.next(Temporal.PlainDate.from(after).toZonedDateTime('UTC'))
      return next === null ? null : within(Temporal.PlainDate.from(next.toPlainDate().toString()))
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('Maximum iterations')) return null
      throw error
    }
  }
}
