import { readFileSync, writeFileSync } from 'node:fs'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg'
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { projects, snake } from './auth.js'

// What each project does with its generated file: lets its own tool turn it into SQL, and runs that.

const statementsOf = {
  kysely: ({ layout: { schema }, file }) => {
    const tables = readFileSync(file, 'utf8')
    return schema === 'public' ? tables : `create schema ${schema}; ${tables}`
  },

  drizzle: async ({ layout: { instants }, file, make }) => {
    if (instants === 'timestamptz') {
      edit(file, [[/timestamp\(([^)]+)\)/g, 'timestamp($1, { withTimezone: true })']])
    }
    const statements = await generateMigration(
      generateDrizzleJson({}),
      generateDrizzleJson(await make()),
    )
    return statements.join('\n')
  },

  prisma: async ({ layout: { instants, names, schema }, file, url }) => {
    const edits = [[/generator client \{/, '$&\n  output = "./client"']]
    if (instants === 'timestamptz') edits.push([/ DateTime\??/g, '$& @db.Timestamptz(3)'])
    if (names === 'snake') {
      edits.push([/^ +([a-z]+[A-Z]\w*) .*$/gm, (line, name) => `${line} @map("${snake(name)}")`])
    }
    if (schema !== 'public') {
      edits.push([/provider = "postgresql"/, `$&\n  schemas = ["${schema}"]`])
      edits.push([/ *@@map\(/g, `  @@schema("${schema}")\n$&`])
    }
    edit(file, edits)
    await generateClient(file)
    return migrate(file, url)
  },
}

/** What the generator has no option for, people write into its file. */
function edit(file, edits) {
  const text = readFileSync(file, 'utf8')
  writeFileSync(
    file,
    edits.reduce((edited, [from, to]) => edited.replace(from, to), text),
  )
}

/** `prisma generate`. It uses no engine for that, but loads one from the network unless told where one is. */
async function generateClient(file) {
  const child = Bun.spawn(
    [process.execPath, '--bun', 'node_modules/.bin/prisma', 'generate', '--schema', file],
    { env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath }, stderr: 'pipe' },
  )
  const said = await Promise.all([child.stdout.text(), child.stderr.text()])
  if ((await child.exited) !== 0) throw new Error(said.join(''))
}

/** `prisma migrate diff --from-empty --script`, by the engine of the same commit that is published as WebAssembly. */
async function migrate(file, url) {
  const content = readFileSync(file, 'utf8')
  const prisma = await engine.SchemaEngine.new(
    { datamodels: [[file, content]] },
    () => {},
    bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString: url })),
  )
  const { stdout } = await prisma.diff({
    from: { tag: 'empty' },
    to: { tag: 'schemaDatamodel', files: [{ path: file, content }] },
    script: true,
    exitCode: null,
    filters: { externalTables: [], externalEnums: [] },
  })
  return stdout
}

const code = import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
const { instance } = await WebAssembly.instantiate(
  readFileSync(new URL(code.replace(/js$/, 'wasm'))),
  { './schema_engine_bg.js': engine },
)
engine.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()

for (const project of projects) {
  await project.pool.query(await statementsOf[project.layout.generator](project))
}
process.exit()
