import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entryOf, pack } from '../../../src/database/backup/archive.ts'
import { createBackups } from '../../../src/database/backup/schedule.ts'
import { temporaryFolder } from '../embedded/support.ts'

async function* entries() {
  yield entryOf('one', 'content')
}

/** Has one backup made, in a folder that holds others, and says what is there after it. */
async function makeOne(folder: string, keep: number): Promise<string[]> {
  const done = Promise.withResolvers<string>()
  const backups = createBackups({
    folder,
    dataDir: folder,
    every: 86_400,
    keep,
    backup: () => pack(entries()),
    onDone: done.resolve,
    onFailure: done.reject,
    onNewest: () => {},
  })
  backups.begin()
  const path = await done.promise
  await backups.stop()
  expect(existsSync(path)).toBe(true)
  return (await readdir(folder)).toSorted()
}

const named = (day: string): string => `docket-${day}T00-00-00Z.tar.zst`

test('what a clock made that was wrong keeps no other from staying', async () => {
  using place = temporaryFolder()
  const future = [named('2098-01-01'), named('2099-01-01')]
  const past = [named('2020-01-01'), named('2020-01-02')]
  for (const name of [...future, ...past]) await writeFile(join(place.path, name), '')

  const left = await makeOne(place.path, 2)

  expect(left).toEqual([named('2020-01-02'), expect.stringMatching(/^docket-20[2-8]/)])
})

test('a folder with such a name is no backup, and nobody is in its way', async () => {
  using place = temporaryFolder()
  const others = [named('2020-01-01'), named('2020-01-02'), named('2099-01-01')]
  for (const name of others) await mkdir(join(place.path, name))

  expect(await makeOne(place.path, 1)).toEqual([others[0], others[1], expect.anything(), others[2]])
})

test('what others have left is gone before there is another, and makes room for it', async () => {
  using place = temporaryFolder()
  const partial = (digit: string) =>
    join(place.path, `${named('2020-01-01')}.${digit.repeat(12)}.partial`)
  for (const digit of ['a', 'b', 'c']) await writeFile(partial(digit), 'half')
  await utimes(partial('a'), new Date('2020-01-01'), new Date('2020-01-01'))
  await utimes(partial('b'), new Date('2099-01-01'), new Date('2099-01-01'))

  const left = await makeOne(place.path, 1)

  // Of now: somebody may be writing it.
  expect(left.filter((name) => name.endsWith('.partial'))).toEqual([
    `${named('2020-01-01')}.${'c'.repeat(12)}.partial`,
  ])
})
