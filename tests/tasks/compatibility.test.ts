import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Task } from '../../src/tasks/schema.ts'
import { app, signUp, type TestUser } from '../support/app.ts'

let server: Bun.Server<undefined>
beforeAll(() => {
  server = Bun.serve({ port: 0, fetch: (request) => app.handle(request) })
})
afterAll(() => server.stop(true))

/**
 * As a frontend has it that was written for another backend: it sends JSON, or says that it does, reads JSON from
 * every answer, and shows `detail` when something went wrong.
 */
function createClient({ id, authorization }: TestUser, name = encodeURIComponent(id)) {
  async function call<T>(method: string, path: string, data?: object): Promise<T> {
    const response = await fetch(`${server.url.origin}/api/${name}/tasks${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: authorization },
      ...(data === undefined ? {} : { body: JSON.stringify(data) }),
    })
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- A frontend believes what it reads.
    const answer = (await response.json()) as T & { detail?: unknown }
    if (!response.ok) throw new Error(String(answer.detail))
    return answer
  }
  return {
    list: (query = '') => call<Task[]>('GET', query),
    add: (task: object) => call<Task>('POST', '', task),
    get: (task: string) => call<Task>('GET', `/${task}`),
    update: (task: string, fields: object) => call<Task>('PUT', `/${task}`, fields),
    toggle: (task: string) => call<Task>('PATCH', `/${task}/complete`),
    remove: (task: string) => call<Task>('DELETE', `/${task}`),
  }
}

const ids = [
  ['a UUID', () => crypto.randomUUID()],
  ['letters and digits', () => crypto.randomUUID().replaceAll('-', '')],
  ['auth0|a/b c', () => `auth0|${crypto.randomUUID()}/b c`],
  ['an address', () => `${crypto.randomUUID()}+x@example.com`],
  ['other scripts, percent, ? and #', () => `${crypto.randomUUID()} ü 🙂 100%25 ?#&`],
] as const

describe.each(ids)('a frontend of a user whose id is %s', (_name, makeId) => {
  test('works unchanged', async () => {
    const client = createClient(await signUp(makeId()))

    expect(await client.list()).toEqual([])

    const milk = await client.add({ title: 'Buy milk', description: 'Two litres' })
    const bread = await client.add({ title: 'Buy bread' })
    expect((await client.list()).map(({ title }) => title)).toEqual(['Buy bread', 'Buy milk'])

    const renamed = await client.update(milk.id, { title: 'Buy oat milk' })
    expect(renamed).toMatchObject({ title: 'Buy oat milk', description: 'Two litres' })

    expect((await client.toggle(milk.id)).completed).toBe(true)
    expect((await client.list('?status=completed')).map(({ id }) => id)).toEqual([milk.id])
    expect((await client.toggle(milk.id)).completed).toBe(false)

    expect((await client.remove(bread.id)).id).toBe(bread.id)
    expect(await client.list()).toEqual([await client.get(milk.id)])
  })
})

describe('a frontend that shows `detail`', () => {
  test.each([
    ['a task that is not there', 'get', 'You have no task with this id.'],
    ['a title that is missing', 'add', 'title is required.'],
    ['a title that is empty', 'rename', 'title must not be empty.'],
    ['a field that is not known', 'mistype', 'done is not known here.'],
  ])('reads a sentence about %s', async (_name, action, detail) => {
    const client = createClient(await signUp())
    const { id } = await client.add({ title: 'A task' })
    const actions: Record<string, () => Promise<unknown>> = {
      get: () => client.get(crypto.randomUUID()),
      add: () => client.add({}),
      rename: () => client.update(id, { title: '' }),
      mistype: () => client.update(id, { done: true }),
    }

    const failure = await actions[action]?.().catch((error: unknown) => error)

    expect(failure).toEqual(new Error(detail))
  })

  test('reads one about a token that is not valid', async () => {
    const alice = await signUp()
    const client = createClient({ ...alice, authorization: 'Bearer nonsense' })

    const failure = await client.list().catch((error: unknown) => error)

    expect(failure).toEqual(
      new Error('Sign in: there is no token or session here, or it is invalid or has expired.'),
    )
  })
})

describe('/api/{user_id}/tasks', () => {
  test('answers what /api/tasks answers', async () => {
    const alice = await signUp()
    const { id } = await alice.create()

    for (const path of [
      '/tasks',
      `/tasks/${id}`,
      `/tasks/${crypto.randomUUID()}`,
      '/tasks?limit=0',
    ]) {
      const plain = await alice.send('GET', `/api${path}`)
      for (const name of [alice.id, 'me']) {
        const named = await alice.send('GET', `/api/${name}${path}`)
        expect([named.status, named.text]).toEqual([plain.status, plain.text])
      }
    }
  })

  test.each(['me', 'the own id'])('says with %s where a new task is', async (name) => {
    const alice = await signUp(`auth0|${crypto.randomUUID()}/b c`)
    const base = `/api/${name === 'me' ? 'me' : encodeURIComponent(alice.id)}/tasks`

    const { status, headers, body } = await alice.send('POST', base, { title: 'A task' })
    const found = await alice.send('GET', headers.get('location') ?? '')

    expect(status).toBe(201)
    expect(headers.get('location')).toBe(`${base}/${body.id}`)
    expect(found.body).toEqual(body)
  })

  test('is the same path whatever of it is percent-encoded', async () => {
    const alice = await signUp()
    const task = await alice.create()
    const encoded = Array.from(alice.id, (letter) => `%${letter.charCodeAt(0).toString(16)}`).join(
      '',
    )

    const { body } = await alice.send('GET', `/api/${encoded}/tasks`)

    expect(body).toEqual([task])
  })

  const calls = [
    ['GET', '', undefined],
    ['HEAD', '', undefined],
    ['GET', '/count', undefined],
    ['POST', '', { title: 'A task' }],
    ['GET', '/{id}', undefined],
    ['HEAD', '/{id}', undefined],
    ['PATCH', '/{id}', { title: 'Changed' }],
    ['PUT', '/{id}', { title: 'Changed' }],
    ['PATCH', '/{id}/complete', undefined],
    ['POST', '/{id}/complete', undefined],
    ['PATCH', '/{id}/toggle', undefined],
    ['POST', '/{id}/toggle', undefined],
    ['DELETE', '/{id}', undefined],
    ['POST', '/{id}/restore', undefined],
  ] as const

  test.each(calls)('refuses %s %s of somebody else with 403', async (method, path, payload) => {
    const [alice, bob] = [await signUp(), await signUp()]
    const his = await bob.create()

    for (const task of [his.id, crypto.randomUUID(), 'not-a-uuid']) {
      const { status } = await alice.send(
        method,
        `/api/${bob.id}/tasks${path.replace('{id}', task)}`,
        payload,
      )
      expect(status).toBe(403)
    }
    expect((await bob.send('GET', '/api/tasks')).body).toEqual([his])
  })

  test.each(['ME', 'me%20', '%6D%65x', 'null', 'undefined', '%00', '%FF', '%', '%zz', '..%2Fme'])(
    'refuses %s, which is no id of the caller, with 403',
    async (name) => {
      const alice = await signUp()

      const { status } = await alice.send('GET', `/api/${name}/tasks`)

      expect(status).toBe(403)
    },
  )

  test('takes `me` for the caller even where somebody has that id', async () => {
    const alice = await signUp()
    const me = await signUp('me')
    const task = await me.create({ title: `Of me, ${crypto.randomUUID()}` })

    const { body } = await alice.send('GET', '/api/me/tasks')

    expect(task.user_id).toBe('me')
    expect(body).toEqual([])
  })
})
