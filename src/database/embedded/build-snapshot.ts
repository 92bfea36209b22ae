// For the build: makes sure that the snapshot exists and prints its path, for `bun build --asset`.
import { ensureSnapshot } from './snapshot.ts'

console.log(await ensureSnapshot())
