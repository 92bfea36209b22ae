import { closeSync, fdatasyncSync, openSync } from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { createSharedMemory } from './shared-memory.ts'

type Node = { mode: number; parent: { name: string } }
type Stream = { nfd: number; node: Node; flags: number }

type Written = [buffer: unknown, offset: number, length: number, at: number]

/** Open files of the engine, as the part of Emscripten that maps them to the disk sees them. */
type NodeFiles = {
  tryFSOperation: (operation: () => void) => void
  realPath: (node: Node) => string
  node_ops: { setattr: (node: Node, ...what: unknown[]) => void }
  stream_ops: {
    open: (stream: Stream) => void
    setattr: (stream: Stream, ...what: unknown[]) => void
    fsync?: (stream: Stream) => number
    write: (stream: Stream, ...what: Written) => number
  }
}

// Emscripten's, in what a file is opened with and in what kind of file it is.
const truncates = 0o1000
const kinds = 0o170000
const aFolder = 0o040000

const logFolder = 'pg_wal'

/** How many files go to the disk at a time while the engine goes on. */
const lanes = 8

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
  let logged = 0
  let paths = (): string[] => []
  let started: WebAssembly.Instance | undefined
  /**
   * Whether segments of the log may have names that are not on the disk. A checkpoint gives many of them other ones, and forces each
   * to the disk; here they all go there together, before anything is that is in a file. One who was killed may have left some.
   */
  let isRenamed = true
  const log = resolve(cluster, logFolder)
  const memory = createSharedMemory()

  /** Of a page that is filled little by little each commit writes all of it. */
  let lastLogged: { node: Node; end: number } | undefined
  function countLog(node: Node, ...[, , length, at]: Written) {
    const end = at + length
    const before = lastLogged?.node === node ? lastLogged.end : at
    logged += Math.max(0, end - before)
    lastLogged = { node, end: Math.max(end, before) }
  }

  /** Some at a time: where somebody always asks, each step of one waits for a statement, and all other upkeep for the last. */
  async function settle() {
    const left = paths()
    const lane = async () => {
      for (let path = left.pop(); path !== undefined; path = left.pop()) await force(path)
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  }

  /** A file may be gone by now. Any other failure says that what PostgreSQL wrote is lost: it must not go on. */
  async function force(path: string) {
    // For writing: else Windows refuses.
    const file = await openFile(path, 'r+').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    await file?.datasync().finally(() => file.close())
  }

  function watch(files: NodeFiles) {
    const written = new Set<Node>()
    /** Files that are on the disk as they are: a checkpoint forces there, twice, what it gives another name. */
    const safe = new WeakSet<Node>()
    const { node_ops, stream_ops } = files
    const { open, setattr, write } = stream_ops
    const { setattr: setattrOfNode } = node_ops
    stream_ops.open = (stream) => {
      if (stream.flags & truncates) safe.delete(stream.node)
      open(stream)
    }
    stream_ops.setattr = (stream, ...what) => {
      safe.delete(stream.node)
      setattr(stream, ...what)
    }
    node_ops.setattr = (node, ...what) => {
      safe.delete(node)
      setattrOfNode(node, ...what)
    }
    stream_ops.write = (stream, ...what) => {
      safe.delete(stream.node)
      written.add(stream.node)
      if (stream.node.parent.name === logFolder) countLog(stream.node, ...what)
      return write(stream, ...what)
    }
    stream_ops.fsync = ({ nfd, node }) => {
      if (safe.has(node)) return 0
      const isFolder = (node.mode & kinds) === aFolder
      // The list of names that is a folder: Windows does not force it to the disk.
      if (isFolder && process.platform === 'win32') return 0
      if (isFolder && resolve(files.realPath(node)) === log) {
        isRenamed = true
        return 0
      }
      // Turns a failure into PostgreSQL's EIO, on which it rightly stops (PANIC).
      files.tryFSOperation(() => {
        if (isRenamed) syncFolder(log)
        isRenamed = false
        fdatasyncSync(nfd)
      })
      syncs += 1
      // What is in a folder changes in other ways.
      if (!isFolder) safe.add(node)
      return 0
    }
    paths = () => {
      const found = [...written].filter((node) => !safe.has(node))
      written.clear()
      return found.map((node) => files.realPath(node))
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

  return { fs, syncs: () => syncs, logged: () => logged, settle, memory, addressOf }
}

/** Forces the names in a folder to the disk. */
function syncFolder(path: string) {
  // Windows has no such thing.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fdatasyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
