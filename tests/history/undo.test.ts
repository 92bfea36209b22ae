import { expect, test } from 'bun:test'
import { createTestApp, send, signUp, sql, type TestUser } from '../support/app.ts'
import { expectInvalid, fullTask, list } from '../support/tasks.ts'
import { act, historyOf, make, stateOf, undo } from './support.ts'

const path = (id: string, rest = '') => `/api/tasks/${id}${rest}`

const seqOf = async (user: TestUser, id: string): Promise<number> =>
  (await historyOf(user, id))[0]?.seq ?? 0

const changes: [string, (user: TestUser, id: string) => ReturnType<typeof act>][] = [
  [
    'a patch of every field',
    (user, id) =>
      act(user, 'PATCH', path(id), {
        title: 'Other',
        description: null,
        priority: 'none',
        tags: ['x', 'Y'],
        due_date: null,
        due_time: null,
        time_zone: null,
        reminders: null,
        completed: false,
      }),
  ],
  [
    'a long description',
    (user, id) => act(user, 'PATCH', path(id), { description: 'ä'.repeat(9000) }),
  ],
  ['a reopening', (user, id) => act(user, 'POST', path(id, '/complete'), { completed: false })],
  ['a deletion', (user, id) => act(user, 'DELETE', path(id))],
]

test.each(changes)('takes back %s to the letter, and does it again', async (_name, change) => {
  const alice = await signUp()
  const { task } = await make(alice, fullTask)
  const before = await stateOf(alice)
  const { request } = await change(alice, task.id)
  const after = await stateOf(alice)
  expect(after).not.toEqual(before)

  const undone = await undo(alice, { request_id: request })
  const back = await stateOf(alice)
  const redone = await undo(alice, { request_id: undone.request })

  expect(undone.status).toBe(200)
  expect(undone.body).toEqual([
    {
      seq: expect.any(Number),
      type: 'task',
      id: task.id,
      task: expect.objectContaining({ ...before[0], version: 3 }),
    },
  ])
  expect(back).toEqual(before)
  expect(redone.status).toBe(200)
  expect(await stateOf(alice)).toEqual(after)
})

test('keeps what there was of a completion and of a deletion, to the microsecond', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { body: completed } = await act(alice, 'POST', path(task.id, '/complete'))
  const reopened = await act(alice, 'POST', path(task.id, '/complete'))
  await undo(alice, { request_id: reopened.request })
  const { body: deleted } = await act(alice, 'DELETE', path(task.id))
  const restored = await act(alice, 'POST', path(task.id, '/restore'))
  await undo(alice, { request_id: restored.request })

  const [trashed] = await list(alice, '?deleted=true')

  expect(trashed?.completed_at).toBe(completed.completed_at)
  expect(trashed?.deleted_at).toBe(deleted.deleted_at)
})

test('finds by its words what was undone', async () => {
  const alice = await signUp()
  const { task } = await make(alice, { title: 'Réunion', tags: ['Büro'], description: 'Straße' })
  const patch = { title: 'B', tags: [], description: null }
  const { request } = await act(alice, 'PATCH', path(task.id), patch)
  await undo(alice, { request_id: request })

  for (const query of ['?q=reunion', '?tag=buro', '?q=strasse']) {
    expect(await list(alice, query)).toHaveLength(1)
  }
})

test('puts into the trash what was created, and brings it back', async () => {
  const alice = await signUp()
  const { task, request } = await make(alice, fullTask)

  const { body, request: again } = await undo(alice, { request_id: request })
  expect(body[0].task.deleted_at).toBe(body[0].task.updated_at)
  expect(await list(alice)).toEqual([])
  await undo(alice, { request_id: again })

  expect(await list(alice)).toMatchObject([{ ...task, version: 3, updated_at: expect.any(String) }])
})

test('leaves in the trash what was created and is there already', async () => {
  const alice = await signUp()
  const { task, request } = await make(alice)
  await act(alice, 'DELETE', path(task.id))
  const before = await stateOf(alice)

  const { status, body } = await undo(alice, { request_id: request })

  expect([status, body]).toEqual([200, []])
  expect(await stateOf(alice)).toEqual(before)
})

