import type { Sql } from './connect.ts'

/** Where Docket's tables, types and functions are, unless DATABASE_SCHEMA says otherwise. Every statement names it. */
export const usualSchema = 'docket'

/** A name as SQL has it. */
export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A statement as it is written, for another schema. */
export const inSchema = (text: string, schema: string): string =>
  schema === usualSchema ? text : text.replace(/\bdocket\./g, `${quote(schema)}.`)

/** The same pool, with the statements written for another schema: each is rewritten once. */
export function withSchema(sql: Sql, schema: string): Sql {
  if (schema === usualSchema) return sql
  const written = new WeakMap<TemplateStringsArray, TemplateStringsArray>()
  const write = (strings: TemplateStringsArray): TemplateStringsArray => {
    const known = written.get(strings)
    if (known !== undefined) return known
    const parts = strings.map((text) => inSchema(text, schema))
    // To the driver it is a statement because it has these too.
    const made = Object.assign(parts, { raw: parts })
    written.set(strings, made)
    return made
  }
  return new Proxy(sql, {
    apply: (target, self, [first, ...rest]) =>
      Reflect.apply(target, self, [isTemplate(first) ? write(first) : first, ...rest]),
    // The statements of a transaction too.
    get: (target, name) =>
      name === 'begin'
        ? (use: (transaction: Sql) => unknown) =>
            target.begin((transaction) => use(withSchema(transaction as unknown as Sql, schema)))
        : Reflect.get(target, name),
  })
}

const isTemplate = (value: unknown): value is TemplateStringsArray =>
  Array.isArray(value) && 'raw' in value
