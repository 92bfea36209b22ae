import type { Sql } from '../database/connect.ts'
import type { Db } from '../database/gate.ts'
import { earlier, keep, type Once, runOnce } from '../database/once.ts'
import { few, type Shared } from '../database/share.ts'
import { type Fragment, isThere, searchText, searchTextOfAll, type TaskText } from './queries.ts'
import { type Folded, type Parts, stored } from './rules.ts'
import type { Course, NewTask } from './schema.ts'

// What is written of tasks. One exported function is one statement, which makes the changes of many requests, each to
// another task of its own user. Whatever goes wrong with one of them is said in its row.

/**
 * What became of a change: made, made by an earlier request with the same key, or not made: because the task has another
 * version, because it is not as was `said`, because the key is one of another request, or because there is no task.
 */
export type Change =
  | { outcome: 'changed' | 'replayed'; task: TaskText }
  | { outcome: 'stale' }
  | { outcome: 'unlike'; task: TaskText }
  | { outcome: 'key_reused' }
  | { outcome: 'not_found' }

/** What one request wants to be written. `fields` are the names of those that it has. */
type Write = {
  user_id: string
  id: string
  versions?: number[] | null
  key?: string
  request?: string
  fields?: string[]
  /** What must be so of the task, or it is not changed. */
  said?: Course | null
} & Partial<Omit<NewTask, 'id' | 'user_id'>> &
  Folded

/**
 * The task after a write; `request` is that of an earlier write with the same key. Where none was made, without a text or with that
 * of a task that is not as was said.
 */
type Written = {
  request: string | null
  text: string | null
  version: number | null
  is_made: boolean
}

/** A statement as it is, and the same with keys: they are stored with its effect, so that twice is once. */
type Writes = { plain: Shared<Write, Written>; keyed: Shared<Write, Written> }

/**
 * @param effect makes the changes as `changed`, with `n`, `version` and `answer`; without those that `unless` holds off
 * @param rest more rows, of those whose change was not made
 */
function writes(
  isIdempotent: boolean,
  effect: (sql: Sql, unless: Fragment) => Fragment,
  rest: (sql: Sql, unless: Fragment) => Fragment,
): Writes {
  const make = (keyed: boolean): Shared<Write, Written> => ({
    most: 32,
    isIdempotent: isIdempotent || keyed,
    claims: ({ user_id, id, key }) => [
      `${user_id} ${id.toLowerCase()}`,
      ...(key === undefined ? [] : [`key ${user_id} ${key}`]),
    ],
    statement: (sql, asked) => {
      const none = sql``
      const unless = keyed
        ? sql`and not exists (select from earlier where earlier.n = asked.n)`
        : none
      return sql<(Written & { n: number })[]>`
    with asked as (
      select n, user_id, id, versions, key, request, fields, said,
        title, description, completed, priority, tags, due_date, due_time, time_zone,
        title_key, title_words, description_words, tag_keys
      from json_to_recordset(${asked}::text::json) as asked (
        n integer, user_id text, id uuid, versions integer[], key text, request text, fields text[], said jsonb,
        title text, description text, completed boolean, priority docket.task_priority, tags text[],
        due_date date, due_time time(0), time_zone text,
        title_key text, title_words text, description_words text, tag_keys text[]
      )
      where ${few(sql)}
    ), ${keyed ? sql`${earlier(sql)},` : none}
    ${effect(sql, unless)}
    ${keyed ? sql`, ${keep(sql)}` : none}
    select n, null as request, answer as text, version, true as is_made
    from changed
    ${keyed ? earlierAnswers(sql) : none}
    ${rest(sql, unless)}`
    },
  })
  return { plain: make(false), keyed: make(true) }
}

const earlierAnswers = (sql: Sql): Fragment => sql`
    union all
    select n, request, answer::text as text, (answer ->> 'version')::integer as version, true as is_made
    from earlier`

