import type { Sql } from '../connect.ts'
import type { Db } from '../gate/gate.ts'
import { grouped } from '../gate/share.ts'
import { sqlstateOf } from '../gate/sqlstates.ts'
import { type Ask, type Author, type Fragment, given, newOwners, owners } from './log.ts'
import { earlier, keep, type Once, runOnce } from './once.ts'
import { askingToGo, going, type Purge } from './purging.ts'
import {
  asking,
  type Creation,
  changing,
  making,
  type Outcome,
  type Table,
  type Update,
  type Writes,
} from './writes.ts'

/** A kind of thing that is in the log, as its resource hands it over: what history, undo and the trash know of it. */
export type Kind = {
  table: Table
  /** What undo gives back: fields that are columns of the same name. */
  fields: readonly string[]
  /** Fields that say where it is: by force it is left where it is, or comes back in none, where that is not there any more. */
  places?: readonly string[]
  /** Fields that there can be only with another one, which comes before them. */
  needs: Readonly<Record<string, string>>
  /** Fields as they are written, with what follows from them. */
  stored: (fields: Record<string, unknown>) => object
  /** Makes what is asked of the `fields`: to the letter, or in the trash from now on where it `is_discarded`. */
  update: Update
  /** Makes what is asked whole. */
  creation?: Creation
  purging: Writes<Purge>
  /** Whether it is part of what a user may have so much of. */
  isCounted: boolean
}

/** What is to be written of one thing, all of it while it has this version. */
export type Change = {
  kind: Kind
  id: string
  version: number
  /** Those that become something else. */
  fields: Record<string, unknown>
  isDiscarded: boolean
  /** What the `update` of its kind is asked besides. */
  more?: object
  /** That it is made, of all its fields, or goes for good, though it is not in the trash. */
  fate?: 'made' | 'gone'
}

/**
 * In which order things are written, one after the other: what is over makes room for what begins. Which of two rows the database changes
 * first, nobody can tell it.
 */
const stages = ['gone', 'changed', 'begun', 'made'] as const
type Stage = (typeof stages)[number]

/** What is open again, or there again, has begun. */
const stageOf = ({ fate, fields, isDiscarded, more = {} }: Change): Stage =>
  fate ??
  ((fields['completed_at'] === null && !('is_done' in more)) ||
  (fields['deleted_at'] === null && !isDiscarded)
    ? 'begun'
    : 'changed')

/** What was written, as an array of JSON; `request` is that of an earlier one with the same key, which made it. */
type Together = { request: string | null; answer: string }

/** The answer to changes that were made together, out of `seq`, `type`, `id`, the JSON in `answer`, and `is_changed` of each. */
export type Answered = (sql: Sql) => Fragment

const allAnswered: Answered = (sql) => sql`concat('[', string_agg(
          concat('{"seq":', seq, ',"type":"', type, '","id":"', id, '","', type, '":', answer, '}'), ',' order by seq
        ), ']')`

/**
 * All of them, each with what is kept of it by its id, if anything is, and after them what is answered anyway.
 * @param rest JSON of things, separated by commas; null: there are none
 */
export const answeredWithKept =
  (kept: Record<string, string[]>, rest: string | null): Answered =>
  (sql) =>
    sql`concat('[', concat_ws(',', string_agg(
          concat('{"seq":', seq, ',"type":"', type, '","id":"', id, '","', type, '":', answer,
            ',"kept":' || (${JSON.stringify(kept)}::text::json -> id::text)::text, '}'), ',' order by seq
        ), ${rest}::text), ']')`

/** That one, by itself and as it is in every other answer. */
export const onlyAnswered =
  ({ table }: Kind, id: string): Answered =>
  (sql) =>
    sql`max(answer) filter (where type = ${table.type} and id = ${id})`

/** That one, with another one in a field of its own: as it is written, or as it was there. */
export const answeredWith =
  (
    { table }: Kind,
    id: string,
    field: string,
    other: { id: string | null; text: string | null },
  ): Answered =>
  (sql) => {
    const of = (one: string | null) =>
      sql`max(answer) filter (where type = ${table.type} and id = ${one}::uuid)`
    return sql`concat(left(${of(id)}, -1), ',', to_json(${field}::text), ':', coalesce(${of(other.id)}, ${other.text}::text, 'null'), '}')`
  }

