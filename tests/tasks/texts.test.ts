import { describe, expect, test } from 'bun:test'
import { timeZoneOf } from '../../src/http/formats.ts'
import type { Task } from '../../src/tasks/schema.ts'
import { importTasks } from '../../src/tasks/transfer.ts'
import { db, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, list, readPages, titles } from '../support/tasks.ts'

// Text as people read it, over HTTP: tests/http/fold.test.ts has what is the same to them.

const found = (user: TestUser, q: string) => titles(user, `?q=${encodeURIComponent(q)}`)

describe('a search finds', () => {
  test.each([
    ['ΔΡΟΜΟΣ', ['δρομος', 'ΔΡΌΜΟΣ', 'δρόμο']],
    ['Fußboden', ['FUSSBODEN', 'fussboden', 'FUẞBODEN', 'Fuß']],
    ['réunion', ['reunion', 'RE\u0301UNION', 'Réunion', 'éun']],
    ['Cafe\u0301 in Malmo\u0308', ['café', 'malmö', 'MALMO cafe']],
    ['Łódź, Øresund, Straße', ['lodz', 'oresund', 'STRASSE']],
    ['Diyarbakır, İzmir', ['DİYARBAKIR', 'diyarbakir', 'izmir']],
    ['купить ёлку', ['ЕЛКУ', 'елку', 'Ёлку купить']],
    ['ｶﾞｽ料金　２０２６', ['ガス', '2026', 'ガス 料金']],
    ['안녕하세요', ['안녕', '안녕하세요'.normalize('NFD')]],
    ['فاتورة رقم ١٢', ['12', 'فاتُورة', 'رقم ۱۲']],
    ['हिन्दी किताब', ['हिन्दी', 'किताब']],
    ['soft\u00ADware\u200B update', ['software', 'ware update']],
    ['ﬁx ½ of the № 5', ['fix', '½', '№ 5', 'NO 5']],
    ['❤️ 👩‍🚀 launch', ['❤', '❤️', '👩‍🚀']],
  ])('%j by any spelling of it', async (title, spellings) => {
    const alice = await signUp()
    const [inTitle, inDescription, inTags] = [title, `1 ${title}`, `2 ${title}`]
    await alice.create({ title: inTitle })
    await alice.create({ title: 'In the description', description: inDescription })
    await alice.create({ title: 'In a tag', tags: [inTags] })
    await alice.create({
      title: 'In a long one',
      description: `${inDescription} ${'x y '.repeat(200)}`,
    })
    await alice.create({ title: 'In none', description: 'nothing of it', tags: ['nothing'] })

    for (const spelling of spellings) {
      expect([spelling, await found(alice, spelling)]).toEqual([
        spelling,
        ['In a long one', 'In a tag', 'In the description', title],
      ])
    }
  })

  test.each([
    ['мой', 'мои'],
    ['かぎ', 'かき'],
    ['कि', 'कु'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['10²', '102'],
  ])('%j, but not by %j, which is another word', async (title, other) => {
    const alice = await signUp()
    await alice.create({ title })

    expect(await found(alice, other)).toEqual([])
  })

  test('all by words that show as nothing, as without words', async () => {
    const alice = await signUp()
    await alice.create({ title: 'A' })

    for (const q of ['\u200B', '\u00AD \uFEFF', '\u3164'])
      expect(await found(alice, q)).toEqual(['A'])
  })

  test('what a change left as it was, and what it brought, and nothing that it took away', async () => {
    const alice = await signUp()
    const parts = { title: 'Ärger', description: 'Über', tags: ['Öl'] }
    const long = `${'Lang '.repeat(150)} Größe`
    const changes: [patch: object, has: string[], hasNot: string[]][] = [
      [{ priority: 'high' }, ['arger', 'uber', 'ol'], ['gross']],
      [{ title: 'Straße' }, ['strasse', 'uber', 'ol'], ['arger']],
      [{ description: long }, ['strasse', 'grosse', 'ol'], ['uber']],
      [{ tags: ['Küche', 'KUCHE'] }, ['strasse', 'grosse', 'kuche'], ['ol']],
      [{ completed: true }, ['strasse', 'grosse', 'kuche'], ['ol']],
      [{ title: 'Fuß' }, ['fuss', 'grosse', 'kuche'], ['strasse']],
      [{ description: null }, ['fuss', 'kuche'], ['grosse']],
      [{ tags: null }, ['fuss'], ['kuche']],
      [{ description: 'Über', tags: ['Öl'] }, ['fuss', 'uber', 'ol'], ['kuche']],
    ]
    const { id } = await alice.create(parts)

    for (const [patch, has, hasNot] of changes) {
      const { body } = await alice.send('PATCH', `/api/tasks/${id}`, patch)
      for (const q of has)
        expect([patch, q, await found(alice, q)]).toEqual([patch, q, [body.title]])
      for (const q of hasNot) expect([patch, q, await found(alice, q)]).toEqual([patch, q, []])
    }
  })
})

describe('by title', () => {
  const ordered = [
    '1 thing',
    '2 things',
    '10 things',
    'Ähre',
    'Ast',
    'Élan',
    'ELBE',
    'Øl',
    'Step 1',
    'step 2',
    'Step 10',
    'Step 10a',
    'Zange',
    'Ωμέγα',
    'ёж',
    'жук',
  ]

  test.each(['', '&deleted=true'])('tasks come as in a dictionary, over pages%s', async (trash) => {
    const alice = await signUp()
    for (const title of ordered.toSorted(() => Math.random() - 0.5)) {
      const { id } = await alice.create({ title })
      if (trash !== '') await alice.send('DELETE', `/api/tasks/${id}`)
    }
    const walk = async (query: string) =>
      (await readPages(alice, `/api/tasks?sort=title${trash}${query}`))
        .flat()
        .map(({ title }) => title)

    for (const query of ['', '&limit=1', '&limit=3', '&limit=3&status=pending']) {
      expect(await walk(query)).toEqual(ordered)
      expect(await walk(`${query}&order=desc`)).toEqual(ordered.toReversed())
    }
    expect(await walk('&q=s&limit=2')).toEqual(ordered.filter((title) => /s/i.test(title)))
  })

  test('a change of the title moves the task', async () => {
    const alice = await signUp()
    const { id } = await alice.create({ title: 'Zange' })
    await alice.create({ title: 'Mitte' })
    await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Ähre' })

    expect(await titles(alice, '?sort=title')).toEqual(['Ähre', 'Mitte'])
  })

  test.each(['🌱', '語1', 'x', '1 ', 'ﷺ'])(
    '500 characters fit into the order, of %s',
    async (unit) => {
      const alice = await signUp(`${'🙂'.repeat(200)}${crypto.randomUUID()}`)
      const title = Array.from(unit.repeat(500)).slice(0, 499).join('')
      for (const end of ['a', 'b', 'c']) await alice.create({ title: `${title}${end}` })

      const pages = await readPages(alice, '/api/tasks?sort=title&limit=1')

      expect(new Set(pages.flat().map((task) => task.title)).size).toBe(3)
    },
  )
})

describe('tags that are one to a reader', () => {
  test.each([
    ['in case', ['Home', 'HOME', 'home']],
    ['in composition', ['Café', 'Cafe\u0301']],
    ['in outer space', ['errands', ' errands', 'errands\u3000', '\terrands\n']],
    ['in German', ['Straße', 'STRASSE', 'strasse']],
    ['in Greek', ['ΔΡΟΜΟΣ', 'δρόμος', 'Δρόμος']],
    ['in Turkish', ['Iğdır', 'IĞDIR', 'ığdır']],
    ['in width', ['Ｗｏｒｋ', 'work']],
    ['in what does not show', ['ho\u200Bme', 'home\uFEFF', 'home']],
    ['and are none in lists of PostgreSQL', ['{A,"b"}', '{a,"B"}', ' {a,"b"} ']],
  ])('are one tag, the first: %s', async (_how, spellings) => {
    const alice = await signUp()
    const other = await alice.create({ title: 'Other', tags: ['other'] })

    const task = await alice.create({ tags: ['x', ...spellings, 'y'] })
    const changed = await alice.send('PATCH', `/api/tasks/${other.id}`, {
      tags: spellings.toReversed(),
    })

    expect(task.tags).toEqual(['x', spellings[0], 'y'])
    expect(changed.body.tags).toEqual([spellings.at(-1)])
    for (const spelling of spellings) {
      const query = `?tag=${encodeURIComponent(spelling)}`
      expect((await list(alice, query)).map(({ id }) => id)).toEqual([task.id, other.id])
      expect((await list(alice, `${query}&tag=X`)).map(({ id }) => id)).toEqual([task.id])
    }
  })

  test('are twenty at most before they are one, as the document says', async () => {
    const alice = await signUp()
    const twenty = Array.from({ length: 20 }, (_, n) => 'x'.repeat(n + 1))
    const upper = twenty.map((tag) => tag.toUpperCase())

    expect((await alice.create({ tags: twenty })).tags).toEqual(twenty)
    expectInvalid(
      await alice.send('POST', '/api/tasks', { title: 'A', tags: [...twenty, ...upper] }),
      '/tags',
    )
  })

  test('by an id of the client are the same task once more', async () => {
    const alice = await signUp()
    const task = { id: crypto.randomUUID(), title: 'A', tags: ['Home', 'home'] }
    const created = await alice.create(task)

    expect(await alice.create(task)).toEqual(created)
  })
})

const nothings = [
  [' ', 'a space'],
  ['\t\r\n\v\f', 'line ends'],
  ['\u00A0\u2003\u3000', 'wide spaces'],
  ['\u0085\u2028\u2029', 'line ends of Unicode'],
  ['\u200B\u200D\uFEFF\u2060', 'zero width'],
  ['\u202E\u2066\u061C', 'directions'],
  ['\xAD\uFE0F\u{E0001}', 'hyphens and variations'],
  ['\u3164\u115F\u2800', 'fillers'],
] as const

describe('what shows as nothing', () => {
  test.each(nothings)('is no title and no tag: %j, %s', async (text) => {
    const alice = await signUp()
    const { id } = await alice.create()
    const path = `/api/tasks/${id}`

    const title = await alice.send('POST', '/api/tasks', { title: text })
    expectInvalid(title, '/title')
    expect(title.body.detail).toBe('title must have something to see in it.')
    expectInvalid(await alice.send('PATCH', path, { title: text }), '/title')
    expectInvalid(await alice.send('PUT', path, { title: text }), '/title')
    expectInvalid(
      await alice.send('POST', '/api/tasks', { title: 'A', tags: ['a', text] }),
      '/tags/1',
    )
    expectInvalid(await alice.send('PATCH', path, { tags: [text] }), '/tags/0')
    expectInvalid(await alice.send('GET', `/api/tasks?tag=${encodeURIComponent(text)}`), '/tag/0')
    expect(await list(alice)).toHaveLength(1)
  })

  test.each(nothings)('stays where there is something: %j, %s', async (text) => {
    const alice = await signUp()
    const task = { title: `${text}x${text}`, description: text, tags: [`${text}x`] }

    expect(await alice.create(task)).toMatchObject(task)
  })
})

describe('lengths are in characters', () => {
  test.each(['🌱', '𝒳', '語', '👩'])('at the edge, of %s', async (character) => {
    const alice = await signUp()
    const of = (count: number) => character.repeat(count)
    const most = { title: of(500), description: of(10_000), tags: [of(50)] }

    expect(await alice.create(most)).toMatchObject(most)
    expectInvalid(await alice.send('POST', '/api/tasks', { title: of(501) }), '/title')
    expectInvalid(await alice.send('POST', '/api/tasks', { title: 'A', tags: [of(51)] }), '/tags/0')
    expect(await titles(alice, `?q=${encodeURIComponent(of(200))}`)).toHaveLength(1)
    expectInvalid(await alice.send('GET', `/api/tasks?q=${encodeURIComponent(of(201))}`), '/q')
    expect(await titles(alice, `?tag=${encodeURIComponent(of(50))}`)).toHaveLength(1)
    expectInvalid(await alice.send('GET', `/api/tasks?tag=${encodeURIComponent(of(51))}`), '/tag/0')
  })

  test('of the id of a user, too', async () => {
    const alice = await signUp('🙂'.repeat(255))
    expect((await alice.send('GET', '/api/tasks')).status).toBe(200)

    const bob = await signUp('🙂'.repeat(256))
    expect((await bob.send('GET', '/api/tasks')).status).toBe(401)
  })
})

test('what is imported is found, sorted and stored likewise', async () => {
  const alice = await signUp()
  const created = await alice.create({ title: 'Zange' })
  const task: Task = {
    ...created,
    id: crypto.randomUUID(),
    title: 'Ähre 10',
    description: `Größe ${'x '.repeat(300)}`,
    tags: ['Küche', 'KÜCHE', 'Bad'],
    due_date: '2026-12-01',
    due_time: '18:30:00',
    time_zone: 'europe/berlin',
  }
  const others = ['Ähre 9', 'Ast'].map((title) => ({
    ...task,
    id: crypto.randomUUID(),
    title,
    tags: [],
  }))
  await importTasks(
    db,
    [task, ...others].map((one) => ({ task: one })),
    'test',
  )
  await importTasks(db, [{ task: { ...created, title: 'Bär', version: 2 } }], 'test')

  expect(await titles(alice, '?sort=title')).toEqual(['Ähre 9', 'Ähre 10', 'Ast', 'Bär'])
  expect(await list(alice, '?q=grosse+kuche&tag=kuche&tag=bad')).toMatchObject([
    { tags: ['Küche', 'Bad'], time_zone: 'Europe/Berlin' },
  ])
  expect(await titles(alice, '?q=bar')).toEqual(['Bär'])
  expect(await titles(alice, '?q=zange')).toEqual([])
})

describe('by due date', () => {
  const days: [due_date: string | null, due_time: string | null][] = [
    ['2026-12-01', '00:00:00'],
    ['2026-12-01', '09:05:00'],
    ['2026-12-01', '18:30:00'],
    ['2026-12-01', '23:59:59'],
    ['2026-12-01', null],
    ['2026-12-02', '00:00:00'],
    ['2026-12-02', null],
    ['9999-12-31', '23:59:59'],
    ['9999-12-31', null],
  ]
  const undated: typeof days = [
    [null, null],
    [null, null],
  ]

  test.each(['', '&deleted=true'])(
    'times count, and none is after all of its day%s',
    async (trash) => {
      const alice = await signUp()
      for (const [due_date, due_time] of [...days.toReversed(), ...undated]) {
        const { id } = await alice.create({ due_date, due_time })
        if (trash !== '') await alice.send('DELETE', `/api/tasks/${id}`)
      }
      const walk = async (query: string) =>
        (await readPages(alice, `/api/tasks?sort=due_date${trash}${query}`))
          .flat()
          .map(({ due_date, due_time }) => [due_date, due_time])

      for (const query of ['', '&limit=1', '&limit=2', '&limit=1&status=pending', '&limit=1&q=a']) {
        expect(await walk(query)).toEqual([...days, ...undated])
        expect(await walk(`${query}&order=desc`)).toEqual([...days.toReversed(), ...undated])
      }
      const within = '&due_after=2026-12-01&due_before=2026-12-01'
      for (const query of ['', '&limit=1']) {
        expect(await walk(`${within}${query}`)).toEqual(days.slice(0, 5))
        expect(await walk(`${within}${query}&order=desc`)).toEqual(days.slice(0, 5).toReversed())
      }
      expect(await walk('&due_after=2026-12-02&limit=1')).toEqual(days.slice(5))
      expect(await walk('&due_before=9999-12-31')).toEqual(days)
    },
  )
})

describe('time_zone', () => {
  const due = { due_date: '2026-12-01', due_time: '18:30:00' }

  test.each([
    ['europe/berlin', 'Europe/Berlin'],
    ['AMERICA/PORT-AU-PRINCE', 'America/Port-au-Prince'],
    ['america/argentina/buenos_aires', 'America/Argentina/Buenos_Aires'],
    ['Africa/dar_Es_salaam', 'Africa/Dar_es_Salaam'],
    ['antarctica/dumontdurville', 'Antarctica/DumontDUrville'],
    ['asia/calcutta', 'Asia/Calcutta'],
    ['europe/kyiv', 'Europe/Kyiv'],
    ['etc/gmt+5', 'Etc/GMT+5'],
    ['us/pacific', 'US/Pacific'],
    ['utc', 'UTC'],
  ])('%s is stored as %s', async (given, time_zone) => {
    const alice = await signUp()

    const created = await alice.create({ ...due, time_zone: given })
    const other = await alice.create(due)
    const changed = await alice.send('PATCH', `/api/tasks/${other.id}`, { time_zone: given })

    expect([created.time_zone, changed.body.time_zone]).toEqual([time_zone, time_zone])
    expect(
      (await alice.send('PATCH', `/api/tasks/${other.id}`, { time_zone: null })).body,
    ).toMatchObject({
      time_zone: null,
    })
  })

  test.each([
    'CET',
    'EET',
    'MET',
    'WET',
    'cet',
    'EST',
    'MST',
    'HST',
    'EST5EDT',
    'PST8PDT',
    'GMT',
    'GMT0',
    'Japan',
    'Singapore',
    'PRC',
    'Zulu',
    'Factory',
    'Etc/Unknown',
    'SystemV/PST8',
    'PST',
    'IST',
    'US/Pacific-New',
    'canada/east-saskatchewan',
    'Asia/Riyadh87',
    'posix/Europe/Berlin',
    'utc ',
  ])('%s, which not all know, is refused', async (time_zone) => {
    const alice = await signUp()
    const { id } = await alice.create(due)

    const created = await alice.send('POST', '/api/tasks', { title: 'A', ...due, time_zone })
    const changed = await alice.send('PATCH', `/api/tasks/${id}`, { time_zone })

    expectInvalid(created, '/time_zone')
    expectInvalid(changed, '/time_zone')
    expect(created.body.detail).toContain('such as Europe/Berlin, or UTC')
  })

  test('is known to the database by the same name, whichever is taken', async () => {
    const rows = await sql<{ name: string }[]>`select name from pg_timezone_names`
    const names = new Set(rows.map(({ name }) => name))

    // Not all that there is: its time zones may be of another year.
    for (const name of Intl.supportedValuesOf('timeZone')) {
      expect([name, timeZoneOf(name.toLowerCase())]).toEqual([name, name])
    }
    const places = [...names].filter((name) => /^(?!posix|right)\w+\//.test(name))
    expect(places.length).toBeGreaterThan(500)
    for (const name of places) expect([name, timeZoneOf(name.toUpperCase())]).toEqual([name, name])
    for (const name of ['Asia/Calcutta', 'Etc/GMT+5', 'UTC', 'US/Pacific'])
      expect(names).toContain(name)
  })
})
