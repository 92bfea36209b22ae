import { expect, test } from 'bun:test'
import { temporaryFolder } from '../support/database.ts'
import { docket } from '../support/process.ts'

const files = new URL('../imports/files/', import.meta.url).pathname

test('imports what other programs export: beforehand, once, and not twice', async () => {
  const env = { DATA_DIR: temporaryFolder() }
  const call = (...more: string[]) =>
    docket(['import', '--from', 'todoist', `${files}todoist.csv`, '--user', 'alice', ...more], {
      env,
    })

  const dry = await call('--dry-run')
  const first = await call()
  const second = await call()
  const { stdout } = await docket(['export', '--user', 'alice', '--without-history'], { env })

  expect(dry.exitCode).toBe(0)
  expect(dry.stdout).toContain('Line 8: “Call”: how long it takes (30) is not taken.\n')
  expect(dry.stdout).toEndWith('Would import 8 tasks and 2 lists. 0 tasks were there already.\n')
  expect(first.stdout).toContain('\nImported 8 tasks and 2 lists. 0 tasks were there already.\n')
  expect(first.stdout).toMatch(
    /To undo it: POST \/api\/undo with {"request_id": "[0-9a-f-]{36}"}\.\n$/,
  )
  expect(second.stdout).toEndWith('Imported 0 tasks and 0 lists. 8 tasks were there already.\n')
  expect(stdout.match(/"task":/g)).toHaveLength(8)
  expect(stdout).toContain('"name":"todoist / Garden"')
}, 120_000)

test('says in a sentence what it cannot import, and how it is called', async () => {
  const env = { DATA_DIR: temporaryFolder() }
  const call = async (...args: string[]) => {
    const { stderr, exitCode } = await docket(['import', ...args], { env })
    expect(exitCode).toBe(1)
    return stderr
  }
  const user = ['--user', 'alice']

  expect(await call('--from', 'asana', 'x', ...user)).toStartWith(
    'Say from what: --from todoist, ticktick, ical.',
  )
  expect(await call('--from', 'ical', ...user)).toStartWith('Say which file to import.')
  expect(await call('--from', 'ical', 'x')).toStartWith('Say whose: --user ID')
  expect(await call('x')).toStartWith('Cannot understand "x".')
  expect(await call('--from', 'ical', '/nowhere', ...user)).toStartWith('Cannot read /nowhere: ')
  expect(await call('--from', 'ical', `${files}todoist.csv`, ...user)).toBe(
    `Cannot import ${files}todoist.csv: it is no calendar: there is no BEGIN:VCALENDAR in it.\n`,
  )
}, 120_000)
