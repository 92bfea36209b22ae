import { type Bytes, join } from './protocol.ts'

// https://webassembly.github.io/spec/core/binary/modules.html

const headerLength = 8
const importSection = 2
const kind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const
const hasMaximum = 1
const isShared = 2

/** In pages of 64 KiB: what the engine starts with and what it may grow to, as PGlite has them. */
const pages = { initial: 2048, maximum: 32_768 }

/** A memory for the engine that other threads see too. */
export const createSharedMemory = () => new WebAssembly.Memory({ ...pages, shared: true })

/**
 * The same WebAssembly module with a shared memory in place of its own, where it imports one: a module has to say so
 * itself. None of its code would differ.
 */
export function withSharedMemory(module: Bytes): Bytes {
  const reader = createReader(module, headerLength)
  while (reader.at() < module.length) {
    const start = reader.at()
    const id = reader.byte()
    const length = reader.integer()
    const body = reader.at()
    if (id !== importSection) {
      reader.skip(length)
      continue
    }
    const limits = findMemory(reader)
    if (limits === undefined) return module
    const imports = join([
      module.subarray(body, limits.start),
      Uint8Array.of(hasMaximum | isShared, ...encode(limits.minimum), ...encode(pages.maximum)),
      module.subarray(limits.end, body + length),
    ])
    const header = Uint8Array.of(importSection, ...encode(imports.length))
    return join([module.subarray(0, start), header, imports, module.subarray(body + length)])
  }
  return module
}

type Reader = ReturnType<typeof createReader>

/** Where in the imports the limits of a memory are, if there is one. */
function findMemory(reader: Reader) {
  for (let count = reader.integer(); count > 0; count -= 1) {
    reader.skip(reader.integer()) // The name of a module.
    reader.skip(reader.integer()) // The name of what it gives.
    switch (reader.byte()) {
      case kind.function:
        reader.integer()
        break
      case kind.table:
        reader.byte()
        readLimits(reader)
        break
      case kind.memory: {
        const start = reader.at()
        return { start, minimum: readLimits(reader), end: reader.at() }
      }
      case kind.global:
        reader.skip(2)
        break
      case kind.tag:
        reader.byte()
        reader.integer()
        break
      default:
        throw new Error('Cannot read a WebAssembly module: it imports something unknown.')
    }
  }
  return undefined
}

/** @returns the minimum */
function readLimits(reader: Reader): number {
  const flags = reader.byte()
  const minimum = reader.integer()
  if (flags & hasMaximum) reader.integer()
  return minimum
}

function createReader(bytes: Uint8Array, start: number) {
  let at = start
  const byte = (): number => {
    const value = bytes[at++]
    if (value === undefined) throw new Error('Cannot read a WebAssembly module: it is cut short.')
    return value
  }
  /** LEB128: seven bits in each byte, the lowest first; the eighth says that more follow. */
  const integer = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const next = byte()
      value |= (next & 0x7f) << shift
      if (next < 0x80) return value >>> 0
    }
  }
  const skip = (count: number) => {
    at += count
  }
  return { at: () => at, byte, integer, skip }
}

const encode = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...encode(value >>> 7)]
