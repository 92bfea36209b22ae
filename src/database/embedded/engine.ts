import { PGlite } from '@electric-sql/pglite'
import data from '@electric-sql/pglite/pglite.data' with { type: 'file' }
import wasm from '@electric-sql/pglite/pglite.wasm' with { type: 'file' }
import { planning } from '../settings.ts'
import { throwOnDeath } from './death.ts'
import { durableFiles } from './durable-files.ts'
import { type Bytes, join } from './protocol.ts'

export type Engine = {
  /** Runs whole messages of the protocol and returns the answer. Rejects once the engine is dead. */
  run: (messages: Uint8Array) => Promise<Bytes>
  /** How often something was forced to the disk so far. */
  syncs: () => number
  close: () => Promise<void>
}

const settings = {
  fsync: 'on',
  // The only method that works: Emscripten's fdatasync and O_DSYNC do nothing.
  wal_sync_method: 'fsync',
  max_wal_size: '64MB',
  min_wal_size: '32MB',
  // All of it is touched at the start: the default of 128 MB costs 100 MB of memory.
  shared_buffers: '32MB',
  TimeZone: 'UTC',
  // PostgreSQL cannot see how much stack the thread has (a few MB, not to be changed in Bun). With its
  // smallest limit most runaway recursions are an error to the client, not the death of the engine.
  max_stack_depth: '100kB',
  ...planning,
}

const startParams = [
  // -F turns fsync off.
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

// PGlite wants initdb even where the cluster exists. This is the smallest module there is.
const emptyModule = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])

/** Opens the cluster in a folder. Blocks its thread while it works: run it in a worker. */
export async function openEngine(cluster: string): Promise<Engine> {
  let syncs = 0
  let lastWords: string | undefined
  const database = new PGlite({
    fs: durableFiles(cluster, () => syncs++),
    startParams,
    pgliteWasmModule: await WebAssembly.compile(await Bun.file(wasm).arrayBuffer()),
    initdbWasmModule: await WebAssembly.compile(emptyModule),
    fsBundle: Bun.file(data),
    onStderr: (line) => {
      lastWords = line.match(/\b(?:FATAL|PANIC):.*/)?.[0] ?? lastWords
      return false
    },
  })
  const explain = (error: unknown) => new Error(lastWords ?? String(error), { cause: error })
  await database.waitReady.catch((error: unknown) => {
    throw explain(error)
  })

  throwOnDeath(database)

  async function run(messages: Uint8Array): Promise<Bytes> {
    const output: Uint8Array[] = []
    const onRawData = (bytes: Uint8Array) => output.push(bytes.slice())
    try {
      await database.execProtocolRawStream(messages, { syncToFs: false, onRawData })
    } catch (error) {
      throw explain(error)
    }
    return join(output)
  }

  return { run, syncs: () => syncs, close: () => database.close() }
}
