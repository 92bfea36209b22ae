import { inflateRawSync } from 'node:zlib'
import { codeOf } from '../database/gate/faults.ts'
import type { Source } from './found.ts'

// What is sent, as texts: one, or those of a ZIP archive.

/** The largest file, in bytes. */
export const mostBytes = 8 * 1024 * 1024

/** Bytes of all that is in an archive, and how many files. */
const mostUnpacked = 2 * mostBytes
const mostFiles = 1000

/** @returns the texts, or why there are none, as the rest of a sentence */
export function readSources(bytes: Uint8Array, name: string): Source[] | string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const files = isZip(view) ? unzip(view) : [{ name, bytes: view }]
  if (typeof files === 'string') return files
  const sources: Source[] = []
  for (const file of files) {
    const text = decode(file.bytes)
    if (text === null)
      return `${isZip(view) ? `has ${file.name}, which ` : ''}is not text in UTF-8: save it as that`
    sources.push({ name: nameOf(file.name), text })
  }
  return sources
}

const isZip = (bytes: Buffer): boolean => bytes.length >= 22 && bytes.readUInt32LE(0) === 0x04034b50

/** Without folders, without its ending, and without what programs and browsers add: `[123]`, `(1)`. */
const nameOf = (path: string): string =>
  path
    .slice(-300)
    .replace(/^.*[/\\]/, '')
    .replace(/\.(csv|ics|ical|json|txt|zip)$/i, '')
    .replace(/ *\(\d{1,3}\)$/, '')
    .replace(/ *\[\w{1,40}\]$/, '')
    .trim()

/** Null: it is not text. Spreadsheets write UTF-16 too, and say so in front. */
function decode(bytes: Uint8Array): string | null {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8'
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

type File = { name: string; bytes: Uint8Array }

const damaged = 'is an archive that is damaged: unpack it, and import what is in it one by one'

/** The files of an archive whose directory is at its end, in the order of that. Nothing is written anywhere, so a name can do no harm. */
function unzip(bytes: Buffer): File[] | string {
  try {
    const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
    if (end === -1) return damaged
    const count = bytes.readUInt16LE(end + 10)
    if (count > mostFiles) return `is an archive of more than ${mostFiles} files`
    let at = bytes.readUInt32LE(end + 16)
    let left = mostUnpacked
    const files: File[] = []
    for (let nth = 0; nth < count; nth += 1) {
      if (bytes.readUInt32LE(at) !== 0x02014b50) return damaged
      const [flags, method] = [bytes.readUInt16LE(at + 8), bytes.readUInt16LE(at + 10)]
      const [packed, length] = [bytes.readUInt32LE(at + 20), bytes.readUInt16LE(at + 28)]
      const name = bytes.toString('utf8', at + 46, at + 46 + length)
      const start = bytes.readUInt32LE(at + 42)
      at += 46 + length + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32)
      if (name.endsWith('/') || /(^|\/)(__MACOSX\/|\.[^./])/.test(name)) continue
      if ((flags & 1) === 1 || (method !== 0 && method !== 8)) {
        return 'is an archive that is encrypted, or packed in an unusual way: unpack it, and import what is in it one by one'
      }
      const from = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28)
      const raw = bytes.subarray(from, from + packed)
      if (raw.length !== packed) return damaged
      const unpacked = method === 0 ? raw : inflateRawSync(raw, { maxOutputLength: left + 1 })
      left -= unpacked.length
      if (left < 0) return tooMuch
      files.push({ name, bytes: unpacked })
    }
    return files
  } catch (error) {
    // Beyond the end of the archive, or not what was packed.
    return codeOf(error) === 'ERR_BUFFER_TOO_LARGE' ? tooMuch : damaged
  }
}

const tooMuch = `is an archive of more than ${mostUnpacked} bytes`
