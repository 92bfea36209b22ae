import { PGlite } from '@electric-sql/pglite'
import data from '@electric-sql/pglite/pglite.data' with { type: 'file' }
import wasm from '@electric-sql/pglite/pglite.wasm' with { type: 'file' }
import { isolation, meaning, planning } from '../settings.ts'
import { throwOnDeath } from './death.ts'
import { durableFiles } from './durable-files.ts'
import { createInterrupts, enter, type Interrupts, leave, type Work } from './interrupts.ts'
import { type Bytes, join } from './protocol.ts'
import { withSharedMemory } from './shared-memory.ts'
import { giveBack } from './unused-memory.ts'

export type Engine = {
  /** Runs whole messages of the protocol and returns the answer. Rejects once the engine is dead. */
  run: (messages: Uint8Array) => Promise<Bytes>
  /** The same for upkeep, which may be stopped, and does not begin when somebody waits already. */
  tend: (messages: Uint8Array, isWanted: () => boolean) => Promise<Bytes | undefined>
  /** How often something was forced to the disk so far. */
  syncs: () => number
  /** How many bytes of the log were written so far. */
  logged: () => number
  /** Forces to the disk what was written to files, while the engine goes on: a checkpoint after it has little to wait for. */
  settle: () => Promise<void>
  interrupts: Interrupts
  /** Lets go of memory that nothing was put into so far. Before anybody else has the `interrupts`. */
  rest: () => void
  close: () => Promise<void>
}

const settings = {
  fsync: 'on',
  // The only method that works: Emscripten's fdatasync and O_DSYNC do nothing.
  wal_sync_method: 'fsync',
  max_wal_size: '64MB',
  min_wal_size: '32MB',
  // While a backup is made nothing of it is removed: no more than this, if the backup goes to somebody slow.
  max_slot_wal_keep_size: '4GB',
  // PostgreSQL cannot see how much stack the thread has (a few MB, not to be changed in Bun). With its
  // smallest limit most runaway recursions are an error to the client, not the death of the engine.
  max_stack_depth: '100kB',
  ...meaning,
  default_transaction_isolation: isolation,
  ...planning,
}

const startParams = (buffers: number) => [
  // -F turns fsync off.
  ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
  ...Object.entries({ ...settings, shared_buffers: `${buffers}MB` }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]),
]

// PGlite wants initdb even where the cluster exists. This is the smallest module there is.
const emptyModule = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])

/** Where PostgreSQL looks for its own libraries, of which PL/pgSQL is one. */
const libraries = '/pglite/lib/postgresql'

/**
 * Opens the cluster in a folder. Blocks its thread while it works: run it in a worker.
 * @param buffers megabytes of pages to keep at hand
 */
export async function openEngine(cluster: string, buffers: number): Promise<Engine> {
  let lastWords: string | undefined
  const files = durableFiles(cluster)
  const database = new PGlite({
    fs: files.fs,
    startParams: startParams(buffers),
    pgliteWasmModule: await WebAssembly.compile(withSharedMemory(await Bun.file(wasm).bytes())),
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
  shareLibraries(database)
  const interrupts = createInterrupts(files.memory, {
    cancel: files.addressOf('QueryCancelPending'),
    pending: files.addressOf('InterruptPending'),
  })

  async function execute(messages: Uint8Array): Promise<Bytes> {
    const output: Uint8Array[] = []
    const onRawData = (bytes: Uint8Array) => output.push(bytes.slice())
    try {
      await database.execProtocolRawStream(messages, { syncToFs: false, onRawData })
    } catch (error) {
      throw explain(error)
    }
    return join(output)
  }

  async function during<T>(work: Work, use: () => Promise<T>): Promise<T> {
    enter(interrupts, work)
    try {
      return await use()
    } finally {
      leave(interrupts, work)
    }
  }

  return {
    run: (messages) => during('statement', () => execute(messages)),
    tend: (messages, isWanted) =>
      // Asked only now: who comes from here on sees what the engine is at.
      during('upkeep', async () => (isWanted() ? undefined : execute(messages))),
    syncs: files.syncs,
    logged: files.logged,
    settle: files.settle,
    interrupts,
    rest: () => {
      const address = interrupts.memory[files.addressOf('BufferBlocks') / 4] ?? 0
      giveBack(new Uint8Array(interrupts.memory.buffer, address, buffers * 1024 * 1024))
    },
    close: () => database.close(),
  }
}

/** PostgreSQL loads each of them when it is first of use: into the memory that there is, which is shared. */
function shareLibraries({ Module: { FS } }: PGlite) {
  for (const name of FS.readdir(libraries)) {
    if (!name.endsWith('.so')) continue
    const path = `${libraries}/${name}`
    FS.writeFile(path, withSharedMemory(FS.readFile(path)))
  }
}
