import type { Sql } from '../connect.ts'
import type { Db } from '../gate/gate.ts'
import type { Shared } from '../gate/share.ts'
import {
  type Ask,
  asksOf,
  type Fragment,
  given,
  literal,
  logged,
  newOwners,
  owners,
} from './log.ts'
import { earlier, keep, type Once, runOnce } from './once.ts'

// The way of every write of a user's data. One statement makes the changes of many requests: it locks their users, numbers the
// changes, looks at what is there now, changes it, and writes down in the log what it was before. Whatever goes wrong with one of
// them is said in its row. A resource says what is special about its table, and is in the log by that.

/** A table of user data, `t` in its statements. */
export type Table = {
  /** What the log calls one of its rows. */
  type: string
  name: (sql: Sql) => Fragment
  /** What is asked besides what all ask, as columns with their types. */
  asked: (sql: Sql) => Fragment
  /** What `action` wants to know of a row before it was changed, as columns of `asked`. */
  was: (sql: Sql) => Fragment
  /** What a change was to who reads the log: of `asked` and `t`, before and after. */
  action: (sql: Sql) => Fragment
}

/** What a request wants to be written. */
export type Write = Ask & {
  versions?: number[] | null
  key?: string
  request?: string
  /** The names of the fields that it has. */
  fields?: string[]
  /** What must be so of the row, or it is not changed. */
  said?: object | null
}

/** A row as the database writes it: its JSON, and the version in it. */
export type Text = { text: string; version: number }

/**
 * What became of a write: made, made by an earlier request with the same key, or not made: because the row has another
 * version, because it is not as was `said`, because the key is one of another request, or because there is no such row.
 */
export type Outcome =
  | { outcome: 'changed' | 'replayed'; row: Text }
  | { outcome: 'stale' }
  | { outcome: 'unlike'; row: Text }
  | { outcome: 'key_reused' }
  | { outcome: 'not_found' }

/**
 * The row after a write; `request` is that of an earlier write with the same key. Where none was made, without a text or with that
 * of a row that is not as was said.
 */
type Written = {
  request: string | null
  text: string | null
  version: number | null
  is_made: boolean
}

/** A statement as it is, and the same with keys: they are stored with its effect, so that twice is once. */
export type Writes<Of extends Write> = { plain: Shared<Of, Written>; keyed: Shared<Of, Written> }

/** @param rest of a statement, after `given` of log.ts; made once for each pool, which is half the work of sending one */
export const inBoth = <Of extends Write>(
  isIdempotent: boolean,
  rest: (sql: Sql, isKeyed: boolean) => Fragment,
): Writes<Of> => {
  const [plain, keyed] = [new WeakMap<Sql, Fragment>(), new WeakMap<Sql, Fragment>()]
  const known = (isKeyed: boolean) => (isKeyed ? keyed : plain)
  const make = (isKeyed: boolean): Shared<Of, Written> => ({
    most: 32,
    writes: true,
    isIdempotent: isIdempotent || isKeyed,
    claims: ({ user_id, id, key }) => [
      `${user_id} ${id.toLowerCase()}`,
      ...(key === undefined ? [] : [`key ${user_id} ${key}`]),
    ],
    statement: (sql, asked) => {
      const made = known(isKeyed).get(sql) ?? rest(sql, isKeyed)
      known(isKeyed).set(sql, made)
      return sql<(Written & { n: number })[]>`
    with ${given(sql, asked)}, ${made}`
    },
  })
  return { plain: make(false), keyed: make(true) }
}

export const earlierAnswers = (sql: Sql): Fragment => sql`
    union all
    select n, request, answer::text as text, (answer ->> 'version')::integer as version, true as is_made
    from earlier`

/** Fragments with a comma between them. */
export const listed = (sql: Sql, [first = sql``, ...rest]: Fragment[]): Fragment =>
  rest.reduce((all, next) => sql`${all}, ${next}`, first)

/** Columns, and what they become: of `asked`, and of `t` as it was. */
export type Values = Record<string, Fragment>

/** Their names, and what they become, each in the same order. */
export const columnsOf = (sql: Sql, values: Values): Fragment =>
  listed(
    sql,
    Object.keys(values).map((column) => sql`${sql(column)}`),
  )

export const valuesOf = (sql: Sql, values: Values): Fragment => listed(sql, Object.values(values))

/** A column that becomes what is asked for where it is among the `fields`, else stays. */
export const whereGiven = (sql: Sql, name: string, value: Fragment): Fragment =>
  sql`case when ${literal(sql, name)} = any(asked.fields) then ${value} else t.${sql(name)} end`

