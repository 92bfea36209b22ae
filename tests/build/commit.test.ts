import { expect, test } from 'bun:test'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { $ } from 'bun'
import { describeCommit } from '../../src/build/commit.ts'
import { temporaryFolder } from '../support/database.ts'

test.skipIf(Bun.which('git') === null)('names the commit, and says what is not of it', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), 'a')

  const before = await describeCommit(folder)
  await $`git init -q && git add . && git -c user.name=A -c user.email=a@example.com -c commit.gpgsign=false commit -qm One`.cwd(
    folder,
  )
  const commit = (await $`git rev-parse HEAD`.cwd(folder).text()).trim()
  const committed = await describeCommit(folder)
  writeFileSync(join(folder, 'other'), 'b')
  const added = await describeCommit(folder)
  rmSync(join(folder, 'other'))
  writeFileSync(join(folder, 'file'), 'c')
  const changed = await describeCommit(folder)

  expect(before).toBe('no commit')
  expect(committed).toBe(commit.slice(0, 7))
  expect([added, changed]).toEqual([`${committed}, changed`, `${committed}, changed`])
})
