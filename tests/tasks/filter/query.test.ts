import { expect, test } from 'bun:test'
import { signUp, sql } from '../../support/app.ts'
import { expectInvalid, idsOf, list, nextOf, titles } from '../../support/tasks.ts'

const asked = (filter: string, more = '') => `?filter=${encodeURIComponent(filter)}${more}`

/** A zone where it is another day than in UTC now, and for a while: in the first it is until 11:00, in the other from 10:00. */
const isEarly = Temporal.Now.plainTimeISO('UTC').toString() < '10:30'
const elsewhere = isEarly ? 'Pacific/Pago_Pago' : 'Pacific/Kiritimati'
const dayIn = (zone: string) => Temporal.Now.plainDateISO(zone).toString()

test('says what is wrong with a filter, and where', async () => {
  const alice = await signUp()

  for (const path of ['/api/tasks', '/api/tasks/count', '/api/me/tasks']) {
    const answer = await alice.send('GET', `${path}${asked('a stauts:done')}`)

    expectInvalid(answer, '/filter')
    expect(answer.body.errors).toEqual([
      {
        pointer: '/filter',
        detail: 'There is no field stauts: did you mean status?',
        at: 2,
        length: 6,
      },
    ])
  }
  expectInvalid(await alice.send('GET', `/api/tasks${asked('a'.repeat(1001))}`), '/filter')
  expectInvalid(await alice.send('GET', `/api/tasks${asked('list:Home')}`), '/filter')
  expectInvalid(await alice.send('GET', `/api/tasks${asked('@mine')}`), '/filter')
})

test('takes an empty filter for none', async () => {
  const alice = await signUp()
  await alice.create()

  for (const filter of ['', ' ', '\t\n']) expect(await list(alice, asked(filter))).toHaveLength(1)
})

test('takes what is typed for what it is, whatever it is to a database', async () => {
  const alice = await signUp()
  const odd = [
    `'; drop table docket.tasks; --`,
    '$1',
    '\\',
    '{a,b}',
    'asked.user_id',
    '%',
    '_',
    '?',
  ]
  for (const title of odd) await alice.create({ title, tags: [title] })

  for (const title of odd) {
    const quoted = `"${title.replaceAll('\\', '\\\\')}"`
    expect(await titles(alice, asked(`title:${quoted} #${quoted}`))).toContain(title)
    expect(await titles(alice, asked(`#${quoted}`))).toEqual([title])
  }
})

test('knows what day is today where the user is', async () => {
  const alice = await signUp()
  await alice.create({ title: 'In UTC', due_date: dayIn('UTC') })
  await alice.create({ title: 'Elsewhere', due_date: dayIn(elsewhere) })
  const today = async (headers: Record<string, string> = {}) => {
    const { status, body } = await alice.send(
      'GET',
      `/api/tasks${asked('due:today')}`,
      undefined,
      headers,
    )
    expect(status).toBe(200)
    return body.map(({ title }: { title: string }) => title)
  }

  expect(await today()).toEqual(['In UTC'])
  expect(await today({ 'time-zone': elsewhere.toLowerCase() })).toEqual(['Elsewhere'])
  await sql`update docket.users set time_zone = ${elsewhere} where id = ${alice.id}`
  expect(await today()).toEqual(['Elsewhere'])
  // The user has said so, and the header only what the device believes.
  expect(await today({ 'time-zone': 'UTC' })).toEqual(['Elsewhere'])
})

test('refuses a zone that nobody knows', async () => {
  const alice = await signUp()

  for (const zone of ['Europe/Atlantis', 'CET', '+02:00', 'x'.repeat(1000)]) {
    const path = `/api/tasks${asked('due:today')}`
    expectInvalid(await alice.send('GET', path, undefined, { 'time-zone': zone }), '/Time-Zone')
  }
})

test('goes on with a cursor while the filter means the same', async () => {
  const alice = await signUp()
  for (const title of ['a', 'b', 'c']) {
    await alice.create({ title, due_date: dayIn('UTC'), priority: 'high' })
  }
  const path = `/api/tasks${asked('due:today', '&limit=1&sort=title')}`
  const first = await alice.send('GET', path)
  const next = nextOf(first, path) ?? ''

  expect((await alice.send('GET', next)).body.map(({ title }: { title: string }) => title)).toEqual(
    ['b'],
  )
  // It is another day there.
  expectInvalid(await alice.send('GET', next, undefined, { 'time-zone': elsewhere }), '/cursor')
  const other = next.replace(/filter=[^&]*/, `filter=${encodeURIComponent('priority:high')}`)
  expectInvalid(await alice.send('GET', other), '/cursor')
  // The same in other words.
  const same = next.replace(/filter=[^&]*/, `filter=${encodeURIComponent('due = TODAY')}`)
  expect((await alice.send('GET', same)).status).toBe(200)
})

