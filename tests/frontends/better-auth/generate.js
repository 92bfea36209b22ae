import { writeFileSync } from 'node:fs'
import { projects } from './auth.js'

// `npx auth generate` in each project. Not with Bun, which prints functions otherwise: by the text `new Date()` in one, the
// generator for Drizzle knows that a column has the default now().

/** Node.js 20 has none, and a parser that the generators use asks for it. */
Object.groupBy ??= (items, keyOf) => {
  const groups = {}
  for (const item of items) (groups[keyOf(item)] ??= []).push(item)
  return groups
}
const { generateSchema } = await import('auth/api')

for (const { layout, file, optionsOf } of projects) {
  const options = optionsOf()
  const adapter = layout.generator === 'kysely' ? { id: 'kysely' } : options.database(options)
  const { code } = await generateSchema({ adapter, options, file })
  writeFileSync(file, code)
}
process.exit()
