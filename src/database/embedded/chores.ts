import { type Bytes, findMessage, kind, readInt32, simpleQuery } from './protocol.ts'

/** `sweep` is the short part of a vacuum: it leaves the indexes alone. */
export type Chore = {
  kind: 'analyze' | 'sweep' | 'vacuum'
  table: string
  /** It was stopped before, because somebody had to wait. */
  isStopped: boolean
}

/** A table, quoted, and how much of it has changed since it was last looked after. */
type Table = {
  name: string
  /** How many rows there are; negative: nobody has ever looked. */
  rows: number
  /** How many were inserted, changed or deleted since the last analyze. */
  changed: number
  /** How many were deleted or replaced since the last vacuum, and how many inserted. */
  dead: number
  inserted: number
  /** Pages, and how many of them no vacuum has seen whole since they were last written. */
  pages: number
  hidden: number
  /** How many transactions ago something in it may be of which it matters when it was written. */
  age: number
}

/** PostgreSQL has numbers for two thousand million transactions, and takes no writes when the oldest is about to be theirs again. */
const oldest = 200_000_000

// PostgreSQL reports its counts once a second at most, if it is not asked to.
export const report = simpleQuery('select pg_stat_force_next_flush()')

export const findTables = simpleQuery(`
  select json_agg(json_build_object(
    'name', format('%I.%I', relnamespace::regnamespace, relname),
    'rows', reltuples,
    'changed', pg_stat_get_mod_since_analyze(oid),
    'dead', pg_stat_get_dead_tuples(oid),
    'inserted', pg_stat_get_ins_since_vacuum(oid),
    'pages', pg_relation_size(oid) / 8192,
    'hidden', pg_relation_size(oid) / 8192 - relallvisible,
    'age', age(relfrozenxid)
  ))
  from pg_class
  where relkind = 'r'
    and relpersistence <> 't'
    and (age(relfrozenxid) > ${oldest}
      or pg_relation_size(oid) > 0
      and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace))`)

/**
 * What there is to do, statistics first: they are short, and plans depend on them.
 * @param isOpening whether the counts are lost, as they are whenever a cluster was closed
 */
export function readChores(answer: Bytes, isOpening: boolean): Chore[] {
  const row = findMessage(answer, kind.dataRow)
  // One column: after how many there are, and the length of this one, its text.
  const text = row === undefined || readInt32(row, 2) < 0 ? '[]' : decoder.decode(row.subarray(6))
  // What findTables makes.
  const tables = JSON.parse(text) as Table[]
  const make = (what: Chore['kind'], isDue: (table: Table) => boolean): Chore[] =>
    tables.filter(isDue).map(({ name }) => ({ kind: what, table: name, isStopped: false }))
  return [
    ...make('analyze', isUnknown),
    ...make('sweep', isOpening ? isNeglected : isUntidy),
    ...make('vacuum', ({ age }) => age > oldest),
  ]
}

const decoder = new TextDecoder()

const isUnknown = ({ rows, changed }: Table): boolean => rows < 0 || changed > 50 + rows / 10

/** Never many at once, however large the table is: what has to be looked at is what has changed. */
const isUntidy = ({ rows, dead, inserted }: Table): boolean =>
  dead + inserted > Math.min(50 + Math.max(rows, 0) / 20, 2000)

const isNeglected = ({ pages, hidden }: Table): boolean => pages > 100 && hidden > pages / 2

export function statementOf({ kind: what, table, isStopped }: Chore): Bytes {
  switch (what) {
    case 'analyze':
      // How much is looked at does not depend on how much there is: 300 rows for each 1 of the target.
      return simpleQuery(
        `set local default_statistics_target = ${isStopped ? 1 : 10}; analyze ${table}`,
      )
    case 'sweep':
      return simpleQuery(`vacuum (index_cleanup off, truncate off) ${table}`)
    case 'vacuum':
      return simpleQuery(`vacuum ${table}`)
  }
}

/** Whether PostgreSQL stopped what it was at because it was asked to. */
export function wasStopped(answer: Bytes): boolean {
  const error = findMessage(answer, kind.errorResponse)
  return error !== undefined && decoder.decode(error).includes('\0C57014\0')
}