/** What a new row is made of; `derived`: more columns, out of `from`, a lateral join. */
export type Creation = {
  values: (sql: Sql) => Values
  from: (sql: Sql) => Fragment
  /** What it is asked besides what the table is, as columns with their types, each after a comma. */
  asked?: (sql: Sql) => Fragment
  /** Whether the row `t` that is there is the same as the `excluded` one. */
  isSame: (sql: Sql) => Fragment
}

/**
 * `made`: what is asked for, as it is now, unless something else has its id. `changed`: the same with its ask; and what is new of it is in
 * the log.
 */
export function making(
  sql: Sql,
  table: Table,
  creation: Creation,
  { isKeyed, suffix = '', own, only }: Part,
): Fragment {
  const values = creation.values(sql)
  const keys = isKeyed ? sql`, key text, request text` : sql``
  const made = sql(`made${suffix}`)
  const changed = sql(`changed${suffix}`)
  return sql`${made} as (
      insert into ${table.name(sql)} as t
        (user_id, id, seq, created_at, updated_at, ${columnsOf(sql, values)})
      select asked.user_id, asked.id, asked.seq, asked.at, asked.at, ${valuesOf(sql, values)}
      from (
        select a.*
        from ${asksOf(sql, sql`${table.asked(sql)} ${creation.asked?.(sql) ?? sql``}`)} a
        where ${own ?? sql`true`}
        offset 0
      ) asked
      ${creation.from(sql)}
      where ${only ?? sql`true`}
      on conflict (user_id, id) do update
        set version = t.version
        where ${creation.isSame(sql)}
      returning t.user_id, t.id, t.seq, t.version, t.json as answer
    ), ${changed} as (
      select a.n, a.user_id, a.id, a.seq, a.at, a.actor, a.request_id, made.version, made.answer, made.seq = a.seq as is_new,
        'created' as action, null::bigint as previous, null as before ${isKeyed ? sql`, a.key, a.request` : sql``}
      from ${asksOf(sql, sql`fields text[] ${keys}`)} a
      join ${made} made on made.user_id = a.user_id and made.id = a.id
    ), ${logged(sql, table.type, sql`${changed} where is_new`, suffix)}`
}

/**
 * Makes rows. What is there already with the same content is answered as it is; where something else is, there is no row. Twice
 * is once by the id.
 */
export const creating = <Of extends Write>(table: Table, creation: Creation): Writes<Of> =>
  inBoth(true, (sql, isKeyed) => {
    const only = isKeyed
      ? sql`not exists (select from earlier where earlier.n = asked.n)`
      : sql`true`
    return sql`${newOwners(sql)},
    ${isKeyed ? sql`${earlier(sql)},` : sql``} ${making(sql, table, creation, { isKeyed, only })}
    ${isKeyed ? sql`, ${keep(sql)}` : sql``}
    select n, null as request, answer as text, version, true as is_made
    from changed
    ${isKeyed ? earlierAnswers(sql) : sql``}`
  })

export type Update = {
  /** Which rows `t` there are to be changed. */
  condition: (sql: Sql) => Fragment
  values: (sql: Sql) => Values
  /** What follows from these columns. */
  derived?: (sql: Sql) => Fragment
  /** What it is asked besides what the table is, as columns with their types, each after a comma. */
  asked?: (sql: Sql) => Fragment
  /** Which rows are not to be changed by this alone, but with others: that is `unlike`, without a text. */
  isShared?: (sql: Sql) => Fragment
}

/** Of a row with a long text only the rest, unless the text is what changes: or each change would store it once more. */
const image = (sql: Sql): Fragment => {
  const isWhole = sql`octet_length(t.json) < 2000 or 'description' = any(a.fields)`
  // Of what is kept there is nothing in it where there is none, which would be taken for what did not change.
  return sql`
      case
        when 'extra' = any(a.fields) then
          ('{"extra": null}'::jsonb || case when ${isWhole} then t.json::jsonb else t.json::jsonb - 'description' end)::text
        when ${isWhole} then t.json
        else (t.json::jsonb - 'description')::text
      end`
}

/** How a write is part of a statement. */
export type Part = {
  isKeyed: boolean
  /** Of the names, where it is one of several. */
  suffix?: string
  /** Which asks are its own, as a condition on `a`. */
  own?: Fragment
  /** More that must be so, or nothing is changed. */
  only?: Fragment
}

