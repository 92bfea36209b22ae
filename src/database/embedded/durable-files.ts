import { fdatasyncSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { createSharedMemory } from './shared-memory.ts'

type Node = { mode: number }
type Stream = { nfd: number; node: Node }

/** Open files of the engine, as the part of Emscripten that maps them to the disk sees them. */
type NodeFiles = {
  tryFSOperation: (operation: () => void) => void
  realPath: (node: Node) => string
  stream_ops: {
    fsync?: (stream: Stream) => number
    write: (stream: Stream, ...what: unknown[]) => number
  }
}

type Received = (instance: WebAssembly.Instance, module: WebAssembly.Module) => void

/** What Emscripten is started with, as far as it matters here. */
type Options = {
  preRun?: ((module: { NODEFS: NodeFiles }) => void)[]
  wasmMemory?: WebAssembly.Memory
  instantiateWasm?: (imports: object, received: Received) => object
}

/**
 * The folder of the cluster as the engine's file system, with an fsync that reaches the disk: PGlite's own has none
 * (electric-sql/pglite#1107). It is also where PGlite can be given a memory that other threads see.
 */
export function durableFiles(cluster: string) {
  let syncs = 0
  let paths = (): string[] => []
  let started: WebAssembly.Instance | undefined
  const memory = createSharedMemory()

  /** A file may be gone by now. Any other failure says that what PostgreSQL wrote is lost: it must not go on. */
  async function settle() {
    for (const path of paths()) {
      // For writing: else Windows refuses.
      const file = await open(path, 'r+').catch((error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
        throw error
      })
      await file?.datasync().finally(() => file.close())
    }
  }

  function watch(files: NodeFiles) {
    const written = new Set<Node>()
    const { write } = files.stream_ops
    files.stream_ops.write = (stream, ...what) => {
      written.add(stream.node)
      return write(stream, ...what)
    }
    files.stream_ops.fsync = ({ nfd, node }) => {
      // The list of names that is a folder: Windows does not force it to the disk.
      if (process.platform === 'win32' && (node.mode & 0o170000) === 0o040000) return 0
      // Turns a failure into PostgreSQL's EIO, on which it rightly stops (PANIC).
      files.tryFSOperation(() => fdatasyncSync(nfd))
      syncs += 1
      return 0
    }
    paths = () => {
      const found = Array.from(written, (node) => files.realPath(node))
      written.clear()
      return found
    }
  }

  const fs = new NodeFS(cluster)
  const init = fs.init.bind(fs)
  fs.init = async (database, given) => {
    const { emscriptenOpts } = await init(database, given)
    // Emscripten's types are not installed; a test counts syncs, and another one stops a statement by the memory.
    const options = emscriptenOpts as Options
    options.preRun?.unshift(({ NODEFS }) => watch(NODEFS))
    options.wasmMemory = memory
    const { instantiateWasm } = options
    options.instantiateWasm = (imports, received) =>
      instantiateWasm?.(imports, (instance, module) => {
        started = instance
        received(instance, module)
      }) ?? {}
    return { emscriptenOpts }
  }

  /** Where in the memory a variable of PostgreSQL's is, in bytes. */
  function addressOf(name: string): number {
    const address = started?.exports[name]
    if (address instanceof WebAssembly.Global) return Number(address.value)
    throw new Error(`Cannot find ${name} in the engine.`)
  }

  return { fs, syncs: () => syncs, settle, memory, addressOf }
}
