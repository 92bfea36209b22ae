import { tokenOf } from '../support.ts'
import { wire } from './client.ts'
import { absentWord, searcher, tailNumbers, tailWords } from './data.ts'
import { ask, type Field } from './field.ts'

/** As long as a search may be: all of these are in every long task, but not one. */
const many = [...tailNumbers.slice(0, 65), absentWord].join(' ')

/** Each reads every long task to its end, and finds nothing. */
const seven = [...tailWords.slice(0, 7), absentWord].join(' ')

const questions: Record<string, string>[] = [
  { q: tailWords.join(' ') },
  { q: seven },
  { q: many },
  { q: absentWord },
  { q: 'zzzzzz' },
  ...['created_at', 'updated_at', 'due_date', 'priority', 'title'].flatMap((sort) =>
    ['asc', 'desc'].map((order) => ({ q: seven, sort, order })),
  ),
  { q: seven, deleted: 'true' },
  { q: tailWords.join(' '), deleted: 'true', sort: 'title' },
  // A word that every fourth task has, with what one in two or four has.
  ...[{ priority: 'high' }, { tag: 'home' }, { status: 'pending' }].flatMap((filter) => [
    { q: 'milk', ...filter },
    { q: seven, ...filter },
  ]),
  { q: 'milk', priority: 'none', tag: 'garden', status: 'completed' },
]

/** Searches that have to look at all that one user has. */
export async function search(field: Field): Promise<void> {
  const headers = { authorization: `Bearer ${await tokenOf(searcher)}` }
  let count = 0
  const next = () => {
    const question = questions[(count += 1) % questions.length]
    const query = new URLSearchParams({ limit: '200', ...question }).toString()
    return wire('GET', `/api/tasks?${query}`, headers)
  }
  await ask(field, 16, next)
}
