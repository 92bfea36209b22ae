/** How a frontend keeps the tables of Better Auth. */
export type Layout = {
  name: string
  generator: 'kysely' | 'drizzle' | 'prisma'
  plural: boolean
  schema: 'public' | 'auth'
  ids: 'text' | 'uuid' | 'serial'
  names: 'camel' | 'snake'
  instants: 'timestamp' | 'timestamptz'
}

// Each generator with each of its values, and each pair of them at least once: not all of 144. Kysely's makes `timestamptz`
// only.
const chosen = `
  kysely  singular public text   camel timestamptz
  kysely  singular public uuid   camel timestamptz
  kysely  singular auth   serial camel timestamptz
  kysely  plural   public serial snake timestamptz
  kysely  plural   auth   uuid   snake timestamptz
  kysely  plural   auth   text   camel timestamptz
  drizzle singular public text   snake timestamp
  drizzle singular public text   camel timestamp
  drizzle singular public uuid   snake timestamptz
  drizzle singular auth   serial snake timestamp
  drizzle plural   public serial snake timestamptz
  drizzle plural   auth   uuid   snake timestamp
  drizzle plural   auth   text   camel timestamptz
  prisma  singular public text   camel timestamp
  prisma  singular public text   snake timestamp
  prisma  singular public uuid   camel timestamptz
  prisma  singular auth   serial camel timestamp
  prisma  plural   public serial snake timestamptz
  prisma  plural   auth   uuid   camel timestamp
  prisma  plural   auth   text   camel timestamptz`

export const layouts: Layout[] = chosen
  .trim()
  .split('\n')
  .map((line) => {
    const words = line.trim().split(/ +/)
    const [generator, number, schema, ids, names, instants] = words
    return {
      name: words.join('-'),
      generator,
      plural: number === 'plural',
      schema,
      ids,
      names,
      instants,
    } as Layout
  })

/**
 * The connection string of the frontend for a database of this layout. Kysely has no other way to a schema than the search
 * path, and Better Auth's page on PostgreSQL shows it; Drizzle's and Prisma's files name the schema themselves.
 */
export function frontendUrl({ generator, schema }: Layout, databaseUrl: string): string {
  const url = new URL(databaseUrl)
  if (generator === 'kysely' && schema !== 'public') {
    url.searchParams.set('options', `-c search_path=${schema}`)
  }
  return url.href
}
