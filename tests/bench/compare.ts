import { isDeepStrictEqual } from 'node:util'
import { type Request, requestsOf, tokenOf } from './requests.ts'
import { type Dataset, idOf, userOf } from './rows.ts'
import type { Server } from './servers.ts'

type Answer = { status: number; body: unknown }

async function ask({ port }: Server, request: Request, token: string | null): Promise<Answer> {
  const answer = await fetch(`http://127.0.0.1:${port}${request.path}`, {
    method: request.method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(request.body === null ? {} : { 'content-type': 'application/json' }),
    },
    body: request.body,
  })
  const isJson = answer.headers.get('content-type')?.startsWith('application/json')
  return { status: answer.status, body: isJson ? await answer.json() : await answer.text() }
}

const instant = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00:00$/

/** The same instant, however many zeros it ends in. */
const whole = (text: string): string =>
  text.replace(instant, (_, second: string, part = '') => `${second}.${part.padEnd(6, '0')}+00:00`)

/** The value with each text of it replaced; `replace` is told the name of its field. */
function replaceTexts(
  value: unknown,
  replace: (text: string, name: string) => string,
  name = '',
): unknown {
  if (typeof value === 'string') return replace(value, name)
  if (Array.isArray(value)) return value.map((one) => replaceTexts(one, replace, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, replaceTexts(one, replace, key)]),
  )
}

/** What two writes of the same thing have in common: not the id and the place of a new task, and no instant but that there is one. */
function common({ status, body }: Answer, version: number): Answer {
  const replaced = replaceTexts(body, (text, name) =>
    name === 'id' || name === 'position' ? `one ${name}` : instant.test(text) ? 'an instant' : text,
  )
  const counted =
    typeof replaced === 'object' && replaced !== null && 'version' in replaced
      ? { ...replaced, version: Number(replaced.version) - version }
      : replaced
  return { status, body: counted }
}

/** What differs between a peer and Docket, as a person can read it, or null: they answer the same. */
export async function difference(
  docket: Server,
  peer: Server,
  data: Dataset,
  words: string[],
): Promise<string | null> {
  const show = (request: Request, ours: Answer, theirs: Answer) =>
    `${request.method} ${request.path}\n  docket: ${shorten(ours)}\n  ${peer.name}: ${shorten(theirs)}`

  for (const workload of ['get', 'page', 'filtered', 'searched'] as const) {
    for (const request of requestsOf(workload, data, words, 20)) {
      const token = await tokenOf(request.user)
      const [ours, theirs] = await Promise.all(
        [docket, peer].map(async (server) => {
          const { status, body } = await ask(server, request, token)
          return { status, body: replaceTexts(body, whole) }
        }) as [Promise<Answer>, Promise<Answer>], // As many as there are servers.
      )
      if (!isDeepStrictEqual(ours, theirs)) return show(request, ours, theirs)
    }
  }
  for (const workload of ['post', 'patch', 'complete'] as const) {
    for (const request of requestsOf(workload, data, words, 5)) {
      const token = await tokenOf(request.user)
      const ours = common(await ask(docket, request, token), 0)
      // Theirs is the next version of the same task.
      const theirs = common(await ask(peer, request, token), workload === 'post' ? 0 : 1)
      if (!isDeepStrictEqual(ours, theirs)) return show(request, ours, theirs)
    }
  }
  for (const [request, token, status] of await refusals(data)) {
    const [ours, theirs] = [await ask(docket, request, token), await ask(peer, request, token)]
    if (ours.status !== status || theirs.status !== status) return show(request, ours, theirs)
  }
  return null
}

/** Requests that nobody may be answered, each with its token and the status that says so. */
async function refusals(data: Dataset): Promise<[Request, string | null, number][]> {
  const user = userOf(data, 1)
  const stranger = data.users === 1 ? 'nobody' : userOf(data, 2)
  const one = { method: 'GET', path: `/api/tasks/${idOf(1)}`, user, body: null }
  const change = { ...one, method: 'PATCH', body: '{"title":"Mine"}' }
  return [
    [one, null, 401],
    [one, await tokenOf(user, 'another-secret-another-secret-another'), 401],
    [{ ...one, path: '/api/tasks' }, null, 401],
    [one, await tokenOf(stranger), 404],
    [change, await tokenOf(stranger), 404],
  ]
}

const shorten = (answer: Answer): string => {
  const text = JSON.stringify(answer)
  return text.length > 1200 ? `${text.slice(0, 1200)}…` : text
}
