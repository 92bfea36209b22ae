// Writes rows without an end, and prints the number of each one that was acknowledged.
import { writeSync } from 'node:fs'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { connect } from './client.ts'

const sql = connect(await startEmbedded(process.argv[2] ?? '', () => process.exit(70)))
await sql`create table if not exists public.rows (id bigint generated always as identity, note text)`

async function write() {
  for (;;) {
    const [row] = await sql.begin(
      async (tx) => tx<{ id: string }[]>`
        insert into public.rows (note) values (${'x'.repeat(200)}) returning id`,
    )
    writeSync(1, `${row?.id}\n`)
  }
}

await Promise.all(Array.from({ length: 4 }, write))