test('does not put into the trash what somebody has made something of, unless forced', async () => {
  const alice = await signUp()
  const { task, request } = await make(alice)
  await act(alice, 'PATCH', path(task.id), { title: 'B', priority: 'high' })

  const refused = await undo(alice, { request_id: request })
  const forced = await undo(alice, { request_id: request, force: true })

  expect(refused.status).toBe(409)
  expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    `/tasks/${task.id}/title`,
    `/tasks/${task.id}/priority`,
  ])
  expect(forced.body).toMatchObject([{ task: { title: 'B', deleted_at: expect.any(String) } }])
})

test('names the field that was changed since, undoes nothing then, and all of it if forced', async () => {
  const alice = await signUp()
  const tasks = [await make(alice), await make(alice), await make(alice)]
  const by = { 'x-request-id': crypto.randomUUID() }
  for (const { task } of tasks) {
    await act(alice, 'PATCH', path(task.id), { title: 'By the agent', priority: 'high' }, by)
  }
  const [first, second] = tasks.map(({ task }) => task.id)
  await act(alice, 'PATCH', path(first ?? ''), { title: 'Mine', description: 'Mine too' })
  await act(alice, 'PATCH', path(second ?? ''), { tags: ['mine'] })
  const before = await stateOf(alice)

  const refused = await undo(alice, { request_id: by['x-request-id'] })
  expect(refused.status).toBe(409)
  expect(refused.body).toMatchObject({
    code: 'conflict',
    detail: expect.stringContaining(`title of the task ${first}`),
    errors: [{ pointer: `/tasks/${first}/title`, detail: 'was changed since' }],
  })
  expect(await stateOf(alice)).toEqual(before)

  const forced = await undo(alice, { request_id: by['x-request-id'], force: true })
  expect(forced.body).toHaveLength(3)
  const after = await stateOf(alice)
  expect(after.map(({ title, priority }) => [title, priority])).toEqual(
    tasks.map(() => ['A', 'none']),
  )
  expect(after.find(({ id }) => id === first)?.description).toBe('Mine too')
  expect(after.find(({ id }) => id === second)?.tags).toEqual(['mine'])
})

test('keeps what others have changed in other fields', async () => {
  const alice = await signUp()
  const { task } = await make(alice, { due_date: '2026-12-01' })
  const { request } = await act(alice, 'PATCH', path(task.id), { title: 'B', due_date: null })
  await act(alice, 'PATCH', path(task.id), { description: 'New', tags: ['new'] })
  await act(alice, 'POST', path(task.id, '/complete'))

  const { status } = await undo(alice, { request_id: request })

  expect(status).toBe(200)
  expect(await list(alice)).toMatchObject([
    { title: 'A', due_date: '2026-12-01', description: 'New', tags: ['new'], completed: true },
  ])
})

test('is content where somebody has done the same, and changes nothing', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), { title: 'B' })
  const { body: before } = await act(alice, 'PATCH', path(task.id), { title: 'A' })

  const { status, body } = await undo(alice, { request_id: request })

  expect([status, body]).toEqual([200, []])
  expect(await list(alice)).toEqual([before])
})

test('is a conflict where another field needs the one that would go', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), { due_date: '2026-12-01' })
  await act(alice, 'PATCH', path(task.id), { due_time: '10:00', time_zone: 'Europe/Berlin' })

  const refused = await undo(alice, { request_id: request })
  const forced = await undo(alice, { request_id: request, force: true })

  expect([refused.status, refused.body.errors[0].pointer]).toEqual([
    409,
    `/tasks/${task.id}/due_time`,
  ])
  expect(forced.status).toBe(200)
  expect(await list(alice)).toMatchObject([{ due_date: null, due_time: null, time_zone: null }])
})

test('undoes one change by its number, also an older one', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await act(alice, 'PATCH', path(task.id), { title: 'B' })
  const seq = await seqOf(alice, task.id)
  await act(alice, 'PATCH', path(task.id), { tags: ['x'] })

  const { body } = await undo(alice, { seq })

  expect(body).toMatchObject([{ seq: seq + 2, task: { title: 'A', tags: ['x'] } }])
})

