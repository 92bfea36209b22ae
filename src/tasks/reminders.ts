import { FormatRegistry } from '@sinclair/typebox'
import { isInstant } from '../http/formats.ts'

// When a task reminds: by so much before or after it is due, or at a moment.

FormatRegistry.Set('reminder', (text) => reminderOf(text) !== null)

/** A signed duration of ISO 8601, but for years and months, which are not equally long. */
const duration =
  /^([-+]?)P(?=[\dT])(?:(\d{1,7})W)?(?:(\d{1,7})D)?(?:T(?=\d)(?:(\d{1,7})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$/i

const day = 86_400

/** The furthest that one may be from when the task is due: ten years. */
const mostDays = 3660

/**
 * A reminder in its one written form; null: it is none. Of a duration days stay days, which the clock on the wall counts, and time is put
 * together as hours, minutes and seconds: `-P1W` is `-P7D`, `-PT90M` is `-PT1H30M`, and none at all is `PT0S`. A moment is in UTC, to the
 * second.
 */
export function reminderOf(text: string): string | null {
  if (isInstant(text)) {
    const second = Math.floor(Date.parse(text) / 1000) * 1000
    return `${new Date(second).toISOString().slice(0, 19)}+00:00`
  }
  const [, sign, ...parts] = duration.exec(text) ?? []
  if (sign === undefined) return null
  const [w = 0, d = 0, h = 0, m = 0, s = 0] = parts.map((part) => Number(part ?? 0))
  const [days, seconds] = [7 * w + d, 3600 * h + 60 * m + s]
  if (days + seconds / day > mostDays) return null
  if (days === 0 && seconds === 0) return 'PT0S'
  const time = [
    [Math.floor(seconds / 3600), 'H'],
    [Math.floor(seconds / 60) % 60, 'M'],
    [seconds % 60, 'S'],
  ].flatMap(([count, unit]) => (count === 0 ? [] : [`${count}${unit}`]))
  return [
    sign === '-' ? '-P' : 'P',
    days === 0 ? '' : `${days}D`,
    time.length === 0 ? '' : `T${time.join('')}`,
  ].join('')
}

/** Whether it is a duration, which is from when the task is due. */
export const isRelative = (reminder: string): boolean => /^[-+]?P/i.test(reminder)
