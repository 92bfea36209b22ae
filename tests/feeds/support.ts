import ICAL from 'ical.js'
import { send, type TestUser } from '../support/app.ts'

export const makeFeed = (user: TestUser, body: object = {}) =>
  user.send('POST', '/api/feeds', { name: 'Home', ...body })

/** The path of a new feed's calendar. */
export async function feedOf(user: TestUser, body: object = {}): Promise<string> {
  const { body: feed } = await makeFeed(user, body)
  return new URL(feed.url).pathname
}

export const read = (path: string, headers: Record<string, string> = {}) =>
  send('GET', path, { headers })

/** A calendar as a reader has it. */
export const parse = (text: string) => new ICAL.Component(ICAL.parse(text) as never)

export const itemsIn = (text: string) =>
  parse(text)
    .getAllSubcomponents()
    .filter(({ name }) => name === 'vevent' || name === 'vtodo')

/** Of each item its text, in their order in the calendar. */
export const titlesIn = (text: string): unknown[] =>
  itemsIn(text).map((item) => item.getFirstPropertyValue('summary'))

export const nameOf = (text: string): unknown => parse(text).getFirstPropertyValue('x-wr-calname')
