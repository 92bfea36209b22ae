import { cpSync } from 'node:fs'
import { resolve } from 'node:path'
import type postgres from 'postgres'
import { browser } from '../support/auth-client.ts'
import { temporaryFolder } from '../support/database.ts'
import type { Layout } from './layouts.ts'

// Frontends on packages of their own: those of better-auth/, installed beside a copy of it.

const folder = temporaryFolder()

/** A bun.lock has no URLs in it: the registry is the one that npm is set to. */
export async function install(): Promise<void> {
  cpSync(resolve('tests/frontends/better-auth'), folder, { recursive: true })
  await run(process.execPath, ['install', '--frozen-lockfile', '--silent'], {})
}

export type Project = { layout: Layout; url: string }

const environmentOf = (projects: Project[]): Record<string, string> => ({
  PROJECTS: JSON.stringify(projects),
})

/** Makes the tables in empty databases, by Better Auth's generators and the tools of such projects. */
export async function layOut(projects: Project[]): Promise<void> {
  await run('node', ['generate.js'], environmentOf(projects))
  await run(process.execPath, ['lay-out.js'], environmentOf(projects))
}

async function run(program: string, args: string[], env: Record<string, string>): Promise<void> {
  const child = Bun.spawn([program, ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) throw new Error(`${args.join(' ')}: ${said.join('')}`)
}

/** Better Auth on tables that were laid out, in a process of that time zone. */
export async function startFrontend(project: Project, secret: string, zone: string) {
  const child = Bun.spawn([process.execPath, 'serve.js'], {
    cwd: folder,
    env: { ...environmentOf([project]), HOME: folder, SECRET: secret, TZ: zone },
    // It ends with whoever holds the other end of its standard input.
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const { value } = await child.stdout.getReader().read()
  const address = new TextDecoder().decode(value).trim()
  return {
    address,
    /** Whoever signs in there. */
    visitor: () => browser(address, address),
    /** Lets a session end so many seconds from now, or before now. */
    expire: async (token: string, seconds: number): Promise<void> => {
      const body = JSON.stringify({ token, seconds })
      const { ok } = await fetch(`${address}/expire`, { method: 'POST', body })
      if (!ok) throw new Error('The session could not be changed.')
    },
    end: async (): Promise<void> => {
      child.kill('SIGKILL')
      await child.exited
    },
  }
}

/** All that a schema consists of, a line for each: relations, columns, constraints, indexes, triggers and functions. */
export async function catalogOf(sql: postgres.Sql, schema: string): Promise<string> {
  const rows = await sql<{ line: string }[]>`
    with relations as (
      select oid, relname, relkind, relowner, relacl
      from pg_class
      where relnamespace = ${schema}::regnamespace
    )
    select concat_ws(' ', 'relation', relname, relkind, relowner::regrole, relacl) as line
    from relations
    union all
    select concat_ws(' ', 'column', relname, attnum, attname, format_type(atttypid, atttypmod),
      case when attnotnull then 'not null' end, attidentity, attacl, pg_get_expr(adbin, adrelid))
    from relations
    join pg_attribute on attrelid = relations.oid and attnum > 0
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind = 'r'
    union all
    select concat_ws(' ', 'constraint', relname, conname, pg_get_constraintdef(pg_constraint.oid))
    from relations
    join pg_constraint on conrelid = relations.oid
    union all
    select concat_ws(' ', 'index', relname, pg_get_indexdef(indexrelid))
    from relations
    join pg_index on indrelid = relations.oid
    union all
    select concat_ws(' ', 'trigger', relname, pg_get_triggerdef(pg_trigger.oid))
    from relations
    join pg_trigger on tgrelid = relations.oid
    where not tgisinternal
    union all
    select concat_ws(' ', 'function', proname, pg_get_function_arguments(oid))
    from pg_proc
    where pronamespace = ${schema}::regnamespace
    order by line`
  return rows.map(({ line }) => line).join('\n')
}

/** All rows of a schema's tables, as text. */
export async function rowsOf(sql: postgres.Sql, schema: string): Promise<string> {
  const [row] = await sql<
    { xml: string }[]
  >`select schema_to_xml(${schema}, true, false, '')::text as xml`
  return row?.xml ?? ''
}
