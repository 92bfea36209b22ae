import { dlopen, ptr } from 'bun:ffi'

/** In bytes: of the size of the largest pages that Linux usually has, and many of the smallest. */
const piece = 65_536

const dontNeed = 4

/** By the names that the C libraries of Linux have. */
const libraries = ['libc.so.6', `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`]

/**
 * Gives back to the system what is zero of this memory, which is zero again when somebody looks: PostgreSQL fills the pages that it is
 * to keep at hand with zeros when it starts, and would have them all for good. Where the system cannot take it, nothing is different.
 * Nobody else may write there meanwhile.
 */
export function giveBack(memory: Uint8Array): void {
  const library = process.platform === 'linux' ? openLibrary() : undefined
  if (library === undefined) return
  const start = Number(ptr(memory))
  const first = (piece - (start % piece)) % piece
  const zeros = Buffer.alloc(piece)
  const all = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength)
  for (let from = first; from + piece <= all.length; from += piece) {
    let to = from
    while (to + piece <= all.length && zeros.compare(all, to, to + piece) === 0) to += piece
    if (to > from) library.symbols.madvise(start + from, to - from, dontNeed)
    from = to
  }
  library.close()
}

function openLibrary() {
  for (const name of libraries) {
    try {
      return dlopen(name, { madvise: { args: ['ptr', 'u64', 'i32'], returns: 'i32' } })
    } catch {
      // The system has the other one, or none.
    }
  }
  return undefined
}