test('undoes all since a number, and all since an instant', async () => {
  const alice = await signUp()
  const [one, two] = [await make(alice), await make(alice)]
  const since = await seqOf(alice, two.task.id)
  const before = await stateOf(alice)
  const change = async () => {
    const { body } = await act(alice, 'PATCH', path(one.task.id), { title: 'B' })
    await act(alice, 'PATCH', path(one.task.id), { title: 'C', priority: 'low' })
    await act(alice, 'DELETE', path(two.task.id))
    return body.updated_at
  }

  await change()
  const byNumber = await undo(alice, { since })
  const afterNumber = await stateOf(alice)
  const instant = await change()
  const byInstant = await undo(alice, { since: instant })

  expect(byNumber.body).toHaveLength(2)
  expect(afterNumber).toEqual(before)
  expect(byInstant.body).toHaveLength(2)
  expect(await stateOf(alice)).toEqual(before)
})

/** The same user, as somebody who has another name. */
async function alsoKnownAs(user: TestUser, name: string): Promise<TestUser> {
  const { sign } = await import('../support/app.ts')
  const authorization = `Bearer ${await sign({ sub: user.id, name })}`
  return {
    ...user,
    authorization,
    send: (method, at, body, headers = {}) =>
      send(method, at, { headers: { authorization, ...headers }, body }),
  }
}

test('undoes what one has done since, and not what another has', async () => {
  const alice = await signUp()
  const bot = await alsoKnownAs(alice, 'Bot')
  const { task } = await make(alice)
  const since = await seqOf(alice, task.id)
  await act(bot, 'PATCH', path(task.id), { title: 'By the bot' })
  await act(alice, 'PATCH', path(task.id), { description: 'Mine' })
  const { task: own } = await make(alice, { title: 'Mine' })

  expect((await undo(alice, { since, by: { name: 'Nobody' } })).status).toBe(404)
  expect((await undo(alice, { since, by: { kind: 'session', name: 'Bot' } })).status).toBe(404)
  const { body } = await undo(alice, { since, by: { kind: 'jwt', name: 'Bot' } })

  expect(body).toMatchObject([{ id: task.id, task: { title: 'A', description: 'Mine' } }])
  expect((await list(alice)).map(({ id }) => id)).toContain(own.id)
})

test('names the one who came between two changes of the same field', async () => {
  const alice = await signUp()
  const bot = await alsoKnownAs(alice, 'Bot')
  const { task } = await make(alice)
  const since = await seqOf(alice, task.id)
  for (const [user, title] of [
    [bot, 'B'],
    [alice, 'Mine'],
    [bot, 'C'],
  ] as const) {
    await act(user, 'PATCH', path(task.id), { title })
  }

  const { status, body } = await undo(alice, { since, by: { name: 'Bot' } })

  expect([status, body.errors[0].pointer]).toEqual([409, `/tasks/${task.id}/title`])
})

test('has in the history what it was, by whom and in which request', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const done = await act(alice, 'POST', path(task.id, '/complete'))
  const first = await undo(alice, { request_id: done.request })
  const second = await undo(alice, { request_id: first.request })

  const history = await historyOf(alice, task.id)

  expect(history.map(({ action, request_id }) => [action, request_id])).toEqual([
    ['completed', second.request],
    ['reopened', first.request],
    ['completed', done.request],
    ['created', expect.any(String)],
  ])
})

test('is 404 for what there is not, or is of somebody else', async () => {
  const [alice, bob] = [await signUp(), await signUp()]
  const { task, request } = await make(alice)
  await make(bob)
  const seq = await seqOf(alice, task.id)

  for (const body of [
    { request_id: request },
    { request_id: 'never' },
    { seq: seq + 1000 },
    { since: 1 },
    { since: 1000 },
    { since: '2100-01-01T00:00:00Z' },
    { since: 0, by: { kind: 'program' } },
  ]) {
    expect([body, (await undo(bob, body)).status]).toEqual([body, 404])
  }
  expect((await undo(await signUp(), { since: 0 })).status).toBe(404)
  expect(await list(alice)).toEqual([task])
  expect(await list(bob)).toHaveLength(1)
})

