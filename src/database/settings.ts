// The settings of PostgreSQL that every statement of ours has, whatever a role, a database or a server has by itself.

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

/** All of them, for statements that may take so many seconds. */
export const settingsFor = (seconds: number): Record<string, string> => ({
  statement_timeout: String(Math.round(seconds * 1000)),
  idle_in_transaction_session_timeout: String(longestPause),
  ...planning,
})

/** A statement that sets them for one transaction, and has no row. */
export const settingOf = (settings: Record<string, string>): string =>
  `select where ${Object.entries(settings)
    .map(([name, value]) => `set_config('${name}', '${value}', true) is null`)
    .join(' or ')}`
