import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'

// A backup as a file: a tar archive, compressed with zstd, and a checksum of all of it at the end, in a frame that zstd skips. So
// `zstd -d | tar -x` unpacks it without Docket.

/** A file, or a folder, whose name ends with a slash and which has no bytes. */
export type Entry = { name: string; size: number; bytes: AsyncIterable<Uint8Array> }

/** What is no backup, or not all of one. The message is the end of a sentence about the file. */
export class Damage extends Error {}

/** How much is read at a time. */
export const portion = 262_144

const block = 512
const digestLength = 32
const tailLength = 8 + digestLength

const tailHead = Buffer.alloc(8)
tailHead.writeUInt32LE(0x184d2a5d, 0)
tailHead.writeUInt32LE(digestLength, 4)

const zstdHead = Buffer.of(0x28, 0xb5, 0x2f, 0xfd)

export const entryOf = (name: string, content: string | Uint8Array): Entry => {
  const bytes = Buffer.from(content)
  return { name, size: bytes.length, bytes: Readable.from([bytes]) }
}

/** The bytes of a backup, while its entries are read. */
export async function* pack(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  // What goes wrong with it ends the stream that is read below.
  const packing = pipeline(Readable.from(tar(entries)), compress).catch(() => {})
  const hash = new Bun.CryptoHasher('sha256')
  try {
    for await (const chunk of compress) {
      hash.update(chunk)
      yield chunk
    }
    yield Buffer.concat([tailHead, hash.digest()])
  } finally {
    compress.destroy()
    await packing
  }
}

async function* tar(entries: AsyncIterable<Entry>): AsyncGenerator<Uint8Array> {
  for await (const { name, size, bytes } of entries) {
    yield headerOf(name, size)
    for await (const chunk of bytes) yield chunk
    yield Buffer.alloc(-size & (block - 1))
  }
  yield Buffer.alloc(2 * block)
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar Interchange Format" */
function headerOf(name: string, size: number): Buffer {
  const isFolder = name.endsWith('/')
  if (Buffer.byteLength(name) > 100) throw new Error(`The name ${name} is too long for a backup.`)
  const header = Buffer.alloc(block)
  header.write(name, 0, 100)
  header.write(isFolder ? '0000700\0' : '0000600\0', 100)
  header.write('0000000\x000000000\0', 108)
  header.write(`${octal(size, 11)}\0${octal(Math.floor(Date.now() / 1000), 11)}\0`, 124)
  header.write(isFolder ? '5' : '0', 156)
  header.write('ustar\x0000', 257)
  header.write(`${octal(sumOf(header), 6)}\0 `, 148)
  return header
}

const octal = (number: number, digits: number): string => number.toString(8).padStart(digits, '0')

/** As if the field of the sum itself were spaces. */
const sumOf = (header: Buffer): number =>
  header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0)

/** Looks at the bytes of a backup as they come, one after the other. Call `finish` after the last. */
export function createCheck() {
  const hash = new Bun.CryptoHasher('sha256')
  let head: Buffer = Buffer.alloc(0)
  let tail: Buffer = Buffer.alloc(0)
  return {
    add(chunk: Uint8Array): void {
      if (head.length < zstdHead.length) head = Buffer.concat([head, chunk.subarray(0, 4)])
      const all = Buffer.concat([tail, chunk])
      const end = Math.max(all.length - tailLength, 0)
      hash.update(all.subarray(0, end))
      tail = all.subarray(end)
    },
    /** @throws Damage */
    finish(): void {
      if (!head.subarray(0, zstdHead.length).equals(zstdHead)) {
        throw new Damage('is no backup of Docket')
      }
      if (tail.length < tailLength || !tail.subarray(0, tailHead.length).equals(tailHead)) {
        throw new Damage('is not whole: its end is missing')
      }
      if (!hash.digest().equals(tail.subarray(tailHead.length))) {
        throw new Damage('is damaged: it is not what its checksum is of')
      }
    },
  }
}

/**
 * Reads the entries of a backup that was checked, in their order. Each one's bytes are to be read before the next is asked for.
 * @throws Damage
 */
export async function* unpack(file: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const decompress = createZstdDecompress()
  const unpacking = pipeline(Readable.from(file), decompress).catch(() => {})
  const read = createReader(decompress)
  try {
    for (;;) {
      const header = Buffer.concat(await Array.fromAsync(read(block)))
      if (header.every((byte) => byte === 0)) return
      const name = textOf(header, 0, 100)
      const size = Number.parseInt(textOf(header, 124, 12), 8)
      if (sumOf(header) !== Number.parseInt(textOf(header, 148, 8), 8) || !isPlace(name)) {
        throw new Damage('is no backup of Docket: it holds something else')
      }
      yield { name, size, bytes: read(size) }
      await Array.fromAsync(read(-size & (block - 1)))
    }
  } finally {
    decompress.destroy()
    await unpacking
  }
}

const textOf = (header: Buffer, from: number, length: number): string =>
  header.toString('utf8', from, from + length).replace(/\0.*$/s, '')

/** Nothing leads out of the folder that it is unpacked to. */
export const isPlace = (name: string): boolean =>
  /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[\w./-]+$/.test(name) && !name.startsWith('/')

/** Gives so many bytes of a stream, in pieces. */
function createReader(stream: AsyncIterable<Uint8Array>) {
  const chunks = stream[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  return async function* read(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (rest.length === 0) {
        const { done, value } = await chunks.next()
        if (done) throw new Damage('is no backup of Docket: something is missing in it')
        rest = value
      }
      const piece = rest.subarray(0, left)
      rest = rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }
}
