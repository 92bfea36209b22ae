import type { AuthTable, AuthTables, Model } from '../database/auth-tables/tables.ts'

// How Better Auth is told of tables that are laid out in another way than its own would be.

type IssuerTables = AuthTables & { [K in Exclude<Model, 'jwks'>]: AuthTable }

/** Why the built-in issuer cannot work on these tables; null: it can. */
export function issuerFault(tables: AuthTables | null): string | null {
  if (tables === null) return 'there are none'
  const { user, session, account, verification } = tables
  for (const [model, table] of Object.entries({ session, account, verification })) {
    if (table === null) return `beside ${user.path} there is no table for ${model}`
    if (table.schema !== user.schema) return `${table.path} is in another schema than ${user.path}`
  }
  for (const table of [user, session, account, verification]) {
    const names = [table?.name, ...Object.values(table?.columns ?? {}).map((one) => one.name)]
    const odd = names.find((name) => name !== undefined && /\.| as /.test(name))
    // To Kysely a schema ends at a dot.
    if (odd !== undefined) return `Better Auth cannot ask for a name like "${odd}"`
    const [name] = table?.demands ?? []
    if (name !== undefined) return `${table?.path} demands a value for "${name}"`
  }
  const { type = '' } = user.columns['id'] ?? {}
  return type in generators || /^(text|character varying)$/.test(type)
    ? null
    : `the ids of ${user.path} are of the type ${type}`
}

const generators: Record<string, 'uuid' | 'serial'> = {
  uuid: 'uuid',
  smallint: 'serial',
  integer: 'serial',
  bigint: 'serial',
}

/** The options of Better Auth that say so. */
export function modelsOf(tables: AuthTables) {
  // issuerFault has looked.
  const { user, session, account, verification } = tables as IssuerTables
  const generateId = generators[user.columns['id']?.type ?? '']
  return {
    models: {
      user: modelOf(user),
      session: modelOf(session),
      account: modelOf(account),
      verification: modelOf(verification),
    },
    ids: generateId === undefined ? {} : { generateId },
  }
}

const modelOf = ({ name, columns }: AuthTable) => ({
  modelName: name,
  fields: Object.fromEntries(
    Object.entries(columns)
      .filter(([field, column]) => field !== 'id' && field !== column.name)
      .map(([field, column]) => [field, column.name]),
  ),
})
