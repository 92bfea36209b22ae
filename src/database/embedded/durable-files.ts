import { fdatasyncSync } from 'node:fs'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** Open files of the engine, as the part of Emscripten that maps them to the disk sees them. */
type NodeFiles = {
  tryFSOperation: (operation: () => void) => void
  stream_ops: { fsync?: (stream: { nfd: number }) => number }
}

/**
 * The folder of the cluster as the engine's file system, with an fsync that reaches the disk:
 * PGlite's own has none (electric-sql/pglite#1107). `synced` is called after each one.
 */
export function durableFiles(cluster: string, synced: () => void): NodeFS {
  const files = new NodeFS(cluster)
  const init = files.init.bind(files)
  files.init = async (database, options) => {
    const { emscriptenOpts } = await init(database, options)
    emscriptenOpts.preRun?.unshift((module) => {
      // Emscripten's types are not installed; the two members are in its NODEFS, and a test counts.
      const nodeFiles = module.NODEFS as NodeFiles
      nodeFiles.stream_ops.fsync = ({ nfd }) => {
        // Turns a failure into PostgreSQL's EIO, on which it rightly stops (PANIC).
        nodeFiles.tryFSOperation(() => fdatasyncSync(nfd))
        synced()
        return 0
      }
    })
    return { emscriptenOpts }
  }
  return files
}
