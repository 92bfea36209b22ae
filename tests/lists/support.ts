import { expect } from 'bun:test'
import type { CountedList, List } from '../../src/lists/schema.ts'
import type { TestUser } from '../support/app.ts'

/** Creates a list and gives its representation. */
export async function makeList(user: TestUser, list: Record<string, unknown> = {}): Promise<List> {
  const { status, body } = await user.send('POST', '/api/lists', { name: 'A list', ...list })
  expect(status).toBe(201)
  return body
}

/** The lists of a user, given the query with its `?`. */
export async function lists(user: TestUser, query = ''): Promise<CountedList[]> {
  const { status, body } = await user.send('GET', `/api/lists${query}`)
  expect(status).toBe(200)
  return body
}

export const names = async (user: TestUser, query = ''): Promise<string[]> =>
  (await lists(user, query)).map(({ name }) => name)
