import { tokenOf } from '../support.ts'
import { wire } from './client.ts'
import { walkers } from './data.ts'
import { ask, type Field } from './field.ts'

// A list has as many shapes as there are sets of filters and orders, and each may be a statement of its own.

/** What each parameter may be; null: it is not there. */
const parameters: Record<string, (string | null)[]> = {
  status: [null, 'all', 'pending', 'completed'],
  priority: [null, 'high'],
  tag: [null, 'home'],
  due_after: [null, '2026-01-01'],
  due_before: [null, '2026-12-31'],
  q: [null, 'e'],
  deleted: [null, 'false', 'true'],
  sort: ['created_at', 'updated_at', 'due_date', 'priority', 'title'],
  order: ['asc', 'desc'],
}

/** Every one of them, as the query of an address. */
const shapes = Object.entries(parameters).reduce<string[]>(
  (all, [name, values]) =>
    all.flatMap((query) =>
      values.map((value) => (value === null ? query : `${query}&${name}=${value}`)),
    ),
  ['limit=1'],
)

/** Each shape once, and after those that name a status the next page too: none of the accounts asks too often. */
export async function walkShapes(field: Field): Promise<void> {
  const mine = (share: number) => shapes.filter((_, index) => index % walkers.length === share)
  await Promise.all(walkers.map((walker, share) => walk(field, walker, mine(share))))
}

async function walk(field: Field, walker: string, left: string[]): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenOf(walker)}` }
  const paths = left.map((query) => `/api/tasks?${query}`).toReversed()
  const next = () => {
    const path = paths.pop()
    return path === undefined ? null : wire('GET', path, headers)
  }
  const heard = (head: string, request: string) => {
    const link = /\r\nlink: <(.*)>/i.exec(head)?.[1]
    const isFirst = !request.includes('&cursor=')
    if (isFirst && link?.includes('&status=') && link.includes('&deleted=')) paths.push(link)
  }
  await ask(field, 2, next, { heard })
}
