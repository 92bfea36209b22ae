// Writes a new cluster to the standard output: a tar archive, compressed with zstd. It is the same, byte for byte, whenever
// and wherever it is made.
import crypto from 'node:crypto'
import { MemoryFS, PGlite } from '@electric-sql/pglite'

// Of the time and of chance initdb makes the number of the cluster, and a secret for sign-ins that nobody can try.
const instant = Date.UTC(2026, 0, 1)
globalThis.Date = new Proxy(Date, {
  construct: (real, given) => Reflect.construct(real, given.length === 0 ? [instant] : given),
  get: (real, name) => (name === 'now' ? () => instant : Reflect.get(real, name)),
})
crypto.randomFillSync = (bytes) => bytes

const files = new MemoryFS()
const database = await PGlite.create({ fs: files, initDbStartParams: ['--wal-segsize=1'] })

// Nobody creates databases here, so nobody needs their templates: two thirds of all files.
for (const template of ['template0', 'template1']) {
  await database.exec(`update pg_database set datistemplate = false where datname = '${template}'`)
  await database.exec(`drop database ${template}`)
}

// Taken when the engine is shut down but its memory still there: a cluster that was stopped in good
// order needs no recovery when it is opened.
const archived = Promise.withResolvers<Blob>()
files.closeFs = async () => archived.resolve(await files.dumpTar('postgres', 'none'))
await database.close()

const archive = await (await archived.promise).bytes()
await Bun.write(Bun.stdout, Bun.zstdCompressSync(archive, { level: 12 }))