test.each<[string, object, string[]]>([
  ['nothing', {}, ['']],
  ['force alone', { force: true }, ['']],
  ['two', { seq: 1, request_id: 'x' }, ['/request_id', '/seq']],
  ['all three', { seq: 1, since: 0, request_id: 'x' }, ['/request_id', '/seq', '/since']],
  ['an unknown field', { seq: 1, id: 'x' }, ['/id']],
  ['no number', { seq: '1' }, ['/seq']],
  ['zero', { seq: 0 }, ['/seq']],
  ['a fraction', { seq: 1.5 }, ['/seq']],
  ['a number beyond all', { seq: 2 ** 53 }, ['/seq']],
  ['less than nothing', { since: -1 }, ['/since']],
  ['no instant', { since: 'yesterday' }, ['/since']],
  ['a day', { since: '2026-11-20' }, ['/since']],
  ['an instant that is none', { since: '2026-02-31T00:00:00Z' }, ['/since']],
  ['an instant without an offset', { since: '2026-11-20T22:36:42' }, ['/since']],
  ['null', { since: null }, ['/since']],
  ['a list', { since: [1] }, ['/since']],
  ['by without since', { seq: 1, by: { kind: 'jwt' } }, ['/by']],
  ['by nobody', { since: 0, by: {} }, ['/by']],
  ['by no kind', { since: 0, by: { kind: 'robot' } }, ['/by/kind']],
  ['by no name', { since: 0, by: { name: '' } }, ['/by/name']],
  ['NUL', { request_id: 'a\0' }, ['/request_id']],
  ['no text', { request_id: '' }, ['/request_id']],
  ['a long text', { request_id: 'x'.repeat(129) }, ['/request_id']],
  ['force as text', { seq: 1, force: 'yes' }, ['/force']],
])('refuses %s', async (_name, body, pointers) => {
  const alice = await signUp()

  const answer = await undo(alice, body)

  expectInvalid(answer, ...pointers)
})

test('is made once by an Idempotency-Key, and answered as the first time', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), { title: 'B' })
  const body = { request_id: request }
  const key = { 'idempotency-key': crypto.randomUUID() }

  const answers = await Promise.all(Array.from({ length: 4 }, () => undo(alice, body, key)))
  await act(alice, 'PATCH', path(task.id), { title: 'C' })
  const late = await undo(alice, body, key)
  const other = await undo(alice, { ...body, force: true }, key)

  for (const { status, text } of [...answers, late]) {
    expect([status, JSON.parse(text)]).toEqual([200, answers[0]?.body])
  }
  expect(late.headers.get('idempotency-replayed')).toBe('true')
  expect(other.body.code).toBe('idempotency_key_reused')
  expect(await historyOf(alice, task.id)).toHaveLength(4)
})

test('undoes once what many want to be undone at the same moment', async () => {
  const alice = await signUp()
  const tasks = await Promise.all(Array.from({ length: 5 }, () => make(alice)))
  const by = { 'x-request-id': crypto.randomUUID() }
  for (const { task } of tasks) await act(alice, 'PATCH', path(task.id), { title: 'B' }, by)

  const answers = await Promise.all(
    Array.from({ length: 8 }, () => undo(alice, { request_id: by['x-request-id'] })),
  )

  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
  expect(answers.map(({ body }) => body.length).filter((length) => length > 0)).toEqual([5])
})

test('is right while others change the same tasks', async () => {
  const alice = await signUp()
  const tasks = await Promise.all(Array.from({ length: 4 }, () => make(alice, { priority: 'low' })))
  const by = { 'x-request-id': crypto.randomUUID() }
  for (const { task } of tasks) await act(alice, 'PATCH', path(task.id), { title: 'B' }, by)

  const [undone] = await Promise.all([
    undo(alice, { request_id: by['x-request-id'] }),
    ...tasks.flatMap(({ task }) =>
      ['x', 'y', 'z'].map((tag) => act(alice, 'PATCH', path(task.id), { tags: [tag] })),
    ),
  ])

  expect([200, 503]).toContain(undone?.status ?? 0)
  const is = undone?.status === 200 ? 'A' : 'B'
  for (const { title, tags } of await list(alice)) {
    expect([title, tags.length]).toEqual([is, 1])
  }
})

test('says 410 where the log does not go back so far', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const { request } = await act(alice, 'PATCH', path(task.id), { title: 'B' })
  const seq = await seqOf(alice, task.id)
  const { body: last } = await act(alice, 'PATCH', path(task.id), { title: 'C' })
  const { task: other } = await make(alice)
  await sql`delete from docket.changes where user_id = ${alice.id} and seq <= ${seq}`

  const gone = [
    { seq: seq - 1 },
    { seq },
    { since: 0 },
    { since: seq - 1 },
    { since: task.created_at },
  ]
  for (const body of gone) {
    const answer = await undo(alice, body)
    expect([body, answer.status, answer.body.code]).toEqual([body, 410, 'resync'])
  }
  expect((await undo(alice, { request_id: request })).status).toBe(404)
  expect((await undo(alice, { since: seq })).body).toMatchObject([
    { id: task.id, task: { title: 'B' } },
    { id: other.id },
  ])
  expect((await undo(alice, { since: last.updated_at, force: true })).status).toBe(200)
})