/** How many were meant, how many have changed, and the request to undo them by. */
export const countAnswered =
  (matched: number, requestId: string): Answered =>
  (sql) =>
    sql`concat('{"matched":', ${matched}::integer, ',"changed":', count(id) filter (where is_changed), ',"request_id":',
          to_json(${requestId}::text), '}')`

/** A part of a statement, the names of which have an end of their own. */
type Written = { kind: Kind; stage: Stage; suffix: string }

function partsOf(changes: Change[]): Written[] {
  const kinds = [...new Set(changes.map(({ kind }) => kind))]
  return stages.flatMap((stage) =>
    kinds
      .filter((kind) => changes.some((change) => change.kind === kind && stageOf(change) === stage))
      .map((kind) => ({ kind, stage, suffix: `_${kind.table.type}_${stage}` })),
  )
}

/**
 * Makes changes of several things of a user, of whatever kinds, in one statement: all, or none where one of them is not as it was when
 * it was looked at, which is undefined. The first ask has the key, if there is one.
 * @param answered what the answer is, of all that was changed
 */
export async function changeTogether(
  db: Db,
  { user_id, ...by }: Author,
  changes: Change[],
  once: Once | null,
  answered: Answered = allAnswered,
): Promise<Together | undefined> {
  const isKeyed = once !== null
  const asks = changes.map((change, index) => {
    const { kind, id, version, fields, isDiscarded, more } = change
    return {
      user_id,
      id,
      ...by,
      ...kind.stored(fields),
      ...more,
      type: kind.table.type,
      stage: stageOf(change),
      versions: [version],
      fields: Object.keys(fields),
      is_discarded: isDiscarded,
      ...(index === 0 ? once : {}),
    }
  })
  const parts = partsOf(changes)
  const looked = parts.filter(({ stage }) => stage !== 'made')
  const made = changes.filter(({ fate }) => fate === 'made').length
  const gone = changes.filter(({ fate }) => fate === 'gone').length

  const statement = (sql: Sql) => {
    const each = (all: Written[], between: Fragment, make: (part: Written) => Fragment) =>
      all.map(make).reduce((before, next) => sql`${before}${between}${next}`)
    const own = ({ kind, stage }: Written) =>
      sql`a.type = ${kind.table.type} and a.stage = ${stage}`
    /** All before it are done, which is what to count them takes. */
    const only = (part: Written) =>
      parts
        .slice(0, parts.indexOf(part))
        .map(({ suffix }) => sql`and (select count(n) from ${sql(`changed${suffix}`)}) >= 0`)
        .reduce((all, next) => sql`${all} ${next}`, sql`(select is_whole from whole)`)
    const asked = (part: Written) => {
      const { kind, stage, suffix } = part
      const { table, update } = kind
      if (stage !== 'gone') {
        return asking(sql, table, withStage(update), { isKeyed, suffix, own: own(part) })
      }
      const condition = sql`true`
      return askingToGo(sql, table, {
        isKeyed,
        suffix,
        own: own(part),
        asked: stageColumns(sql),
        condition,
      })
    }
    const written = (part: Written) => {
      const { kind, stage, suffix } = part
      const { table, update, creation } = kind
      const how = { isKeyed, suffix, only: only(part) }
      if (stage === 'gone') return going(sql, table, how)
      if (stage !== 'made') return changing(sql, table, update, how)
      if (creation === undefined) throw new Error(`Nothing makes a ${table.type}.`)
      return making(sql, table, withStage(creation), { ...how, own: own(part) })
    }
    const counted = (stage: Stage) =>
      parts
        .filter((part) => part.stage === stage)
        .map(({ suffix }) => sql` + (select count(n) from ${sql(`changed${suffix}`)})`)
        .reduce((all, next) => sql`${all}${next}`, sql`0`)
    // Nothing else undoes what a part of the statement has done: what is not whole is divided by zero.
    const isAll =
      made + gone === 0
        ? sql``
        : sql`where 1 / (
          (select not is_whole from whole)
          or (${counted('made')} = ${made}::integer and ${counted('gone')} = ${gone}::integer)
        )::integer = 1`
    return sql<Together[]>`
    with ${given(sql, JSON.stringify(grouped(asks)))}, ${owners(sql)}, ${isKeyed ? sql`${earlier(sql)},` : sql``}
    ${each(looked, sql`, `, asked)}, whole as materialized (
      select sum(many) = ${made}::integer + ${each(
        looked,
        sql` + `,
        ({ suffix }) => sql`(select count(n) from ${sql(`asked${suffix}`)} where refusal is null)`,
      )} as is_whole
      from groups
    ), ${each(parts, sql`, `, written)}, made as (
      select user_id, ${isKeyed ? sql`max(key) as key, max(request) as request,` : sql``}
        ${answered(sql)} as answer
      from (${each(
        parts,
        sql` union all `,
        ({ kind, stage, suffix }) => sql`
        select user_id, seq, ${kind.table.type} as type, id, answer,
          ${stage === 'made' || stage === 'gone' ? sql`false as is_changed` : sql`is_changed`}
          ${isKeyed ? sql`, key, request` : sql``}
        from ${sql(`changed${suffix}`)}`,
      )}) changed
      group by user_id
    )
    ${isKeyed ? sql`, ${keep(sql, sql`made`)}` : sql``}
    select null as request, answer
    from made
    ${isAll}
    ${isKeyed ? sql`union all select request, answer::text from earlier` : sql``}`
  }
  try {
    const [written] = isKeyed
      ? await runOnce(() => db.idempotentWrite(statement))
      : await db.write(statement)
    return written
  } catch (error) {
    if (isNotWhole(error)) return undefined
    throw error
  }
}

