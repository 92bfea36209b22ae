import { expect, setDefaultTimeout, test } from 'bun:test'
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbedded } from '../../../src/database/embedded/start.ts'
import { failOnFailure, open, patience, run, temporaryFolder } from './support.ts'

setDefaultTimeout(patience)

const refusal = async (folder: string) => {
  const error: unknown = await startEmbedded(folder, failOnFailure).catch((reason) => reason)
  return error instanceof Error ? error.message : error
}

test('keeps a second process out until the first stops', async () => {
  using folder = temporaryFolder()
  {
    await using _ = await open(folder.path)

    await using second = run('opener.ts', folder.path)

    expect(await second.child.stdout.text()).toBe(
      `Cannot open the database in ${folder.path}: another Docket is using it. ` +
        'Stop it, or set DATA_DIR to another folder.\n',
    )
  }
  await using third = await open(folder.path)
  expect(await third.sql`select 1 as one`).toMatchObject([{ one: 1 }])
})

test('keeps out a second opening in the same process', async () => {
  using folder = temporaryFolder()
  await using _ = await open(folder.path)
  Bun.gc(true)

  expect(await refusal(folder.path)).toContain('another Docket is using it')
})

test('makes folders that only their owner can enter', async () => {
  using folder = temporaryFolder()
  const nested = join(folder.path, 'a', 'b')

  await using _ = await open(nested)

  for (const path of [nested, join(nested, 'postgres')]) {
    expect((await stat(path)).mode & 0o777).toBe(0o700)
  }
})

test('refuses a path that leads through a file', async () => {
  using folder = temporaryFolder()
  const file = join(folder.path, 'file')
  await Bun.write(file, 'mine')

  const expected = 'a part of its path is a file. Move the file away, or set DATA_DIR to another'

  expect(await refusal(file)).toContain(expected)
  expect(await refusal(join(file, 'data'))).toContain(expected)
  expect(await Bun.file(file).text()).toBe('mine')
})

test('refuses a folder that the user may not write', async () => {
  using folder = temporaryFolder()
  await chmod(folder.path, 0o555)

  await using opener = run('opener.ts', folder.path, 'as nobody')

  expect(await opener.child.stdout.text()).toBe(
    `Cannot open the database in ${folder.path}: this user may not write there. ` +
      'Give it the folder, or set DATA_DIR to another folder.\n',
  )
})

test('refuses a cluster of another major version, and leaves it as it is', async () => {
  using folder = temporaryFolder()
  await mkdir(join(folder.path, 'postgres'))
  await Bun.write(join(folder.path, 'postgres', 'PG_VERSION'), '17\n')

  expect(await refusal(folder.path)).toContain('it was made by PostgreSQL 17')
  expect(await readdir(join(folder.path, 'postgres'))).toEqual(['PG_VERSION'])
})

test('refuses a folder "postgres" that holds something else', async () => {
  using folder = temporaryFolder()
  await Bun.write(join(folder.path, 'postgres', 'letter.txt'), 'mine')

  expect(await refusal(folder.path)).toContain('its folder "postgres" holds something else')
  expect(await readdir(join(folder.path, 'postgres'))).toEqual(['letter.txt'])
})

test('tells what PostgreSQL says about a damaged cluster, and lets go of the folder', async () => {
  using folder = temporaryFolder()
  {
    await using _ = await open(folder.path)
  }
  await rm(join(folder.path, 'postgres', 'global', 'pg_control'))

  expect(await refusal(folder.path)).toMatch(/^Cannot open the database in .*: PANIC: .*pg_control/)
  expect(await refusal(folder.path)).toMatch(/pg_control/)
})
