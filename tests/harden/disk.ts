import { mock } from 'bun:test'
import realFs from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'

// A disk that loses its power: it notes what the engine writes and what it forces to the disk, and can say afterwards what may have been
// there at any moment. What was not forced is there or not, page by page and name by name.

/** A file or a folder, whatever its name: what is in it now, if it is one, what was at the beginning, and where that is kept. */
type Inode = {
  entries: Map<string, Inode> | null
  first: ReadonlyMap<string, Inode>
  kept: string | null
}

type Operation =
  | { kind: 'write'; inode: Inode; at: number; bytes: Buffer }
  | { kind: 'truncate'; inode: Inode; size: number }
  | { kind: 'link'; folder: Inode; name: string; inode: Inode }
  | { kind: 'unlink'; folder: Inode; name: string }
  | { kind: 'rename'; folder: Inode; from: string; to: string; inode: Inode }
  | { kind: 'sync'; inode: Inode }
  | { kind: 'mark'; label: number }

type Content = Extract<Operation, { kind: 'write' | 'truncate' }>
type Naming = Extract<Operation, { kind: 'link' | 'unlink' | 'rename' }>

/** What happens to something that was not forced: whether it is on the disk. */
export type Fate = (what: 'page' | 'name') => boolean

const page = 4096

/** All functions of Node's through which the engine changes files. PGlite has them from `require`, which gives this object. */
const fs = createRequire(import.meta.url)('node:fs') as typeof realFs
const original = { ...fs }

/**
 * Begins to note what happens in a folder, all of which is on the disk now. Call it before the engine is imported.
 * @param copy another folder with the same in it, which stays
 */
export function watchDisk(root: string, copy: string) {
  const log: Operation[] = []
  const top = read(copy)
  const open = new Map<number, Inode>()

  function read(path: string): Inode {
    const entries = new Map<string, Inode>()
    for (const entry of original.readdirSync(path, { withFileTypes: true })) {
      const child = join(path, entry.name)
      const file = { entries: null, first: new Map(), kept: child }
      entries.set(entry.name, entry.isDirectory() ? read(child) : file)
    }
    return { entries, first: new Map(entries), kept: path }
  }

  function find(path: unknown): Inode | undefined {
    const way = relative(root, String(path))
    if (way.startsWith('..')) return undefined
    let inode: Inode | undefined = top
    for (const name of way.split('/').filter(Boolean)) inode = inode?.entries?.get(name)
    return inode
  }

  const folderOf = (path: unknown): Inode | undefined => find(dirname(String(path)))

  function link(path: unknown, entries: Inode['entries']) {
    const folder = folderOf(path)
    if (folder?.entries == null) return
    const inode = { entries, first: new Map(), kept: null }
    const name = basename(String(path))
    folder.entries.set(name, inode)
    log.push({ kind: 'link', folder, name, inode })
  }

  function unlink(path: unknown) {
    const folder = folderOf(path)
    const name = basename(String(path))
    if (folder?.entries?.delete(name)) log.push({ kind: 'unlink', folder, name })
  }

  const truncate = (inode: Inode | undefined, size: number) => {
    if (inode !== undefined) log.push({ kind: 'truncate', inode, size })
  }

  const sync = (fd: number) => {
    const inode = open.get(fd)
    if (inode !== undefined) log.push({ kind: 'sync', inode })
  }

  const patched = {
    openSync(path: string, flags: string | number, mode?: number) {
      const before = find(path)
      const fd = original.openSync(path, flags, mode)
      const bits = typeof flags === 'number' ? flags : 0
      if (before === undefined && bits & original.constants.O_CREAT) link(path, null)
      if (before !== undefined && bits & original.constants.O_TRUNC) truncate(before, 0)
      const inode = find(path)
      if (inode !== undefined) open.set(fd, inode)
      return fd
    },
    closeSync(fd: number) {
      open.delete(fd)
      original.closeSync(fd)
    },
    writeSync(fd: number, buffer: Uint8Array, offset: number, length: number, at: number) {
      const written = original.writeSync(fd, buffer, offset, length, at)
      const inode = open.get(fd)
      const start = offset ?? 0
      const bytes = Buffer.from(buffer.slice(start, start + written))
      if (inode !== undefined) log.push({ kind: 'write', inode, at, bytes })
      return written
    },
    ftruncateSync(fd: number, size: number) {
      original.ftruncateSync(fd, size)
      truncate(open.get(fd), size)
    },
    truncateSync(path: string, size: number) {
      original.truncateSync(path, size)
      truncate(find(path), size)
    },
    // Emscripten makes files with it, empty ones.
    writeFileSync(path: string, data: string, options: object) {
      const before = find(path)
      original.writeFileSync(path, data, options)
      if (before === undefined) link(path, null)
      else truncate(before, 0)
    },
    mkdirSync(path: string, mode: number) {
      original.mkdirSync(path, mode)
      link(path, new Map())
    },
    rmdirSync(path: string) {
      original.rmdirSync(path)
      unlink(path)
    },
    unlinkSync(path: string) {
      original.unlinkSync(path)
      unlink(path)
    },
    renameSync(from: string, to: string) {
      original.renameSync(from, to)
      const folder = folderOf(from)
      const inode = find(from)
      if (folder?.entries == null || inode === undefined) return
      if (folder !== folderOf(to)) throw new Error('Cannot follow a file into another folder.')
      const names = { from: basename(from), to: basename(to) }
      folder.entries.delete(names.from)
      folder.entries.set(names.to, inode)
      log.push({ kind: 'rename', folder, ...names, inode })
    },
    fdatasyncSync(fd: number) {
      original.fdatasyncSync(fd)
      sync(fd)
    },
    fsyncSync(fd: number) {
      original.fsyncSync(fd)
      sync(fd)
    },
  }
  // How they are declared differs in what is of no use to the engine.
  Object.assign(fs, patched)
  void mock.module('node:fs', () => ({ ...original, ...patched, default: fs }))

  return {
    /** How much has happened. */
    length: () => log.length,
    mark: (label: number) => void log.push({ kind: 'mark', label }),
    log,
    top,
  }
}

