import { type AuthTableNames, type Config, OperatorError } from '../../config.ts'
import type { Sql } from '../connect.ts'
import { quote } from '../schema-name.ts'
import type { AuthTable, AuthTables, Column, Model } from './tables.ts'

// Which tables are Better Auth's: they are known by their columns, whatever their names are.

/** A set, without those of it that this role may not read: nothing is known of them but that they are there. */
export type Found = { tables: AuthTables | null; unreadable: string[] }

/** What to look for. */
export type Wanted = {
  /** Docket's own. */
  schema: string
  /** The schemas of the role's search path, in its order. */
  searchPath: readonly string[]
  /** AUTH_TABLES: a schema, or the names of some tables, each with its schema or without; null: whatever there is. */
  named: Config['authTables']
  /** Whether accounts are made here: then Docket's own tables come first. */
  isIssuer: boolean
}

/** Those that a table of each model has in any case, and those that it may have. */
const fields: Record<Model, { always: string[]; maybe: string[] }> = {
  user: {
    always: ['id', 'name', 'email', 'emailVerified', 'createdAt', 'updatedAt'],
    maybe: ['image', 'isAnonymous'],
  },
  session: {
    always: [
      'id',
      'token',
      'userId',
      'expiresAt',
      'createdAt',
      'updatedAt',
      'ipAddress',
      'userAgent',
    ],
    maybe: [],
  },
  account: {
    always: ['id', 'accountId', 'providerId', 'userId', 'password', 'createdAt', 'updatedAt'],
    maybe: [
      'accessToken',
      'refreshToken',
      'idToken',
      'accessTokenExpiresAt',
      'refreshTokenExpiresAt',
      'scope',
    ],
  },
  verification: {
    always: ['id', 'identifier', 'value', 'expiresAt', 'createdAt', 'updatedAt'],
    maybe: [],
  },
  jwks: {
    always: ['id', 'publicKey', 'privateKey', 'createdAt'],
    maybe: ['expiresAt', 'alg', 'crv'],
  },
}

const models = Object.keys(fields) as Model[]

/** `emailVerified`, `email_verified` and `emailverified` are one. */
const fold = (name: string): string => name.toLowerCase().replaceAll('_', '')

type CatalogTable = {
  schema: string
  name: string
  columns: (Column & { required: boolean })[]
  may_read: boolean
  may_delete: boolean
}

/** All tables that have a column which only some table of Better Auth's has. */
const readCatalog = (sql: Sql): Promise<CatalogTable[]> => sql<CatalogTable[]>`
    select
      n.nspname as schema,
      c.relname as name,
      has_table_privilege(c.oid, 'select') as may_read,
      has_table_privilege(c.oid, 'delete') as may_delete,
      (
        select json_agg(json_build_object(
          'name', a.attname,
          'type', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), null),
          'required', a.attnotnull and not a.atthasdef and a.attidentity = ''
        ) order by a.attnum)
        from pg_catalog.pg_attribute a
        join pg_catalog.pg_type t on t.oid = a.atttypid
        where a.attrelid = c.oid
          and a.attnum > 0
          and not a.attisdropped
      ) as columns
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p')
      and n.nspname !~ '^(pg_|information_schema$)'
      and has_schema_privilege(n.oid, 'usage')
      and exists (
        select
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid
          and not a.attisdropped
          and lower(replace(a.attname, '_', ''))
            = any('{emailverified,useragent,providerid,identifier,publickey}'::text[])
      )
    order by n.nspname, c.relname`

/**
 * The set to work with, where there is one.
 * @throws OperatorError where there are several and nothing says which, or where what AUTH_TABLES names is not there
 */
export async function findAuthTables(sql: Sql, wanted: Wanted): Promise<Found> {
  const all = choose(await readCatalog(sql), wanted)
  if (all === null) return { tables: null, unreadable: [] }
  const has = (model: Model) => all[model]?.mayRead === true
  const readable = Object.fromEntries(
    models.map((model) => [model, has(model) ? all[model] : null]),
  )
  const unreadable = models.flatMap((model) => (has(model) ? [] : (all[model]?.path ?? [])))
  const isSet = has('user') && (has('session') || has('account'))
  return { tables: isSet ? { ...all, ...readable } : null, unreadable }
}

