import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate/gate.ts'
import type { Author, Fragment } from '../database/log/log.ts'
import type { Once } from '../database/log/once.ts'
import { askedPosition, spotColumns } from '../database/log/positions.ts'
import { purging } from '../database/log/purging.ts'
import type { Kind } from '../database/log/together.ts'
import {
  type Creation,
  creating,
  type Outcome,
  updating,
  type Values,
  type Write,
  whereGiven,
  write,
} from '../database/log/writes.ts'
import { isThere, searchText, searchTextOfAll } from './queries.ts'
import { type Folded, type Parts, stored } from './rules.ts'
import type { Kept, NewTask } from './schema.ts'
import { areSame, columns, givenValues, taskTable, wholeValues } from './table.ts'

// What is written of tasks. One exported function is one statement, which makes the changes of many requests, each to
// another task: database/log/writes.ts has how, and this what is special about tasks.

/** What one request wants to be written. */
type TaskWrite = Write & Partial<Omit<NewTask, 'id' | 'user_id'>> & Kept & Folded

/** Of new tasks. */
export const taskCreation: Creation = {
  values: (sql) => ({
    completed_at: sql`case when asked.completed then asked.at end`,
    ...wholeValues(sql),
    // A subtask is in the list of its parent.
    list_id: sql`
      case
        when asked.parent_id is null or asked.list_id is not null then asked.list_id
        else (select p.list_id from docket.tasks p where p.user_id = asked.user_id and p.id = asked.parent_id)
      end`,
    position: sql`docket.position_at_end(asked.seq)`,
    title_key: sql`asked.title_key`,
    tag_keys: sql`asked.tag_keys`,
    words: sql`folded.words`,
    long_words: sql`folded.long_words`,
  }),
  from: (sql) => sql`cross join lateral (${searchTextOfAll(sql)}) folded`,
  isSame: (sql) => sql`t.deleted_at is null
          and (t.completed_at is null) = (excluded.completed_at is null)
          and ${areSame(sql)}`,
}

const creation = creating<TaskWrite>(taskTable, taskCreation)

/**
 * The new task. The same task once more, by an id that the client chose, is the one that is there already; another one
 * under that id is not made, which is `stale`. Twice is once by the id, which the server chooses before the first
 * attempt if the client did not.
 */
export const insertTask = (
  db: Db,
  author: Author,
  id: string,
  task: NewTask & Kept,
  once: Once | null = null,
): Promise<Outcome> =>
  write(db, creation, { ...stored(task), ...author, id }, once, { outcome: 'stale' })

/** A field that does not change, as it was folded. */
const old = (sql: Sql, n: Fragment): Fragment =>
  sql`split_part(coalesce(t.words, t.long_words, ''), chr(31), ${n})`

/** What follows from title, description and tags. */
const folded = (sql: Sql): Fragment => sql`
        title_key = coalesce(asked.title_key, t.title_key),
        tag_keys = case when 'tags' = any(asked.fields) then asked.tag_keys else t.tag_keys end,
        (words, long_words) = (
          ${searchText(
            sql,
            sql`coalesce(asked.title_words, ${old(sql, sql`1`)})`,
            sql`case when 'description' = any(asked.fields) then coalesce(asked.description_words, '') else ${old(sql, sql`2`)} end`,
            sql`case when 'tags' = any(asked.fields) then coalesce(asked.tag_keys, asked.tags) else coalesce(t.tag_keys, t.tags) end`,
          )}
        )`

const patching = updating<TaskWrite>(taskTable, {
  condition: isThere,
  // What is under it goes with it, or is completed with it.
  isShared: (sql) => sql`('list_id' = any(a.fields) and a.list_id is distinct from t.list_id)
            or ('parent_id' = any(a.fields) and a.parent_id is distinct from t.parent_id)
            or (t.has_subtasks and a.completed and t.completed_at is null)
            or ((t.recurrence is not null or a.recurrence is not null) and a.fields && '{recurrence,repeat_from,completed}')`,
  values: (sql) => ({
    ...givenValues(sql),
    completed_at: sql`
      case asked.completed
        when true then coalesce(t.completed_at, asked.at)
        when false then null
        else t.completed_at
      end`,
  }),
  derived: folded,
})

