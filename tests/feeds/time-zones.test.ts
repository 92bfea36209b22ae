import { expect, test } from 'bun:test'
import ICAL from 'ical.js'
import { zoneOf } from '../../src/feeds/time-zones.ts'

/** Seconds from UTC at a time of the wall, by the description alone. */
function reader(zone: string, from: string, to = from) {
  const component = new ICAL.Component(zoneOf(zone, from, to) as never)
  const read = new ICAL.Timezone(component)
  return (wall: string) => read.utcOffset(ICAL.Time.fromDateTimeString(wall))
}

const offsetAt = (zone: string, wall: string): number =>
  Temporal.PlainDateTime.from(wall).toZonedDateTime(zone).offsetNanoseconds / 1e9

/** On which the clock shows a time once: of the others readers think differently. */
const isPlain = (zone: string, wall: string): boolean => {
  const [one, other] = (['earlier', 'later'] as const).map((disambiguation) =>
    Temporal.PlainDateTime.from(wall).toZonedDateTime(zone, { disambiguation }),
  )
  return one !== undefined && other !== undefined && one.equals(other)
}

test.each([
  'Europe/Berlin',
  'America/New_York',
  // By half an hour, and to the south.
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'America/Santiago',
  // Twice a year more, around Ramadan.
  'Africa/Casablanca',
  // Never.
  'Asia/Kolkata',
  'Asia/Kathmandu',
])('%s is what it is, for ten years', (zone) => {
  const offset = reader(zone, '2026-12-01')
  const wrong: string[] = []
  let wall = Temporal.PlainDateTime.from('2025-01-01T00:00')
  for (; wall.year < 2036; wall = wall.add({ hours: 31 })) {
    const text = wall.toString({ smallestUnit: 'second' })
    if (isPlain(zone, text) && offset(text) !== offsetAt(zone, text)) wrong.push(text)
  }
  expect(wrong).toEqual([])
})

test('reaches from the first day that is named to ten years after the last', () => {
  const offset = reader('Europe/Berlin', '1985-06-01', '2030-01-01')

  for (const [wall, hours] of [
    ['1985-06-01T12:00:00', 2],
    ['1985-12-01T12:00:00', 1],
    ['2026-07-01T12:00:00', 2],
    ['2039-07-01T12:00:00', 2],
    ['2039-12-01T12:00:00', 1],
  ] as const) {
    expect([wall, offset(wall)]).toEqual([wall, hours * 3600])
  }
})

test('is bounded, however far the days are', () => {
  for (const [from, to] of [
    ['0001-01-01', '9999-12-31'],
    ['9999-12-31', '9999-12-31'],
    ['0001-01-01', '0001-01-01'],
  ] as const) {
    expect(JSON.stringify(zoneOf('Europe/Berlin', from, to)).length).toBeLessThan(20_000)
  }
})
