// Writes a new cluster to the standard output: a tar archive, compressed with zstd.
import { MemoryFS, PGlite } from '@electric-sql/pglite'

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
