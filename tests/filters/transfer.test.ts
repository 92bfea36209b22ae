import { expect, test } from 'bun:test'
import { adoptFilters } from '../../src/filters/transfer.ts'
import { db, secret, signUp, type TestUser } from '../support/app.ts'
import { serverEnvironment, temporaryFolder } from '../support/database.ts'
import { docket } from '../support/process.ts'

const keep = async (user: TestUser, name: string, filter: string) =>
  (await user.send('POST', '/api/filters', { name, filter })).body

const namesOf = async (user: TestUser): Promise<string[]> =>
  (await user.send('GET', '/api/filters')).body.map(({ name }: { name: string }) => name)

test('filters and the time zone move out and in, and twice is once', async () => {
  const env = { DATA_DIR: temporaryFolder(), ...serverEnvironment(), BETTER_AUTH_SECRET: secret }
  const user_id = crypto.randomUUID()
  const filter = {
    id: crypto.randomUUID(),
    user_id,
    name: 'Next up',
    filter: '#home due:<=today',
    created_at: '2026-01-01T00:00:00.000001+00:00',
    updated_at: '2026-01-03T00:00:00.000001+00:00',
  }
  const user = { id: user_id, created_at: filter.created_at, time_zone: 'Europe/Berlin' }
  const lines = [{ user }, { filter }].map((line) => `${JSON.stringify(line)}\n`).join('')
  const importing = (input: string) => docket(['import'], { env, input })

  expect((await importing(lines)).exitCode).toBe(0)
  expect((await importing(lines)).exitCode).toBe(0)
  const earlier = { ...filter, name: 'Before', updated_at: filter.created_at }
  await importing(`${JSON.stringify({ filter: earlier })}\n`)

  expect((await docket(['export', '--user', user_id], { env })).stdout).toBe(lines)

  const same = { ...filter, id: crypto.randomUUID(), name: 'NEXT UP' }
  const refused = await importing(`${JSON.stringify({ filter: same })}\n`)
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain('line 1: name is that of another filter')
  const unlike = { ...filter, filter: 7 }
  expect((await importing(`${JSON.stringify({ filter: unlike })}\n`)).stderr).toContain(
    'line 1: filter',
  )
}, 60_000)

test('those of a guest are adopted, but for names that are taken', async () => {
  const [guest, alice] = [await signUp(), await signUp()]
  await keep(guest, 'Home', '#home')
  await keep(guest, 'Work', '#work')
  await keep(alice, 'WORK', '#office')

  await adoptFilters(db, alice.id, guest.id)
  await adoptFilters(db, alice.id, guest.id)

  expect(await namesOf(alice)).toEqual(['Home', 'WORK'])
  expect(await namesOf(guest)).toEqual(['Work'])
})