export const updateTask = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  { changes, course }: Parts,
  once: Once | null = null,
): Promise<Outcome> => {
  const fields = Object.keys(changes)
  return write(
    db,
    patching,
    { ...stored(changes), ...author, id, versions, fields, said: course },
    once,
  )
}

/** Of statements that do not touch the texts of a task, so that they need not be folded anew. */
const marking = (
  condition: (sql: Sql) => Fragment,
  isShared: (sql: Sql) => Fragment,
  values: (sql: Sql) => Values,
) => updating<TaskWrite>(taskTable, { condition, isShared, values })

const completion = marking(
  isThere,
  (sql) =>
    sql`t.recurrence is not null or (t.has_subtasks and t.completed_at is null and coalesce(a.completed, true))`,
  (sql) => ({
    completed_at: sql`
      case coalesce(asked.completed, t.completed_at is null) when true then coalesce(t.completed_at, asked.at) end`,
  }),
)

/** Completes or reopens; null does whichever is left to do. */
export const completeTask = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  completed: boolean | null,
  once: Once | null = null,
): Promise<Outcome> =>
  write(
    db,
    completion,
    { ...author, id, versions, ...(completed === null ? {} : { completed }) },
    once,
  )

const deletion = marking(
  isThere,
  (sql) => sql`t.has_subtasks`,
  (sql) => ({ deleted_at: sql`asked.at` }),
)

/** To the trash. */
export const deleteTask = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Outcome> => write(db, deletion, { ...author, id, versions }, once)

const restoration = marking(
  (sql) => sql`true`,
  (sql) =>
    sql`t.deleted_at is not null and (t.has_subtasks or t.parent_id is not null or t.list_id is not null)`,
  (sql) => ({ deleted_at: sql`null` }),
)

/** Back from the trash, or still where it was. */
export const restoreTask = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Outcome> => write(db, restoration, { ...author, id, versions }, once)

/** What history, undo and the trash know of tasks. */
export const taskKind: Kind = {
  table: taskTable,
  fields: [...Object.keys(columns), 'position', 'completed_at', 'deleted_at'],
  places: ['list_id', 'parent_id'],
  needs: {
    due_time: 'due_date',
    time_zone: 'due_time',
    reminders: 'due_date',
    recurrence: 'due_date',
    repeat_from: 'recurrence',
    series_id: 'recurrence',
    occurrence: 'recurrence',
  },
  stored,
  update: {
    condition: (sql) => sql`true`,
    asked: (sql) =>
      sql`, completed_at timestamptz, deleted_at timestamptz, is_done boolean, ${spotColumns(sql)}`,
    values: (sql) => ({
      ...givenValues(sql),
      extra: whereGiven(sql, 'extra', sql`asked.extra`),
      position: whereGiven(sql, 'position', askedPosition(sql)),
      completed_at: whereGiven(
        sql,
        'completed_at',
        sql`case when asked.is_done then asked.at else asked.completed_at end`,
      ),
      deleted_at: whereGiven(
        sql,
        'deleted_at',
        // What goes together has one instant, by which it comes back together.
        sql`case when asked.is_discarded then asked.began else asked.deleted_at end`,
      ),
    }),
    derived: folded,
  },
  creation: {
    ...taskCreation,
    asked: (sql) => sql`, ${spotColumns(sql)}`,
    values: (sql) => ({
      ...taskCreation.values(sql),
      position: sql`coalesce(${askedPosition(sql)}, docket.position_at_end(asked.seq))`,
    }),
  },
  purging: purging(taskTable),
  isCounted: true,
}
