import { expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { Unavailable } from '../../src/database/gate/faults.ts'
import { everything, exportOf, importLines, parsed } from '../exports/support.ts'
import { lists, names } from '../lists/support.ts'
import { createTestApp, db, send, signUp, sql, type TestUser } from '../support/app.ts'
import { temporaryFolder } from '../support/database.ts'
import { faultsOf, readLog } from '../support/log.ts'
import { instant, linesOf, listOf, taskOf } from '../support/moving.ts'
import { docket } from '../support/process.ts'
import { expectInvalid, list } from '../support/tasks.ts'

const report = { skipped: 0, warnings: [], warning_count: 0 }

test('what one exports another one imports, and not a byte changes but whose it is', async () => {
  const [alice, bob] = [await signUp(), await signUp(`${crypto.randomUUID()} ü`)]
  const lines = linesOf(everything(alice.id))

  const first = await importLines(alice, lines)
  const hers = await exportOf(alice)
  const second = await importLines(bob, hers, '?from=docket')
  const his = await exportOf(bob)

  expect([first.status, first.body]).toMatchObject([200, { ...report, tasks: 7, lists: 3 }])
  expect(hers).toBe(lines)
  expect(second.body).toMatchObject({ ...report, tasks: 7, lists: 3 })
  expect(his).toBe(hers.replaceAll(alice.id, bob.id))
  expect(await exportOf(alice)).toBe(hers)
  for (const { id } of [alice, bob]) expect(faultsOf(await readLog(sql, [id]))).toEqual([])
})

test('twice is once, and of two versions the later one stays', async () => {
  const alice = await signUp()
  const lines = everything(alice.id)
  await importLines(alice, lines)
  const before = await exportOf(alice)

  const again = await importLines(alice, lines)
  expect(again.body).toMatchObject({ ...report, tasks: 0, lists: 0, skipped: 7 })
  expect(await exportOf(alice)).toBe(before)

  const task = taskOf(alice.id, { version: 5 })
  const put = async (...more: object[]) => (await importLines(alice, more)).body
  expect(await put({ task })).toMatchObject({ tasks: 1, skipped: 0 })
  expect(await put({ task: { ...task, version: 4 } }, { task })).toMatchObject({
    tasks: 0,
    skipped: 1,
  })
  const later = { ...task, title: 'Later', version: 6 }
  expect(await put({ task: later }, { task })).toMatchObject({ tasks: 1, skipped: 0 })
  expect((await alice.send('GET', `/api/tasks/${task.id}`)).body).toEqual(later)
  const changed = (await alice.send('PATCH', `/api/tasks/${task.id}`, { title: 'Mine' })).body
  expect(await put({ task: later })).toMatchObject({ tasks: 0, skipped: 1 })
  expect((await alice.send('GET', `/api/tasks/${task.id}`)).body).toEqual(changed)
})

test('is what both commands read and write', async () => {
  const env = { DATA_DIR: temporaryFolder() }
  const alice = await signUp()
  const lines = linesOf(everything(alice.id))
  await importLines(alice, lines)
  const { id } = await alice.create({ title: 'Since' })
  await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' })

  const whole = await exportOf(alice, '')
  expect((await docket(['import'], { env, input: whole })).stdout).toContain(
    'Imported 8 of 8 tasks.',
  )
  const moved = (await docket(['export', '--user', alice.id], { env })).stdout

  // The command’s own import is one more change.
  const withoutLast = parsed(moved).map((line) =>
    'history' in line ? { ...line, history: line['history'].slice(0, -1) } : line,
  )
  expect(withoutLast).toEqual(parsed(whole))
  const bob = await signUp()
  expect((await importLines(bob, moved)).body).toMatchObject({
    tasks: 8,
    lists: 3,
    warning_count: 1,
  })
  expect(await exportOf(bob)).toBe((await exportOf(alice)).replaceAll(alice.id, bob.id))
}, 60_000)

test('what only a frontend knows is taken where one is there that does', async () => {
  const alice = await signUp()
  const task = { ...taskOf(alice.id), extra: { mood: ['fine', null] } }
  const app = createTestApp({ compat: readConfig({ COMPAT: 'unknown=keep' }).compat })

  const without = await importLines(alice, [{ task }])
  expect(without.body).toMatchObject({ tasks: 1, warning_count: 1 })
  expect(await exportOf(alice)).not.toContain('mood')

  const later = { ...task, version: 9 }
  expect((await importLines(alice, [{ task: later }], '', app)).body).toMatchObject({
    ...report,
    tasks: 1,
  })
  expect(parsed(await exportOf(alice))[1]).toEqual({ task: later })
})

test('is in the log as imported by who asks, and undone by its request', async () => {
  const alice = await signUp()
  const { id } = await alice.create({ title: 'Mine' })
  const task = taskOf('somebody else', { title: 'Theirs' })
  const history = [
    {
      at: instant(1),
      by: { kind: 'session', name: 'Eve' },
      request_id: 'x',
      action: 'created',
      before: null,
    },
    {
      at: instant(2),
      by: null,
      request_id: null,
      action: 'updated',
      before: { ...task, version: 1 },
    },
  ]

  const { body, headers } = await importLines(alice, [
    { list: listOf('somebody else') },
    { task, history },
  ])

  expect(body.request_id).toBe(headers.get('x-request-id'))
  // Nobody writes into the log that somebody else has done something.
  expect(body.warnings).toEqual([
    { line: null, what: expect.stringContaining('stays in the file') },
  ])
  expect((await alice.send('GET', `/api/tasks/${task.id}/history`)).body).toMatchObject([
    { action: 'imported', by: { kind: 'jwt' }, request_id: body.request_id },
  ])
  expect((await alice.send('POST', '/api/undo', { request_id: body.request_id })).status).toBe(200)
  expect((await list(alice)).map((one) => one.id)).toEqual([id])
  expect(await lists(alice)).toEqual([])
})

test('names each line that is wrong, and writes nothing', async () => {
  const alice = await signUp()
  const good = { task: taskOf(alice.id) }
  const text = (line: unknown) => (typeof line === 'string' ? line : JSON.stringify(line))
  const faultsIn = async (...bad: unknown[]) => {
    const answer = await importLines(
      alice,
      [good, ...bad].map((line) => `${text(line)}\n`).join(''),
    )
    expect([answer.status, answer.body.code]).toEqual([422, 'invalid'])
    expect(answer.body.detail).toEndWith(' Nothing was imported.')
    return answer.body.errors.map(({ detail }: { detail: string }) => detail)
  }

  expect(
    await faultsIn(
      '{',
      '',
      { task: { ...taskOf(alice.id), title: '' } },
      { task: { ...taskOf(alice.id), colour: 'red' } },
      { list: { ...listOf(alice.id), version: 2 ** 31 } },
      { user: { id: alice.id } },
      { webhook: {} },
      '{"task": {}, "task": {}}',
      `{"task":${'['.repeat(20)}${']'.repeat(20)}}`,
      '\ufeff\ufeff{}',
    ),
  ).toEqual([
    'Line 2: it is not JSON in UTF-8.',
    'Line 4: title must not be empty.',
    expect.stringContaining('Line 5: colour is not known here'),
    'Line 6: version must be at most 2000000000.',
    'Line 7: created_at is required.',
    expect.stringContaining('Line 8: '),
    'Line 9: it has the same name twice.',
    'Line 10: it is nested too deeply.',
    'Line 11: it is not JSON in UTF-8.',
  ])
  expect(await faultsIn(...Array.from({ length: 100 }, () => '?'))).toHaveLength(20)
  const filter = (n: number) => ({
    filter: {
      id: crypto.randomUUID(),
      user_id: 'x',
      name: `${n}`,
      filter: '#home',
      created_at: instant(1),
      updated_at: instant(1),
    },
  })
  expect(await faultsIn(...Array.from({ length: 1001 }, (_, n) => filter(n)))).toEqual([
    'Line 1002: a file has 1000 filters at most.',
  ])
  expect(await faultsIn('[')).toEqual(['Line 2: it is not JSON in UTF-8.'])
  expect(await faultsIn(`"${'x'.repeat(4 * 1024 * 1024)}"`)).toEqual([
    'Line 2: it has more than 4194304 bytes.',
  ])
  expect(await faultsIn('['.repeat(4_000_000))).toEqual(['Line 2: it is not JSON in UTF-8.'])
  expect(await exportOf(alice)).toBe('')
})

test('takes what editors do to a file, and a file of nothing', async () => {
  const alice = await signUp()
  const [one, two] = [taskOf(alice.id), taskOf(alice.id)].map((task) => JSON.stringify({ task }))

  const { body } = await importLines(alice, `\ufeff\r\n${one}\r\n\r\n  \n\ufeff${two}`)

  expect(body).toMatchObject({ ...report, tasks: 2 })
  expect((await importLines(alice, '')).body).toMatchObject({ ...report, tasks: 0, lists: 0 })
  expect((await importLines(alice, '\n \r\n')).body).toMatchObject({ ...report, tasks: 0 })
})

test('what is in a list or under a task that is not there comes without, with a word', async () => {
  const alice = await signUp()
  const nowhere = crypto.randomUUID()
  const [home, away, gone] = [listOf('x'), listOf('x'), listOf('x', { deleted_at: instant(3) })]
  const top = taskOf('x', { title: 'Top', list_id: home.id })
  const [a, b] = [taskOf('x', { title: 'A' }), taskOf('x', { title: 'B' })]
  const chain = Array.from({ length: 7 }, (_, n) => taskOf('x', { title: `Level ${n}` }))
  const tasks = [
    top,
    taskOf('x', { title: 'No list', list_id: nowhere }),
    taskOf('x', { title: 'Gone list', list_id: gone.id }),
    taskOf('x', { title: 'Orphan', parent_id: nowhere }),
    taskOf('x', { title: 'Elsewhere', list_id: away.id, parent_id: top.id }),
    taskOf('x', { title: 'Under trash', parent_id: chain[6]?.id ?? null }),
    { ...a, parent_id: b.id },
    { ...b, parent_id: a.id },
    ...chain.map((task, n) => ({
      ...task,
      parent_id: chain[n - 1]?.id ?? null,
      deleted_at: n === 6 ? instant(3) : null,
    })),
  ]

  const lines = [home, away, gone].map((one) => ({ list: one }))
  const dry = await importLines(
    alice,
    [...lines, ...tasks.map((task) => ({ task }))],
    '?dry_run=true',
  )
  expect(await exportOf(alice)).toBe('')
  const { status, body } = await importLines(alice, [...lines, ...tasks.map((task) => ({ task }))])

  expect([status, body.tasks, body.lists]).toEqual([200, tasks.length, 3])
  expect([dry.body.tasks, dry.body.lists]).toEqual([tasks.length, 3])
  const told = body.warnings.map(({ what }: { what: string }) => what)
  expect(told).toEqual([
    '“No list”: its list is neither in the file nor here: it comes into the inbox.',
    '“Gone list”: its list is in the trash: it comes into the inbox.',
    '“Orphan”: what it is under is neither in the file nor here: it comes under nothing.',
    '“Under trash”: it is deeper than 5 levels: it comes under nothing.',
    '“A”: it is under itself: it comes under nothing.',
    '“Level 5”: it is deeper than 5 levels: it comes under nothing.',
    '“Elsewhere”: it comes under nothing: list_id is not the list of the parent.',
  ])
  expect(dry.body.warnings).toEqual(body.warnings.slice(0, 6))
  const all = parsed(await exportOf(alice)).flatMap(({ task }) => task ?? [])
  const of = (title: string) => all.find((task) => task.title === title)
  expect(of('No list').list_id).toBeNull()
  expect(of('Gone list').list_id).toBeNull()
  expect(of('B').parent_id).toBe(a.id)
  expect(of('Level 4').parent_id).toBe(chain[3]?.id)
  expect(of('Level 6').parent_id).toBe(chain[5]?.id)
})

test('goes on where one ended half way, and leaves what was changed since', async () => {
  const alice = await signUp()
  const [parent, child, other] = [taskOf(alice.id), taskOf(alice.id), taskOf(alice.id)]
  // As if the first had ended before tasks were put under others.
  await importLines(
    alice,
    [parent, child, other].map((task) => ({ task })),
  )
  await alice.send('PATCH', `/api/tasks/${other.id}`, { title: 'Mine' })

  const lines = [parent, { ...child, parent_id: parent.id }, { ...other, parent_id: parent.id }]
  const { body } = await importLines(
    alice,
    lines.map((task) => ({ task })),
  )

  expect(body).toMatchObject({ ...report, tasks: 0, skipped: 3 })
  expect((await alice.send('GET', `/api/tasks/${child.id}`)).body.parent_id).toBe(parent.id)
  expect((await alice.send('GET', `/api/tasks/${other.id}`)).body.parent_id).toBeNull()
})

test('wherever it ends, the same file once more makes it whole', async () => {
  /** An app whose database is gone after so many statements that write. */
  const appThatEnds = (after: number) => {
    let left = after
    const failing: typeof db = {
      ...db,
      for: (request, user) => {
        const way = db.for(request, user)
        return {
          read: (statement) => way.read(statement),
          write: (statement) => way.write(statement),
          share: (shared, ask) => way.share(shared, ask),
          idempotentWrite: (statement) => {
            left -= 1
            if (left < 0) throw new Unavailable('the database is gone')
            return way.idempotentWrite(statement)
          },
        }
      },
    }
    return createTestApp({ db: failing })
  }
  const orderless = (text: string, { id }: TestUser) =>
    parsed(text)
      .map((line) => JSON.stringify(line).replaceAll(id, 'whose'))
      .toSorted()
  const [home, away] = [listOf('x'), listOf('x', { name: 'Away' })]
  const top = taskOf('x', { list_id: home.id })
  const below = taskOf('x', { list_id: home.id, parent_id: top.id })
  const user = { user: { id: 'x', created_at: instant(1) } }
  const earlier = [user, { list: home }, { list: away }, { task: top }, { task: below }]
  const later = [
    { task: { ...top, list_id: away.id, version: 9 } },
    { task: { ...below, list_id: away.id, version: 9 } },
    { list: { ...home, version: 9, deleted_at: instant(9) } },
  ]

  for (const [before, lines] of [
    [[], everything('x')],
    [earlier, later],
  ] as const) {
    const whole = await signUp()
    for (const some of [before, lines]) await importLines(whole, [...some])
    const expected = orderless(await exportOf(whole), whole)
    let count = 0
    for (let isWhole = false; !isWhole; count += 1) {
      const alice = await signUp()
      await importLines(alice, [...before])
      const first = await importLines(alice, [...lines], '', appThatEnds(count))
      isWhole = first.status === 200
      if (!isWhole) expect([first.status, first.body.code]).toEqual([503, 'unavailable'])
      const { status, body } = await importLines(alice, [...lines])
      expect([status, body.warnings]).toEqual([200, []])
      expect(orderless(await exportOf(alice), alice)).toEqual(expected)
    }
    expect(count).toBeGreaterThan(4)
  }
})

test('later versions move what is there, and lists into the trash', async () => {
  const alice = await signUp()
  const [home, away] = [listOf(alice.id), listOf(alice.id, { name: 'Away' })]
  const parent = taskOf(alice.id, { list_id: home.id })
  const child = taskOf(alice.id, { list_id: home.id, parent_id: parent.id })
  await importLines(alice, [{ list: home }, { list: away }, { task: parent }, { task: child }])

  const { body } = await importLines(alice, [
    { task: { ...parent, list_id: away.id, version: 9 } },
    { task: { ...child, list_id: away.id, version: 9 } },
    { list: { ...home, version: 9, deleted_at: instant(9) } },
  ])

  expect(body).toMatchObject({ ...report, tasks: 2, lists: 1 })
  expect(await names(alice)).toEqual(['Away'])
  expect((await alice.send('GET', `/api/tasks/${child.id}`)).body).toMatchObject({
    list_id: away.id,
    parent_id: parent.id,
  })
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('nothing is later than now, whatever a file says', async () => {
  const alice = await signUp()
  const far = '9999-12-31T23:59:59.999999+00:00'
  const task = taskOf(alice.id, {
    created_at: far,
    updated_at: far,
    deleted_at: far,
    completed_at: far,
    completed: true,
  })
  const other = taskOf(alice.id)

  await importLines(alice, [
    { user: { id: 'x', created_at: far } },
    { list: listOf('x', { created_at: far, archived_at: far }) },
    { task },
    { task: { ...other, parent_id: null } },
  ])

  const text = await exportOf(alice)
  expect(text).not.toContain('9999')
  expect(parsed(text)).toHaveLength(4)
})

test('takes 500 lists and 200 filters at most, and what is of the others all the same', async () => {
  const alice = await signUp()
  const many = Array.from({ length: 502 }, (_, n) => listOf('x', { name: `List ${n}` }))
  const filters = Array.from({ length: 202 }, (_, n) => ({
    filter: {
      id: crypto.randomUUID(),
      user_id: 'x',
      name: `Filter ${n === 1 ? 0 : n}`,
      filter: '#home',
      created_at: instant(1),
      updated_at: instant(1),
    },
  }))
  const task = taskOf('x', { title: 'In it', list_id: many[501]?.id ?? null })

  const { body } = await importLines(alice, [
    { task },
    ...filters,
    ...many.map((one) => ({ list: one })),
  ])

  expect(body).toMatchObject({ tasks: 1, lists: 500 })
  expect(body.warnings.map(({ what }: { what: string }) => what)).toEqual([
    'The list “List 500” is one list more than the 500 that there can be.',
    'The list “List 501” is one list more than the 500 that there can be.',
    'The filter “Filter 0” is not taken: name is that of another filter.',
    'The filter “Filter 200” is not taken: there are 200 already.',
    'The filter “Filter 201” is not taken: there are 200 already.',
    '“In it”: its list is neither in the file nor here: it comes into the inbox.',
  ])
  expect((await alice.send('GET', '/api/filters')).body).toHaveLength(199)
})

test('counts for the quota, and makes nothing where it is too much', async () => {
  const alice = await signUp()
  const lines = Array.from({ length: 10 }, () => ({ task: taskOf(alice.id) }))
  const app = (tasks: number | null, bytes: number | null) =>
    createTestApp({ quota: { tasks, bytes } })

  for (const small of [app(9, null), app(null, 5000)]) {
    const refused = await importLines(alice, lines, '', small)
    expect([refused.status, refused.body.code]).toEqual([422, 'quota_exceeded'])
  }
  expect(await exportOf(alice)).toBe('')

  expect((await importLines(alice, lines, '', app(10, 9000))).body.tasks).toBe(10)
  // What is there adds nothing, nor does a later version of as much.
  const later = lines.map(({ task }) => ({ task: { ...task, version: 3 } }))
  expect((await importLines(alice, lines, '', app(10, 9000))).body.skipped).toBe(10)
  expect((await importLines(alice, later, '', app(10, 9000))).body.tasks).toBe(10)
})

test('of several at once makes everything once', async () => {
  const alice = await signUp()
  const lines = everything(alice.id)

  const answers = await Promise.all([1, 2, 3, 4].map(() => importLines(alice, lines)))

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(parsed(await exportOf(alice)).length).toBe(lines.length)
  expect(faultsOf(await readLog(sql, [alice.id]))).toEqual([])
})

test('reminds of nothing that is past', async () => {
  const alice = await signUp()
  const due = (due_date: string) => taskOf(alice.id, { due_date, reminders: ['-PT30M'] })
  const [soon, past] = [due('2099-01-01'), due('2020-01-01')]

  await importLines(alice, [{ task: soon }, { task: past }])

  const alarms = await sql`select task_id from docket.alarms where user_id = ${alice.id}`
  expect(alarms.map(({ task_id }) => task_id)).toEqual([soon.id])
})

test('moves 10,000 tasks, and tells of a file that is too large', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const tasks = Array.from({ length: 10_000 }, (_, n) => {
    const id = `${n.toString(16).padStart(8, '0')}-0000-7000-8000-${'0'.repeat(12)}`
    return {
      task: taskOf(alice.id, {
        id,
        title: `Task ${n}`,
        position: `i${n.toString(16).padStart(9, '0')}`,
      }),
    }
  })
  const user = { user: { id: alice.id, created_at: instant(1) } }
  const lines = linesOf([user, ...tasks])

  expect((await importLines(alice, lines)).body).toMatchObject({ ...report, tasks: 10_000 })
  const text = await exportOf(alice)
  expect(text === lines).toBe(true)
  expect((await importLines(bob, text)).body).toMatchObject({ ...report, tasks: 10_000 })
  expect((await importLines(alice, text)).body).toMatchObject({ tasks: 0, skipped: 10_000 })

  const large = new Uint8Array(64 * 1024 * 1024 + 1).fill(32)
  const { status } = await send('POST', '/api/me/import', {
    headers: { authorization: alice.authorization, 'content-type': 'application/jsonl' },
    raw: large,
  })
  expect(status).toBe(413)
}, 120_000)

test('takes no file under a type that is none', async () => {
  const alice = await signUp()
  const call = (type: string, query = '') =>
    send('POST', `/api/me/import${query}`, {
      headers: { authorization: alice.authorization, 'content-type': type },
      raw: linesOf([{ task: taskOf('x') }]),
    })

  for (const type of [
    'application/x-ndjson',
    'application/ndjson; charset=utf-8',
    'application/jsonl',
    'text/plain',
    'application/octet-stream',
  ]) {
    expect((await call(type)).status).toBe(200)
  }
  expect((await call('application/x-www-form-urlencoded')).status).toBe(415)
  expect((await call('application/jsonl', '?from=todoist')).status).toBe(422)
  expectInvalid(await call('application/jsonl', '?from=asana'), '/from')
})
