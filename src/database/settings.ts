// The settings of PostgreSQL that every statement of ours has, whatever a role, a database or a server has by itself.

/** What decides how values are read and said, where names are looked up, and which rows there are. */
export const meaning = {
  client_encoding: 'UTF8',
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  row_security: 'on',
  // No schema but PostgreSQL's own: every statement names the one that it means.
  search_path: '""',
}

/** A transaction may begin with another level: then each statement sees what there was when the first one began. */
export const isolation = 'read committed'

/**
 * How statements are planned: each is written so that it goes by one index, in its order, and joins by looking up one row after
 * the other. So nothing is left to a guess, which would be a bad one where there are no statistics, old ones, or ones of
 * many users with one task each. To compile a plan takes longer than to run any of ours.
 */
export const planning: Record<string, string> = {
  enable_sort: 'off',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
}

/** How long a transaction may have nothing to do, in milliseconds: one whose client was lost ends there. */
const longestPause = 10_000

/** All of them, for statements that may take so many seconds. Who waits for a lock is told so before these are over. */
export const settingsFor = (seconds: number): Record<string, string> => ({
  ...meaning,
  statement_timeout: String(Math.round(seconds * 1000)),
  lock_timeout: String(Math.round(seconds * 800)),
  idle_in_transaction_session_timeout: String(longestPause),
  ...planning,
})

/** A statement that sets them for one transaction, and has no row: of the ways to say it the one that costs the least. */
const settingOf = (settings: Record<string, string>): string =>
  `select from pg_catalog.json_each_text($$${JSON.stringify(settings)}$$) as s (name, value) where pg_catalog.set_config(name, value, true) is null`

/**
 * What goes in front of a statement, and sets them for its transaction: the level before anything that looks at the database.
 * It is no setting of the session, though it is said like one: every transaction begins with the default. SET TRANSACTION is the
 * same, and has PostgreSQL warn in its log that there is no transaction block.
 */
export const preludeOf = (settings: Record<string, string>): string[] => [
  `set transaction_isolation = '${isolation}'`,
  settingOf(settings),
]