/** `asked`: the rows that are to be changed, locked, each with its ask, and why it is refused. */
export function asking(
  sql: Sql,
  table: Table,
  { condition, asked, isShared }: Update,
  { isKeyed, suffix = '', own }: Part,
): Fragment {
  const keys = isKeyed ? sql`, key text, request text` : sql``
  const more = asked?.(sql) ?? sql``
  return sql`${sql(`asked${suffix}`)} as (
      select a.*, t.seq as previous, ${image(sql)} as before, ${table.was(sql)}, t.version as old_version,
        case
          when a.versions is not null and t.version <> all(a.versions) then 'stale'
          when a.said is not null and not t.json::jsonb @> a.said then 'unlike'
          ${isShared === undefined ? sql`` : sql`when ${isShared(sql)} then 'shared'`}
        end as refusal,
        case when a.said is not null then t.json end as is_there
      from ${asksOf(sql, sql`versions integer[], fields text[], said jsonb ${keys}, ${table.asked(sql)} ${more}`)} a
      join ${table.name(sql)} t on t.user_id = a.user_id and t.id = a.id
      ${isKeyed ? sql`left join earlier on earlier.n = a.n` : sql``}
      where ${condition(sql)}
        ${own === undefined ? sql`` : sql`and ${own}`}
        ${isKeyed ? sql`and earlier.n is null` : sql``}
      -- As it is now: what is read without a lock is older than the wait for the user.
      for no key update of t
    )`
}

/** `changed`: what is `asked` and not refused, as it is after that, and in the log. */
export function changing(
  sql: Sql,
  table: Table,
  { values, derived }: Update,
  { isKeyed, suffix = '', only }: Part,
): Fragment {
  const becomes = values(sql)
  const columns = Object.keys(becomes)
  const assignments = columns.map((column) => sql`${sql(column)} = ${becomes[column] ?? sql``}`)
  const old = columns.map((column) => sql`t.${sql(column)}`)
  return sql`${sql(`changed${suffix}`)} as (
      update ${table.name(sql)} t
      set ${listed(sql, assignments)}${derived === undefined ? sql`` : sql`, ${derived(sql)}`},
        (version, seq, updated_at) = (
          select t.version + changed::integer, case when changed then asked.seq else t.seq end,
            case when changed then asked.at else t.updated_at end
          from (
            select (${valuesOf(sql, becomes)}) is distinct from (${listed(sql, old)}) as changed
            offset 0
          ) as compared
        )
      from ${sql(`asked${suffix}`)} asked
      where t.user_id = asked.user_id
        and t.id = asked.id
        and asked.refusal is null
        ${only === undefined ? sql`` : sql`and ${only}`}
      returning asked.n, asked.user_id, asked.id, asked.seq, asked.at, asked.previous, asked.before, asked.actor, asked.request_id,
        t.version, t.json as answer, t.seq = asked.seq as is_changed, ${table.action(sql)} as action
        ${isKeyed ? sql`, asked.key, asked.request` : sql``}
    ), ${logged(sql, table.type, sql`${sql(`changed${suffix}`)} where is_changed`, suffix)}`
}

/**
 * Changes rows that satisfy the condition and have one of the `versions`, if any are given. Not idempotent without a key:
 * each change counts the version up, and a second one would not find the version of the first. One that changes nothing is
 * written as it is, and leaves nothing in the log: only who waits for the row knows what there is to change.
 */
export const updating = <Of extends Write>(table: Table, update: Update): Writes<Of> =>
  inBoth(
    false,
    (sql, isKeyed) => sql`${owners(sql)},
    ${isKeyed ? sql`${earlier(sql)},` : sql``} ${asking(sql, table, update, { isKeyed })}, ${changing(sql, table, update, { isKeyed })}
    ${isKeyed ? sql`, ${keep(sql)}` : sql``}
    select n, null as request, answer as text, version, true as is_made
    from changed
    union all
    select n, null as request, case refusal when 'unlike' then is_there when 'shared' then '' end as text, old_version as version, false as is_made
    from asked
    where refusal is not null
    ${isKeyed ? earlierAnswers(sql) : sql``}`,
  )

/** @param unmade what it means that a write has no row */
export async function write<Of extends Write>(
  db: Db,
  { plain, keyed }: Writes<Of>,
  asked: Of,
  once: Once | null,
  unmade: Outcome = { outcome: 'not_found' },
): Promise<Outcome> {
  if (once === null) return outcomeOf(await db.share(plain, asked), null, unmade)
  const run = () => runOnce(() => db.share(keyed, { ...asked, ...once }))
  const first = outcomeOf(await run(), once, unmade)
  // The same request may have made the change while this one waited for the row, and left it nothing to do.
  return ('row' in first && first.outcome !== 'unlike') || first.outcome === 'key_reused'
    ? first
    : outcomeOf(await run(), once, unmade)
}

function outcomeOf(written: Written | undefined, once: Once | null, unmade: Outcome): Outcome {
  if (written === undefined) return unmade
  const { request, text, version, is_made } = written
  if (request !== null && request !== once?.request) return { outcome: 'key_reused' }
  if (text === null || version === null) return { outcome: 'stale' }
  if (!is_made) return { outcome: 'unlike', row: { text, version } }
  return { outcome: request === null ? 'changed' : 'replayed', row: { text, version } }
}
