import type { Sql } from '../../database/connect.ts'
import type { Fragment } from '../../database/log/log.ts'
import type { Given, Test, Tests, TextField } from './tree.ts'

/**
 * What must hold of the row `t` of a task. Nothing that was typed is in its text: each value is a parameter, and so is text to the
 * database, which is told here what it is.
 */
export function conditionOf(sql: Sql, tests: Tests): Fragment {
  if ('all' in tests) return joined(sql, tests.all, sql`and`)
  if ('any' in tests) return joined(sql, tests.any, sql`or`)
  // What is not known of a task, as there is no date, is not so.
  if ('not' in tests) return sql`not coalesce(${conditionOf(sql, tests.not)}, false)`
  return testOf(sql, tests)
}

function joined(sql: Sql, parts: Tests[], word: Fragment): Fragment {
  const [first, ...others] = parts.map((part) => conditionOf(sql, part))
  if (first === undefined) return sql`true`
  return sql`(${others.reduce((before, next) => sql`${before} ${word} ${next}`, first)})`
}

function testOf(sql: Sql, test: Test): Fragment {
  switch (test.is) {
    case 'never':
      return sql`false`
    case 'completed':
      return sql`t.completed_at is not null`
    case 'priority':
      return sql`t.priority = any(${arrayOf(test.of)}::text::docket.task_priority[])`
    case 'tag':
      return sql`coalesce(t.tag_keys, t.tags) @> array[${test.key}::text]`
    case 'in':
    case 'within':
      return sql`t.list_id = any(${arrayOf(test.lists)}::text::uuid[])`
    case 'words':
      return sql`strpos(${textOf(sql, test.in)}, ${test.words}::text) > 0`
    case 'given':
      return given(sql, test.field)
    case 'between':
      return between(sql, test)
  }
}

/** Of words and ids, which have no need of quotes. */
const arrayOf = (words: readonly string[]): string => `{${words.join(',')}}`

/** The folded text that is looked at: title, description and tags are in one, in this order. */
function textOf(sql: Sql, field: TextField): Fragment {
  const whole = sql`coalesce(t.words, t.long_words)`
  if (field === 'text') return whole
  return sql`split_part(${whole}, chr(31), ${field === 'title' ? sql`1` : sql`2`})`
}

function given(sql: Sql, field: Given): Fragment {
  switch (field) {
    case 'description':
      return sql`t.description <> ''`
    case 'tag':
      return sql`t.tags <> '{}'`
    default:
      return sql`t.${sql(columns[field])} is not null`
  }
}

const columns = {
  due: 'due_date',
  time: 'due_time',
  created: 'created_at',
  updated: 'updated_at',
  completed: 'completed_at',
  list: 'list_id',
  parent: 'parent_id',
} as const

function between(sql: Sql, { field, from, to }: Extract<Test, { is: 'between' }>): Fragment {
  const column = sql`t.${sql(columns[field])}`
  const [type, before] = field === 'due' ? [sql`date`, sql`<=`] : [sql`timestamptz`, sql`<`]
  const parts = [
    ...(from === null ? [] : [sql`${column} >= ${from}::text::${type}`]),
    ...(to === null ? [] : [sql`${column} ${before} ${to}::text::${type}`]),
  ]
  const [first = sql`${column} is not null`, second] = parts
  return second === undefined ? first : sql`(${first} and ${second})`
}