test('says 410 where nothing is left of what was changed since', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  const seq = await seqOf(alice, task.id)
  await sql`delete from docket.changes where user_id = ${alice.id}`

  expect((await undo(alice, { seq })).status).toBe(410)
  expect((await undo(alice, { since: 0 })).status).toBe(410)
  expect((await undo(alice, { since: task.updated_at })).status).toBe(410)
  expect((await undo(alice, { since: seq })).status).toBe(404)
  await act(alice, 'PATCH', path(task.id), { title: 'B' })
  expect((await undo(alice, { since: seq })).status).toBe(200)
})

test('undoes a thousand at once, and no more', async () => {
  const alice = await signUp()
  const create = async (count: number) => {
    const request = crypto.randomUUID()
    await sql`
      with owner as (
        insert into docket.users as u (id, seq, changed_at)
        values (${alice.id}, ${count}, now())
        on conflict (id) do update set seq = u.seq + ${count}
        returning u.id, u.seq - ${count} as seq
      ), made as (
        insert into docket.tasks (user_id, id, title, seq)
        select owner.id, gen_random_uuid(), 'Task', owner.seq + n
        from owner, generate_series(1, ${count}::integer) n
        returning user_id, seq, id
      ), latest as (
        insert into docket.latest (user_id, seq, type, id)
        select user_id, seq, 'task', id from made
      )
      insert into docket.changes (user_id, seq, type, id, action, request_id, at, day)
      select user_id, seq, 'task', id, 'created', ${request}, now(), now()::date from made`
    return request
  }
  const [many, tooMany] = [await create(1000), await create(1001)]

  const beyond = await undo(alice, { request_id: tooMany })
  const undone = await undo(alice, { request_id: many })

  expect([beyond.status, beyond.body.detail]).toEqual([422, expect.stringContaining('1000 things')])
  expect(undone.status).toBe(200)
  expect(undone.body).toHaveLength(1000)
  const redone = await undo(alice, { request_id: undone.request })
  expect(redone.body).toHaveLength(1000)
})

test('does not look at more changes than ten thousand', async () => {
  const alice = await signUp()
  const { task } = await make(alice)
  await sql`
    insert into docket.changes (user_id, seq, type, id, action, previous, before, at, day)
    select ${alice.id}, n, 'task', ${task.id}, 'updated', n - 1, '{}', now(), now()::date
    from generate_series(2, 10002) n`
  await sql`update docket.latest set seq = 10002 where user_id = ${alice.id}`
  await sql`update docket.tasks set seq = 10002 where user_id = ${alice.id}`
  await sql`update docket.users set seq = 10002 where id = ${alice.id}`

  for (const body of [{ since: 0 }, { seq: 1 }, { seq: 2 }]) {
    expect([body, (await undo(alice, body)).status]).toEqual([body, 422])
  }
  expect((await undo(alice, { seq: 9000 })).body).toEqual([])
})

test('is bound by the quota, and counted to the byte', async () => {
  const alice = await signUp()
  const { task } = await make(alice, { description: 'x'.repeat(9000) })
  const { request } = await act(alice, 'PATCH', path(task.id), { description: null })
  const [{ bytes } = { bytes: 0 }] = await sql<{ bytes: number }[]>`
    select octet_length(json) as bytes from docket.tasks where user_id = ${alice.id}`
  const call = (app: ReturnType<typeof createTestApp>) =>
    send('POST', '/api/undo', {
      app,
      headers: { authorization: alice.authorization },
      body: { request_id: request },
    })

  const refused = await call(createTestApp({ quota: { tasks: 1, bytes: bytes + 8000 } }))
  const roomy = createTestApp({ quota: { tasks: 1, bytes: bytes + 9100 } })
  const made = await call(roomy)

  expect([refused.status, refused.body.code]).toEqual([422, 'quota_exceeded'])
  expect(made.status).toBe(200)
})
