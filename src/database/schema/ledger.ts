import { createHash } from 'node:crypto'
import postgres from 'postgres'
import { OperatorError } from '../../config.ts'
import type { Sql } from '../connect.ts'
import { remedyOf } from '../gate/faults.ts'
import { inSchema, quote, usualSchema } from '../schema-name.ts'
import { meaning, preludeOf } from '../settings.ts'
import type { SchemaFile } from './files.ts'
import { missingGrant, notOurs, refuseEarlier } from './refusals.ts'

/** A row of the ledger: a file that was applied, once. */
export type Applied = { version: number; name: string; checksum: string; breaking: boolean }

// One arbitrary number that every instance agrees on.
const lock = 7_263_548_190

/** How long, in milliseconds, to wait for an instance that is applying a file. */
const patience = 120_000

/**
 * Applies the schema files that the database has not seen, in order, each once. Safe for any number of instances that
 * start together, also through a pooler in transaction mode: nothing is held from one message to the next.
 * @returns the names of the files that this call applied
 * @throws OperatorError when a file fails or was changed after it was applied, or the database is of a newer Docket.
 * When the connection is lost, this can be called again.
 * @param sql of the same schema
 */
export async function applySchema(
  sql: Sql,
  files: readonly SchemaFile[],
  schema: string = usualSchema,
): Promise<string[]> {
  const names: string[] = []
  let applied = await readLedger(sql, schema)
  if (applied.length === 0) await refuseEarlier(sql, schema)
  for (const file of files) {
    refuseDifferences(files, applied)
    if (applied.some(({ version }) => version === file.version)) continue

    if (await apply(sql, file, schema)) names.push(file.name)
    applied = await readLedger(sql, schema)
  }
  refuseDifferences(files, applied)
  return names
}

/** What was applied to the database so far. */
export async function readLedger(sql: Sql, schema: string = usualSchema): Promise<Applied[]> {
  try {
    return await sql<Applied[]>`
      select version, name, checksum, breaking
      from docket.schema_migrations
      order by version`
  } catch (error) {
    // The table is not there: nothing was applied.
    if (isPostgres(error, '42P01') || isPostgres(error, '3F000')) return []
    if (isPostgres(error, '42703')) throw notOurs(schema, error)
    throw isPostgres(error, '42501') ? await missingGrant(sql, schema) : error
  }
}

/** Applies one file, or waits until another instance has. True: it was this one. */
async function apply(sql: Sql, file: SchemaFile, schema: string): Promise<boolean> {
  const deadline = Date.now() + patience
  for (;;) {
    try {
      await sql.unsafe(message(file, schema)).simple()
      return true
    } catch (error) {
      // Its row in the ledger is there: another instance was faster.
      if (isPostgres(error, '23505') && error.table_name === 'schema_migrations') return false
      if (isPostgres(error, '42501')) throw await missingGrant(sql, schema)
      // A table, a type or a function that is there already, and none of an instance that was faster.
      if (isThere(error)) throw notOurs(schema, error)
      // Another instance holds the lock, or a table that the file needs.
      if (!isPostgres(error, '55P03') || Date.now() > deadline) throw explain(error, file)
      await Bun.sleep(50 + Math.random() * 100)
    }
  }
}

/**
 * A file and its row in the ledger as one message of the simple protocol, which is one transaction: the file is applied
 * whole or not at all, and a connection that is lost leaves nothing open. The lock is tried, not waited for: a session
 * that waits for it would stop CREATE INDEX CONCURRENTLY.
 */
const message = ({ version, name, text, breaking }: SchemaFile, schema: string): string =>
  inSchema(
    `
  ${preludeOf({ ...meaning, statement_timeout: '0', lock_timeout: '5s' }).join(';')};
  do $lock$ begin
    if not pg_try_advisory_xact_lock(${lock}) then
      raise exception 'another instance is applying the schema' using errcode = '55P03';
    end if;
  end $lock$;
  do $schema$ begin
    -- Not "if not exists": that wants the right to make one in any case.
    if to_regnamespace('${quote(schema)}') is null then
      create schema ${quote(schema)};
    end if;
  end $schema$;
  create table if not exists docket.schema_migrations (
    version    integer     primary key,
    name       text        not null,
    checksum   text        not null,
    breaking   boolean     not null,
    applied_at timestamptz not null default now()
  );
  insert into docket.schema_migrations (version, name, checksum, breaking)
  values (${version}, '${name}', '${checksum(text)}', ${breaking});
  ${text}`,
    schema,
  )

/** SHA-256 of the text, the same on a checkout with CRLF. */
export const checksum = (text: string): string =>
  createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex')

function refuseDifferences(files: readonly SchemaFile[], applied: readonly Applied[]): void {
  for (const row of applied) {
    const file = files.find(({ version }) => version === row.version)
    if (file === undefined && row.breaking) {
      throw new OperatorError(
        `Cannot use this database: a newer Docket changed it (${row.name}). Start that version, or a later one.`,
      )
    }
    if (file !== undefined && checksum(file.text) !== row.checksum) {
      throw new OperatorError(
        `Cannot use this database: ${row.name} was changed after it was applied. ` +
          'Put the file back as it was, and make the change in a new one.',
      )
    }
  }
}

const explain = (error: unknown, file: SchemaFile): unknown =>
  error instanceof postgres.PostgresError && remedyOf(error) === 'none'
    ? new OperatorError(`Cannot apply ${file.name}: ${error.message} (SQLSTATE ${error.code}).`)
    : error

const isThere = (error: unknown): error is postgres.PostgresError =>
  ['42P07', '42710', '42723'].some((code) => isPostgres(error, code))

const isPostgres = (error: unknown, code: string): error is postgres.PostgresError =>
  error instanceof postgres.PostgresError && error.code === code
