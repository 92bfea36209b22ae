import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import type { Once } from '../database/log/once.ts'
import { askedPosition, type Spot, spotColumns } from '../database/log/positions.ts'
import { purging } from '../database/log/purging.ts'
import type { Kind } from '../database/log/together.ts'
import {
  creating,
  type Outcome,
  updating,
  type Write,
  whereGiven,
  write,
} from '../database/log/writes.ts'
import type { Changes, Course, NewList } from './schema.ts'
import { isThere, listTable } from './table.ts'

// What is written of lists. One exported function is one statement, which makes the changes of many requests, each to another list:
// database/log/writes.ts has how, and this what is special about lists.

type ListWrite = Write & Partial<Omit<NewList, 'id' | 'user_id'>> & Partial<Spot>

/** Fields as they are stored. */
const stored = <T extends { color?: unknown }>(fields: T): T =>
  typeof fields.color === 'string' ? { ...fields, color: fields.color.toLowerCase() } : fields

const creation = creating<ListWrite>(listTable, {
  values: (sql) => ({
    name: sql`asked.name`,
    color: sql`asked.color`,
    archived_at: sql`case when asked.archived then asked.at end`,
    position: sql`docket.position_at_end(asked.seq)`,
  }),
  from: (sql) => sql``,
  isSame: (sql) => sql`t.deleted_at is null
          and (t.archived_at is null) = (excluded.archived_at is null)
          and (t.name, t.color) is not distinct from (excluded.name, excluded.color)`,
})

/**
 * The new list, after all others. The same list once more, by an id that the client chose, is the one that is there already; another
 * one under that id is not made, which is `stale`.
 */
export const insertList = (
  db: Db,
  author: Author,
  id: string,
  list: NewList,
  once: Once | null = null,
): Promise<Outcome> =>
  write(db, creation, { ...stored(list), ...author, id }, once, { outcome: 'stale' })

const patching = updating<ListWrite>(listTable, {
  condition: isThere,
  values: (sql) => ({
    name: whereGiven(sql, 'name', sql`asked.name`),
    color: whereGiven(sql, 'color', sql`asked.color`),
    archived_at: sql`
      case asked.archived
        when true then coalesce(t.archived_at, asked.at)
        when false then null
        else t.archived_at
      end`,
  }),
})

export const updateList = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  { changes, course }: { changes: Changes; course: Course | null },
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

const placing = updating<ListWrite>(listTable, {
  condition: isThere,
  asked: (sql) => sql`, ${spotColumns(sql)}`,
  values: (sql) => ({ position: askedPosition(sql) }),
})

/** To another place among the others. */
export const placeList = (
  db: Db,
  author: Author,
  id: string,
  versions: number[] | null,
  spot: Spot,
  once: Once | null = null,
): Promise<Outcome> => write(db, placing, { ...author, id, versions, ...spot }, once)

/** What history, undo and the trash know of lists. */
export const listKind: Kind = {
  table: listTable,
  fields: ['name', 'color', 'archived_at', 'position', 'deleted_at'],
  needs: {},
  stored,
  update: {
    condition: (sql) => sql`true`,
    asked: (sql) => sql`, archived_at timestamptz, deleted_at timestamptz, ${spotColumns(sql)}`,
    values: (sql) => ({
      name: whereGiven(sql, 'name', sql`asked.name`),
      color: whereGiven(sql, 'color', sql`asked.color`),
      archived_at: whereGiven(sql, 'archived_at', sql`asked.archived_at`),
      position: whereGiven(sql, 'position', askedPosition(sql)),
      deleted_at: whereGiven(
        sql,
        'deleted_at',
        // What goes together has one instant, by which it comes back together.
        sql`case when asked.is_discarded then asked.began else asked.deleted_at end`,
      ),
    }),
  },
  purging: purging(listTable),
  isCounted: false,
}
