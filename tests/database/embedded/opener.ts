// Opens the folder and says so, as a user without rights if that is asked for.
import { startEmbedded } from '../../../src/database/embedded/start.ts'

const [folder = '', asNobody] = process.argv.slice(2)
if (asNobody && process.getuid?.() === 0) process.setuid?.(65534)

try {
  await startEmbedded(folder, () => process.exit(70))
  console.log('opened')
} catch (error) {
  console.log(error instanceof Error ? error.message : error)
  process.exit(1)
}
