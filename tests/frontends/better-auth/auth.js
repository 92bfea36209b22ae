import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { drizzleAdapter } from 'better-auth/adapters/drizzle'
import { prismaAdapter } from 'better-auth/adapters/prisma'
import { getAuthTables } from 'better-auth/db'
import { anonymous, bearer, jwt } from 'better-auth/plugins'
import { drizzle } from 'drizzle-orm/node-postgres'
import pg from 'pg'

/** One for each of the layouts and databases that the program was started with. */
export const projects = JSON.parse(process.env.PROJECTS).map(projectOf)

export const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What a project has that keeps the tables of Better Auth in such a way. */
function projectOf({ layout, url }) {
  const folder = resolve('layouts', layout.name)
  mkdirSync(folder, { recursive: true })
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  const kinds = {
    kysely: {
      /** What the generator writes. */
      file: join(folder, 'tables.sql'),
      /** What the project's tool makes of that file. */
      make: async () => {},
      configure: () => ({ database: pool, ...namesOf(layout) }),
    },
    drizzle: {
      file: join(folder, 'schema.ts'),
      make: () => import(join(folder, 'schema.ts')),
      configure: (tables) => ({
        database: drizzleAdapter(drizzle(pool), {
          provider: 'pg',
          schema: tables,
          usePlural: layout.plural,
          camelCase: layout.names === 'camel',
          ...(layout.schema === 'public' ? {} : { schemaName: layout.schema }),
        }),
        plugins: [bearer(), anonymous(), jwt()],
      }),
    },
    prisma: {
      file: join(folder, 'schema.prisma'),
      make: async () => {
        const { PrismaClient } = await import(join(folder, 'client/client.ts'))
        return new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
      },
      configure: (client) => ({
        database: prismaAdapter(client, { provider: 'postgresql', usePlural: layout.plural }),
        plugins: [bearer(), anonymous(), jwt()],
      }),
    },
  }
  const { file, make, configure } = kinds[layout.generator]
  return {
    layout,
    url,
    pool,
    file,
    make,
    optionsOf: (made = {}) => optionsOf(layout, configure(made)),
  }
}

const optionsOf = ({ ids }, own) => ({
  ...own,
  emailAndPassword: { enabled: true },
  user: { ...own.user, deleteUser: { enabled: true } },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { disabled: true },
  advanced: ids === 'text' ? {} : { database: { generateId: ids } },
})

/** With Kysely, names other than Better Auth's own are given table by table. `jwks` is a plural already. */
function namesOf({ plural, names }) {
  const tables = getAuthTables({ plugins: [jwt()] })
  const { jwks, ...core } = Object.fromEntries(
    Object.entries(tables).map(([table, { fields }]) => [
      table,
      {
        ...(plural && table !== 'jwks' ? { modelName: `${table}s` } : {}),
        ...(names === 'snake'
          ? { fields: Object.fromEntries(Object.keys(fields).map((name) => [name, snake(name)])) }
          : {}),
      },
    ]),
  )
  const isAnonymous = names === 'snake' ? 'is_anonymous' : 'isAnonymous'
  return {
    ...core,
    plugins: [
      bearer(),
      anonymous({ schema: { user: { fields: { isAnonymous } } } }),
      jwt({ schema: { jwks } }),
    ],
  }
}