const creation = writes(
  true,
  (sql, unless) => sql`
    owners as (
      insert into docket.users (id)
      select distinct user_id
      from asked
      where true ${unless}
      order by user_id
      on conflict (id) do nothing
    ), made as (
      insert into docket.tasks as t
        (user_id, id, title, description, completed_at, priority, tags, due_date, due_time, time_zone,
          title_key, tag_keys, words, long_words)
      select user_id, id, title, description, case when completed then now() end, coalesce(priority, 'none'),
        coalesce(tags, '{}'), due_date, due_time, time_zone, title_key, tag_keys, words, long_words
      from asked
      cross join lateral (
        ${searchTextOfAll(sql)}
      ) folded
      where true ${unless}
      on conflict (user_id, id) do update
        set version = t.version
        where t.deleted_at is null
          and (t.title, t.priority, t.tags, t.completed_at is null)
            = (excluded.title, excluded.priority, excluded.tags, excluded.completed_at is null)
          and (t.description, t.due_date, t.due_time, t.time_zone)
            is not distinct from (excluded.description, excluded.due_date, excluded.due_time, excluded.time_zone)
      returning t.user_id, t.id, t.version, t.json as answer
    ), changed as (
      select asked.n, made.version, made.answer
      from made
      join asked on asked.user_id = made.user_id and asked.id = made.id
    )`,
  (sql) => sql``,
)

/**
 * The new task. The same task once more, by an id that the client chose, is the one that is there already; another one
 * under that id is not made, which is `stale`. Twice is once by the id, which the server chooses before the first
 * attempt if the client did not.
 */
export const insertTask = (
  db: Db,
  userId: string,
  id: string,
  task: NewTask,
  once: Once | null = null,
): Promise<Change> =>
  change(db, creation, { ...stored(task), user_id: userId, id }, once, { outcome: 'stale' })

/** Columns, and what they become. */
type Assignments = Record<string, Fragment>

const assign = (sql: Sql, assignments: Assignments): Fragment =>
  listed(
    sql,
    Object.entries(assignments).map(([column, value]) => sql`${sql(column)} = ${value}`),
  )

/** Fragments with a comma between them. */
const listed = (sql: Sql, [first = sql``, ...rest]: Fragment[]): Fragment =>
  rest.reduce((all, next) => sql`${all}, ${next}`, first)

/** Counts a version up only where one of these columns becomes something else. */
function counted(sql: Sql, assignments: Assignments): Fragment {
  const old = Object.keys(assignments).map((column) => sql`t.${sql(column)}`)
  return sql`
      (version, updated_at) = (
        select t.version + changed::integer, case when changed then greatest(now(), t.updated_at) else t.updated_at end
        from (
          select (${listed(sql, Object.values(assignments))}) is distinct from (${listed(sql, old)}) as changed
          offset 0
        ) as compared
      )`
}

/**
 * Changes tasks that satisfy `condition` and have one of the `versions`, if any are given. Not idempotent without a key:
 * each change counts the version up, and a second one would not find the version of the first. One that changes nothing is
 * written as it is: only who waits for the task knows what there is to change.
 * @param derived what follows from the columns that are assigned
 */
const updates = (
  condition: (sql: Sql) => Fragment,
  assignments: (sql: Sql) => Assignments,
  derived?: (sql: Sql) => Fragment,
): Writes =>
  writes(
    false,
    (sql, unless) => sql`
    changed as (
      update docket.tasks t
      set ${assign(sql, assignments(sql))}${derived === undefined ? sql`` : sql`, ${derived(sql)}`},
        ${counted(sql, assignments(sql))}
      from asked
      where t.user_id = asked.user_id
        and t.id = asked.id
        and ${condition(sql)}
        and (asked.versions is null or t.version = any(asked.versions))
        and (asked.said is null or t.json::jsonb @> asked.said)
        ${unless}
      returning asked.n, t.version, t.json as answer
    )`,
    // Those that are there, in another version or not as was said. They are as they were when the statement began: in the version
    // that was asked for too, while another one changed it. With a text it is what was said that is at fault.
    (sql, unless) => sql`
    union all
    select asked.n, null as request, case when compared.unlike then t.json end as text, t.version, false as is_made
    from asked
    join docket.tasks t on t.user_id = asked.user_id and t.id = asked.id
    cross join lateral (
      select case
        when asked.said is null then false
        when asked.versions is null then true
        else t.version = any(asked.versions) and not t.json::jsonb @> asked.said
      end as unlike
    ) as compared
    where ${condition(sql)}
      and (asked.versions is not null or asked.said is not null)
      and not exists (select from changed where changed.n = asked.n)
      ${unless}`,
  )