type Disk = Pick<ReturnType<typeof watchDisk>, 'log' | 'top'>

/**
 * Goes through the log once, and gives at each cut, which are sorted, what a disk without power may have: a function that writes it
 * to a folder, and the marks that were made before.
 * @param strict the folder in which a name is on the disk only when that folder was forced there. In others, as file systems have it,
 * what is forced is found under the name that it has.
 */
export async function replay(
  { log, top }: Disk,
  cuts: number[],
  strict: string,
  visit: (
    cut: number,
    marks: readonly number[],
    write: (folder: string, fate: Fate) => void,
  ) => Promise<void>,
) {
  const contents = new Map<Inode, Buffer>()
  const pending = new Map<Inode, Content[]>()
  const names = new Map<Inode, Map<string, Inode>>()
  const renamed = new Map<Inode, Naming[]>()
  const parents = new Map<Inode, Inode>()
  const marks: number[] = []
  const strictFolder = top.first.get(strict)

  start(top)
  function start(inode: Inode) {
    if (inode.kept === null) return
    if (inode.entries === null) return void contents.set(inode, original.readFileSync(inode.kept))
    names.set(inode, new Map(inode.first))
    for (const child of inode.first.values()) {
      parents.set(child, inode)
      start(child)
    }
  }

  const contentOf = (inode: Inode): Buffer => contents.get(inode) ?? Buffer.alloc(0)
  const namesOf = (inode: Inode): Map<string, Inode> => names.get(inode) ?? new Map()
  const add = <T>(map: Map<Inode, T[]>, inode: Inode, operation: T) => {
    const list = map.get(inode)
    if (list === undefined) map.set(inode, [operation])
    else list.push(operation)
  }

  function sync(inode: Inode) {
    let bytes = contentOf(inode)
    for (const operation of pending.get(inode) ?? []) bytes = apply(bytes, operation, () => true)
    contents.set(inode, bytes)
    pending.delete(inode)
    if (renamed.has(inode)) {
      names.set(
        inode,
        rename(namesOf(inode), renamed.get(inode) ?? [], () => true),
      )
      renamed.delete(inode)
    }
    reach(inode)
  }

  /** What was forced is found. */
  function reach(inode: Inode) {
    const folder = parents.get(inode)
    if (folder === undefined || folder === strictFolder) return
    const [own, others] = [[] as Naming[], [] as Naming[]]
    for (const operation of renamed.get(folder) ?? []) {
      ;('inode' in operation && operation.inode === inode ? own : others).push(operation)
    }
    names.set(
      folder,
      rename(namesOf(folder), own, () => true),
    )
    renamed.set(folder, others)
    reach(folder)
  }

  let next = 0
  for (const cut of cuts) {
    for (; next < cut; next += 1) {
      const operation = log[next]
      switch (operation?.kind) {
        case 'write':
        case 'truncate':
          add(pending, operation.inode, operation)
          break
        case 'link':
          parents.set(operation.inode, operation.folder)
          add(renamed, operation.folder, operation)
          break
        case 'unlink':
        case 'rename':
          add(renamed, operation.folder, operation)
          break
        case 'sync':
          sync(operation.inode)
          break
        case 'mark':
          marks.push(operation.label)
      }
    }
    const write = (folder: string, fate: Fate) => {
      const put = (inode: Inode, path: string) => {
        if (inode.entries === null) {
          const operations = pending.get(inode) ?? []
          let bytes = contentOf(inode)
          if (operations.length > 0) bytes = Buffer.from(bytes)
          for (const operation of operations) bytes = apply(bytes, operation, fate)
          return original.writeFileSync(path, bytes, { mode: 0o600 })
        }
        original.mkdirSync(path, { mode: 0o700, recursive: true })
        const entries = rename(namesOf(inode), renamed.get(inode) ?? [], fate)
        for (const [name, child] of entries) put(child, join(path, name))
      }
      put(top, folder)
    }
    await visit(cut, marks, write)
  }
}

/** What a file is when this has reached it, or the pages of it that have. It may be the same bytes, changed. */
function apply(before: Buffer, operation: Content, fate: Fate): Buffer {
  if (operation.kind === 'truncate') {
    if (!fate('page')) return before
    if (operation.size <= before.length) return before.subarray(0, operation.size)
    return Buffer.concat([before, Buffer.alloc(operation.size - before.length)])
  }
  const { at, bytes } = operation
  let after = before
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + page - ((at + from) % page))
    if (fate('page')) {
      if (at + to > after.length) {
        after = Buffer.concat([after, Buffer.alloc(at + to - after.length)])
      }
      bytes.copy(after, at + from, from, to)
    }
    from = to
  }
  return after
}

function rename(before: Map<string, Inode>, operations: Naming[], fate: Fate): Map<string, Inode> {
  const after = new Map(before)
  for (const operation of operations) {
    if (!fate('name')) continue
    if (operation.kind === 'link') after.set(operation.name, operation.inode)
    if (operation.kind === 'unlink') after.delete(operation.name)
    if (operation.kind === 'rename') {
      if (after.get(operation.from) === operation.inode) after.delete(operation.from)
      after.set(operation.to, operation.inode)
    }
  }
  return after
}
