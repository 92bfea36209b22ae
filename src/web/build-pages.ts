// For the build: makes the pages and prints their path, for `bun build --asset`.
import { join } from 'node:path'
import { writeFiles } from './bundle.ts'

console.log(await writeFiles(join(import.meta.dir, '..', '..', 'node_modules', '.cache', 'docket')))