/** What is not whole was divided by zero. */
const isNotWhole = (error: unknown): boolean => sqlstateOf(error) === '22012'

/** What became of the one that is the answer. */
export function outcomeOf({ request, answer }: Together, once: Once | null): Outcome {
  if (request !== null && request !== once?.request) return { outcome: 'key_reused' }
  const row = { text: answer, version: Number(JSON.parse(answer).version) }
  return { outcome: request === null ? 'changed' : 'replayed', row }
}

const stageColumns = (sql: Sql): Fragment => sql`, type text, stage text, is_discarded boolean`

const withStage = <T extends Update | Creation>(write: T): T => ({
  ...write,
  asked: (sql: Sql) => sql`${stageColumns(sql)} ${write.asked?.(sql) ?? sql``}`,
})

/**
 * Makes several things of a user in one statement: all, or none where something else has the id of one, which is undefined. Twice is once by
 * their ids. The first ask has the key, if there is one.
 */
export async function createTogether(
  db: Db,
  table: Table,
  creation: Creation,
  asks: Ask[],
  once: Once | null,
): Promise<Together | undefined> {
  const isKeyed = once !== null
  const keyed = asks.map((ask, index) => (index === 0 ? { ...ask, ...once } : ask))
  const statement = (sql: Sql) => {
    const only = isKeyed ? sql`not exists (select from earlier)` : sql`true`
    // Nothing else undoes what a part of the statement has done: what is not whole is divided by zero.
    return sql<Together[]>`
    with ${given(sql, JSON.stringify(grouped(keyed)))}, ${newOwners(sql)},
    ${isKeyed ? sql`${earlier(sql)},` : sql``} ${making(sql, table, creation, { isKeyed, only })}, answered as (
      select user_id, ${isKeyed ? sql`max(key) as key, max(request) as request,` : sql``}
        concat('[', string_agg(answer, ',' order by n), ']') as answer, 1 / (count(n) = ${asks.length}::integer)::integer as is_whole
      from changed
      group by user_id
    )
    ${isKeyed ? sql`, ${keep(sql, sql`answered`)}` : sql``}
    select null as request, answer
    from answered
    where is_whole = 1
    ${isKeyed ? sql`union all select request, answer::text from earlier` : sql``}`
  }
  try {
    const [made] = await runOnce(() => db.idempotentWrite(statement))
    return made
  } catch (error) {
    if (isNotWhole(error)) return undefined
    throw error
  }
}