/** A field that does not change, as it was folded. */
const old = (sql: Sql, n: Fragment): Fragment =>
  sql`split_part(coalesce(t.words, t.long_words, ''), chr(31), ${n})`

const changedText = (sql: Sql): Fragment =>
  searchText(
    sql,
    sql`coalesce(asked.title_words, ${old(sql, sql`1`)})`,
    sql`case when 'description' = any(asked.fields) then coalesce(asked.description_words, '') else ${old(sql, sql`2`)} end`,
    sql`case when 'tags' = any(asked.fields) then coalesce(asked.tag_keys, asked.tags) else coalesce(t.tag_keys, t.tags) end`,
  )

const given = (sql: Sql, column: string, value: Fragment): Fragment =>
  sql`case when ${column}::text = any(asked.fields) then ${value} else t.${sql(column)} end`

const patching = updates(
  isThere,
  (sql) => ({
    title: sql`coalesce(asked.title, t.title)`,
    description: given(sql, 'description', sql`asked.description`),
    completed_at: sql`
      case asked.completed
        when true then coalesce(t.completed_at, now())
        when false then null
        else t.completed_at
      end`,
    priority: given(sql, 'priority', sql`coalesce(asked.priority, 'none')`),
    tags: given(sql, 'tags', sql`coalesce(asked.tags, '{}')`),
    due_date: given(sql, 'due_date', sql`asked.due_date`),
    due_time: given(sql, 'due_time', sql`asked.due_time`),
    time_zone: given(sql, 'time_zone', sql`asked.time_zone`),
  }),
  (sql) => sql`
      title_key = coalesce(asked.title_key, t.title_key),
      tag_keys = case when 'tags' = any(asked.fields) then asked.tag_keys else t.tag_keys end,
      (words, long_words) = (
        ${changedText(sql)}
      )`,
)

export const updateTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  { changes, course }: Parts,
  once: Once | null = null,
): Promise<Change> =>
  change(
    db,
    patching,
    {
      ...stored(changes),
      user_id: userId,
      id,
      versions,
      fields: Object.keys(changes),
      said: course,
    },
    once,
  )

const completion = updates(isThere, (sql) => ({
  completed_at: sql`
      case coalesce(asked.completed, t.completed_at is null) when true then coalesce(t.completed_at, now()) end`,
}))

/** Completes or reopens; null does whichever is left to do. */
export const completeTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  completed: boolean | null,
  once: Once | null = null,
): Promise<Change> =>
  change(
    db,
    completion,
    { user_id: userId, id, versions, ...(completed === null ? {} : { completed }) },
    once,
  )

const deletion = updates(isThere, (sql) => ({ deleted_at: sql`now()` }))

/** To the trash. */
export const deleteTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Change> => change(db, deletion, { user_id: userId, id, versions }, once)

const restoration = updates(
  (sql) => sql`true`,
  (sql) => ({ deleted_at: sql`null` }),
)

/** Back from the trash, or still where it was. */
export const restoreTask = (
  db: Db,
  userId: string,
  id: string,
  versions: number[] | null,
  once: Once | null = null,
): Promise<Change> => change(db, restoration, { user_id: userId, id, versions }, once)

/** @param unmade what it means that a write has no row */
async function change(
  db: Db,
  { plain, keyed }: Writes,
  write: Write,
  once: Once | null,
  unmade: Change = { outcome: 'not_found' },
): Promise<Change> {
  if (once === null) return outcomeOf(await db.share(plain, write), null, unmade)
  const run = () => runOnce(() => db.share(keyed, { ...write, ...once }))
  const first = outcomeOf(await run(), once, unmade)
  // The same request may have made the change while this one waited for the task, and left it nothing to do.
  return ('task' in first && first.outcome !== 'unlike') || first.outcome === 'key_reused'
    ? first
    : outcomeOf(await run(), once, unmade)
}

function outcomeOf(row: Written | undefined, once: Once | null, unmade: Change): Change {
  if (row === undefined) return unmade
  const { request, text, version, is_made } = row
  if (request !== null && request !== once?.request) return { outcome: 'key_reused' }
  if (text === null || version === null) return { outcome: 'stale' }
  if (!is_made) return { outcome: 'unlike', task: { text, version } }
  return { outcome: request === null ? 'changed' : 'replayed', task: { text, version } }
}
