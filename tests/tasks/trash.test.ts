import { describe, expect, test } from 'bun:test'
import { send, signUp } from '../support/app.ts'
import { expectNotFound, list } from '../support/tasks.ts'

describe('DELETE', () => {
  test('answers the task as it went to the trash', async () => {
    const alice = await signUp()
    const task = await alice.create({ completed: true, tags: ['home'] })

    const { status, headers, body } = await alice.send('DELETE', `/api/tasks/${task.id}`)

    expect(status).toBe(200)
    expect(headers.get('etag')).toBe('"2"')
    expect(body).toEqual({
      ...task,
      version: 2,
      updated_at: body.deleted_at,
      deleted_at: expect.any(String),
    })
  })

  test('takes the task from the list and puts it into the trash', async () => {
    const alice = await signUp()
    const kept = await alice.create()
    const { id } = await alice.create()

    const { body: deleted } = await alice.send('DELETE', `/api/tasks/${id}`)

    expect(await list(alice)).toEqual([kept])
    expect(await list(alice, '?deleted=false')).toEqual([kept])
    expect(await list(alice, '?deleted=true')).toEqual([deleted])
  })

  test.each([
    ['GET', '', undefined],
    ['PATCH', '', { title: 'Changed' }],
    ['PUT', '', { title: 'Changed' }],
    ['PATCH', '/complete', undefined],
    ['POST', '/complete', undefined],
    ['DELETE', '', undefined],
  ])('leaves nothing for %s …%s', async (method, path, payload) => {
    const alice = await signUp()
    const { id } = await alice.create()
    const { body: deleted } = await alice.send('DELETE', `/api/tasks/${id}`)

    const { status } = await alice.send(method, `/api/tasks/${id}${path}`, payload)

    expect(status).toBe(404)
    expect(await list(alice, '?deleted=true')).toEqual([deleted])
  })

  test('answers 404 for a task that the caller has not', async () => {
    const alice = await signUp()

    await expectNotFound((id) => alice.send('DELETE', `/api/tasks/${id}`))
  })

  test('deletes only the version that If-Match names', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' })
    const remove = (tag: string) =>
      alice.send('DELETE', `/api/tasks/${id}`, undefined, { 'if-match': tag })

    const stale = await remove('"1"')
    const matched = await remove('"2"')
    const gone = await remove('"2"')

    expect(stale.status).toBe(412)
    expect(matched.status).toBe(200)
    expect(gone.status).toBe(404)
  })

  test('deletes once when told eight times at once', async () => {
    const alice = await signUp()

    for (let round = 0; round < 10; round++) {
      const { id } = await alice.create()

      const answers = await Promise.all(
        Array.from({ length: 8 }, () => alice.send('DELETE', `/api/tasks/${id}`)),
      )

      const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length
      expect({ 200: count(200), 404: count(404) }).toEqual({ 200: 1, 404: 7 })
    }
    expect((await list(alice, '?deleted=true')).map(({ version }) => version)).toEqual(
      Array.from({ length: 10 }, () => 2),
    )
  })
})

describe('restore', () => {
  test('brings a task back as it was', async () => {
    const alice = await signUp()
    const task = await alice.create({ completed: true, tags: ['home'], due_date: '2026-12-01' })
    await alice.send('DELETE', `/api/tasks/${task.id}`)

    const { status, headers, body } = await alice.send('POST', `/api/tasks/${task.id}/restore`)

    expect(status).toBe(200)
    expect(headers.get('etag')).toBe('"3"')
    expect(body).toEqual({ ...task, version: 3, updated_at: body.updated_at })
    expect(await list(alice)).toEqual([body])
    expect(await list(alice, '?deleted=true')).toEqual([])
  })

  test('answers a task that was never deleted', async () => {
    const alice = await signUp()
    const task = await alice.create()

    const { status, body } = await alice.send('POST', `/api/tasks/${task.id}/restore`)

    expect(status).toBe(200)
    expect(body).toMatchObject({ id: task.id, title: task.title, deleted_at: null })
    expect(await list(alice)).toEqual([body])
  })

  test('can be sent twice', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    await alice.send('DELETE', `/api/tasks/${id}`)
    const restore = () => alice.send('POST', `/api/tasks/${id}/restore`)

    const answers = [await restore(), await restore()]

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await list(alice)).toEqual([answers[1]?.body])
  })

  test('brings back what was changed before, and lets it be changed again', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    await alice.send('PATCH', `/api/tasks/${id}`, { title: 'Changed' })
    await alice.send('DELETE', `/api/tasks/${id}`)

    const restored = await alice.send('POST', `/api/tasks/${id}/restore`)
    const changed = await alice.send('PATCH', `/api/tasks/${id}`, { tags: ['home'] })

    expect(restored.body).toMatchObject({ title: 'Changed', version: 4 })
    expect(changed.body).toMatchObject({ title: 'Changed', tags: ['home'], version: 5 })
  })

  test('restores only the version that If-Match names', async () => {
    const alice = await signUp()
    const { id } = await alice.create()
    await alice.send('DELETE', `/api/tasks/${id}`)
    const restore = (tag: string) =>
      alice.send('POST', `/api/tasks/${id}/restore`, undefined, { 'if-match': tag })

    const stale = await restore('"1"')
    const matched = await restore('"2"')

    expect(stale.status).toBe(412)
    expect(matched.status).toBe(200)
  })

  test('answers 404 for a task that the caller has not', async () => {
    const alice = await signUp()

    await expectNotFound((id) => alice.send('POST', `/api/tasks/${id}/restore`))
  })
})

describe.each([
  ['DELETE', ''],
  ['POST', '/restore'],
])('%s …%s', (method, path) => {
  test.each([
    ['application/json', null],
    ['application/json', '{}'],
    ['application/json', '{"title":"Changed"}'],
    ['application/json', '{'],
    ['multipart/form-data; boundary=x', '{'],
    ['text/plain', 'Changed'],
  ])('takes no notice of a body that is called %s and is %j', async (type, raw) => {
    const { authorization, create } = await signUp()
    const { id, title } = await create()

    const { status, body } = await send(method, `/api/tasks/${id}${path}`, {
      headers: { authorization, 'content-type': type },
      ...(raw === null ? {} : { raw }),
    })

    expect(status).toBe(200)
    expect(body).toMatchObject({ id, title })
  })
})
