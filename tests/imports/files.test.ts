import { expect, test } from 'bun:test'
import { crc32, deflateRawSync } from 'node:zlib'
import { readSources } from '../../src/imports/files.ts'
import { bytesOf, faultOf, pathsOf, planOf } from './support.ts'

type File = { name: string; data: Buffer; method?: number; flags?: number }

/** An archive as programs write it: each file behind a header, and a directory at the end. */
function zip(...files: File[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let at = 0
  for (const { name, data, method = 8, flags = 0 } of files) {
    const packed = method === 8 ? deflateRawSync(data) : data
    const about = Buffer.alloc(26)
    about.writeUInt16LE(20, 0)
    about.writeUInt16LE(flags, 2)
    about.writeUInt16LE(method, 4)
    about.writeUInt32LE(crc32(data), 10)
    about.writeUInt32LE(packed.length, 14)
    about.writeUInt32LE(data.length, 18)
    about.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([
      Buffer.from('PK\x03\x04', 'latin1'),
      about,
      Buffer.from(name),
      packed,
    ])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(at, 10)
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), about, tail, Buffer.from(name)]),
    )
    parts.push(local)
    at += local.length
  }
  const all = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(all.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...parts, all, end])
}

const project = (title: string) => Buffer.from(`TYPE,CONTENT\ntask,${title}\n`)

test('reads a backup of Todoist, each project by the name of its file', async () => {
  const archive = zip(
    { name: 'Inbox [1].csv', data: project('Call') },
    { name: 'folder/', data: Buffer.alloc(0), method: 0 },
    { name: '../../etc/Home [2203306141].csv', data: project('Water') },
    { name: '__MACOSX/._Home.csv', data: Buffer.from([0xff]) },
    { name: 'read me.txt', data: Buffer.from('Hello'), method: 0 },
  )

  const plan = await planOf('todoist', archive, 'backup.zip')

  expect(pathsOf(plan)).toEqual(['/Call', 'Home/Water'])
  expect(plan.warnings).toEqual([{ line: null, what: 'read me is not a project.' }])
})

test('unpacks no more than there may be', () => {
  const bomb = zip({ name: 'a.csv', data: Buffer.alloc(40 * 1024 * 1024) })
  const half = { name: 'a.csv', data: Buffer.alloc(10 * 1024 * 1024) }
  const many = Array.from({ length: 1001 }, (_, n) => ({ name: `${n}`, data: Buffer.alloc(0) }))

  expect(bomb.length).toBeLessThan(100_000)
  expect(readSources(bomb, '')).toBe('is an archive of more than 16777216 bytes')
  expect(readSources(zip(half, half), '')).toBe('is an archive of more than 16777216 bytes')
  expect(readSources(zip(...many), '')).toBe('is an archive of more than 1000 files')
})

test('refuses archives that are encrypted, or damaged anywhere', () => {
  const archive = zip({ name: 'a.csv', data: project('A') })

  expect(readSources(zip({ name: 'a', data: Buffer.from('x'), flags: 1 }), '')).toContain(
    'encrypted',
  )
  expect(readSources(zip({ name: 'a', data: Buffer.from('x'), method: 99 }), '')).toContain(
    'unusual',
  )
  expect(readSources(archive.subarray(0, -22), '')).toContain('damaged')
  for (let at = 4; at < archive.length; at += 1) {
    const damaged = Buffer.from(archive)
    damaged[at] = (damaged[at] ?? 0) ^ 0xff
    expect(typeof readSources(damaged, '')).toMatch(/string|object/)
  }
})

test('reads text as UTF-8 or UTF-16 with a mark, and no other', async () => {
  const text = 'TYPE,CONTENT\ntask,Ä\n'
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])

  expect(pathsOf(await planOf('todoist', marked))).toEqual(['/Ä'])
  expect(pathsOf(await planOf('todoist', bytesOf(`\ufeff${text}`)))).toEqual(['/Ä'])
  expect(await faultOf('todoist', Buffer.from(text, 'latin1'))).toBe(
    'is not text in UTF-8: save it as that',
  )
})