test('has an ETag that changes with what the filter means', async () => {
  const alice = await signUp()
  await alice.create({ due_date: dayIn('UTC') })
  const path = `/api/tasks${asked('due:today')}`
  const { headers } = await alice.send('GET', path)
  const etag = headers.get('etag') ?? ''
  const again = (tag: string, more: Record<string, string> = {}, at = path) =>
    alice.send('GET', at, undefined, { 'if-none-match': tag, ...more }).then(({ status }) => status)

  expect(etag).toMatch(/^W\/"1\.f[0-9a-z]+"$/)
  expect(await again(etag)).toBe(304)
  expect(await again(etag.replace(/"$/, '-gzip"'))).toBe(304)
  expect(await again(etag, { 'time-zone': elsewhere })).toBe(200)
  expect(await again(etag, {}, '/api/tasks')).toBe(200)
  expect(await again('W/"1"')).toBe(200)
  expect(await again('W/"1"', {}, '/api/tasks')).toBe(304)
  await alice.create()
  expect(await again(etag)).toBe(200)
})

test('finds the lists of the user only', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  for (const user of [alice, bob]) await user.create()
  const id = crypto.randomUUID()
  await sql`insert into docket.lists (user_id, id, name, position) values (${bob.id}, ${id}, 'Bobs', 'i')`

  expectInvalid(await alice.send('GET', `/api/tasks${asked('list:Bobs')}`), '/filter')
  expectInvalid(await alice.send('GET', `/api/tasks${asked(`list:${id}`)}`), '/filter')
  const { text } = await alice.send('GET', `/api/tasks${asked('list:Bobz')}`)
  expect(text).not.toContain('Bobs')
  expect((await bob.send('GET', `/api/tasks${asked(`list:${id}`)}`)).body).toEqual([])
})

test('leaves out tasks of lists that are archived, unless it names one', async () => {
  const alice = await signUp()
  const task = await alice.create({ title: 'in it', tags: ['a'] })
  const id = crypto.randomUUID()
  await sql`
    insert into docket.lists (user_id, id, name, position, archived_at) values (${alice.id}, ${id}, 'Old', 'i', now())`
  await sql`update docket.tasks set list_id = ${id} where user_id = ${alice.id} and id = ${task.id}`
  await alice.create({ title: 'elsewhere', tags: ['a'] })
  const found = (filter: string, more = '') => titles(alice, asked(filter, `&sort=title${more}`))

  expect(await found('#a')).toEqual(['elsewhere'])
  expect(await found('#a', '&archived=true')).toEqual(['elsewhere', 'in it'])
  expect(await found('#a list:old')).toEqual(['in it'])
  expect(await found('list:old #a or list:old')).toEqual(['in it'])
  expect(await found('-list:old')).toEqual(['elsewhere'])
  expect(await found('list:old or #a')).toEqual(['elsewhere'])
  expect((await alice.send('GET', `/api/tasks/count${asked('list:old')}`)).body).toEqual({
    count: 1,
  })
})

test('restores what was in a list that is in the trash too', async () => {
  const alice = await signUp()
  const { id } = await alice.create()
  const list_id = crypto.randomUUID()
  await sql`
    insert into docket.lists (user_id, id, name, position) values (${alice.id}, ${list_id}, 'Old', 'i')`
  await alice.send('PATCH', `/api/tasks/${id}`, { list_id })
  await alice.send('DELETE', `/api/tasks/${id}`)
  await sql`update docket.lists set deleted_at = now() where user_id = ${alice.id}`
  const bulk = (action: string) =>
    alice.send('POST', '/api/tasks/bulk', { filter: 'list:old', action, dry_run: true })

  expectInvalid(await bulk('complete'), '/filter')
  expect((await bulk('restore')).body.matched).toBe(1)
  expectInvalid(await alice.send('GET', `/api/tasks${asked('list:old')}`), '/filter')
  expect(idsOf(await list(alice, asked('list:old', '&deleted=true')))).toEqual([id])
})

test('leaves nothing behind on the connection', async () => {
  const alice = await signUp()
  const { id } = await alice.create({ priority: 'high' })
  const kept = async () => {
    const rows = await sql<
      { count: string }[]
    >`select count(*) as count from pg_prepared_statements`
    return Number(rows[0]?.count)
  }
  await kept()
  const before = await kept()

  for (let shape = 1; shape <= 30; shape += 1) {
    const filter = Array(shape).fill('priority:high').join(' ')
    expect(idsOf(await list(alice, asked(filter)))).toEqual([id])
  }
  // On a server the other connections are not seen from here, and this one may be any of them.
  expect(await kept()).toBeLessThan(before + 20)
})