function choose(catalog: CatalogTable[], wanted: Wanted): AuthTables | null {
  const { schema: own, searchPath, named, isIssuer } = wanted
  const inSchemaOf = (schema: string): AuthTables | null =>
    pick(
      catalog.filter((table) => table.schema === schema),
      {},
    )

  if (typeof named === 'string') {
    const found = inSchemaOf(named)
    if (found === null) throw missing(`the schema ${named} has no tables of Better Auth`)
    return found
  }
  if (named !== null) return pickNamed(catalog, named, searchPath, own)

  const ours = inSchemaOf(own)
  if (isIssuer && ours !== null) return ours
  for (const schema of searchPath) {
    const found = schema === own ? null : inSchemaOf(schema)
    if (found !== null) return found
  }
  const others = [...new Set(catalog.map(({ schema }) => schema))]
    .filter((schema) => schema !== own && !searchPath.includes(schema))
    .flatMap((schema) => inSchemaOf(schema) ?? [])
  const [first, second] = others
  if (second !== undefined) {
    const schemas = others.map(({ user }) => user.schema).join(', ')
    throw missing(`there are tables of Better Auth in several schemas (${schemas})`)
  }
  return first ?? ours
}

const missing = (what: string): OperatorError =>
  new OperatorError(`Cannot tell which tables are Better Auth's: ${what}. Set AUTH_TABLES.`)

/** A set of these tables, if there is one: a table of users alone may be anybody's. */
function pick(
  catalog: CatalogTable[],
  given: Partial<Record<Model, AuthTable>>,
): AuthTables | null {
  const find = (model: Model): AuthTable | null =>
    given[model] ??
    only(
      model,
      catalog.flatMap((table) => read(model, table) ?? []),
    )
  const [user, session, account, verification, jwks] = models.map(find) as [
    AuthTable | null,
    AuthTable | null,
    AuthTable | null,
    AuthTable | null,
    AuthTable | null,
  ]
  if (user === null || (session === null && account === null)) return null
  return { user, session, account, verification, jwks }
}

function pickNamed(
  catalog: CatalogTable[],
  named: AuthTableNames,
  searchPath: readonly string[],
  own: string,
): AuthTables {
  const given: Partial<Record<Model, AuthTable>> = {}
  for (const model of models) {
    const name = named[model]
    if (name === undefined) continue
    const table = catalog
      .filter((one) => name === one.name || name === `${one.schema}.${one.name}`)
      .toSorted((a, b) => place(searchPath, a.schema) - place(searchPath, b.schema))[0]
    if (table === undefined) {
      throw missing(`there is no table ${name} with the columns of Better Auth's ${model}`)
    }
    const found = read(model, table)
    if (found === null) {
      const lacks = lacking(model, table).join(', ')
      throw missing(
        `the table ${table.schema}.${table.name} lacks of Better Auth's ${model}: ${lacks}`,
      )
    }
    given[model] = found
  }
  const { schema } = Object.values(given)[0] ?? { schema: own }
  const found = pick(
    catalog.filter((table) => table.schema === schema),
    given,
  )
  if (found === null) throw missing(`beside what is named the schema ${schema} lacks the rest`)
  return found
}

const place = (searchPath: readonly string[], schema: string): number => {
  const index = searchPath.indexOf(schema)
  return index < 0 ? searchPath.length : index
}

/** Of several the one that is called as Better Auth would. */
function only(model: Model, tables: AuthTable[]): AuthTable | null {
  const usual = tables.filter(({ name }) => [model, `${model}s`].includes(fold(name)))
  const [first, second] = usual.length > 0 ? usual : tables
  if (second !== undefined) {
    const names = tables.map(({ schema, name }) => `${schema}.${name}`).join(', ')
    throw missing(`several tables look like its ${model} (${names})`)
  }
  return first ?? null
}

function lacking(model: Model, { columns }: CatalogTable): string[] {
  const names = new Set(columns.map(({ name }) => fold(name)))
  return fields[model].always.filter((field) => !names.has(fold(field)))
}

/** A table as one of the model, if it is one. */
function read(model: Model, table: CatalogTable): AuthTable | null {
  const { schema, name, columns, may_read, may_delete } = table
  if (lacking(model, table).length > 0) return null
  const byName = new Map(columns.map((one) => [fold(one.name), one]))
  const { always, maybe } = fields[model]
  const known = [...always, ...maybe].flatMap((field): [string, Column][] => {
    const found = byName.get(fold(field))
    return found === undefined ? [] : [[field, found]]
  })
  // Other libraries have an instant there.
  if (model === 'user' && byName.get('emailverified')?.type !== 'boolean') return null
  const ours = new Set(known.map(([, one]) => one.name))
  return {
    schema,
    name,
    path: `${quote(schema)}.${quote(name)}`,
    columns: Object.fromEntries(known),
    demands: columns.filter((one) => one.required && !ours.has(one.name)).map((one) => one.name),
    mayRead: may_read,
    mayDelete: may_delete,
  }
}
