import { expect } from 'bun:test'
import type { Change } from '../../src/history/schema.ts'
import type { Task } from '../../src/tasks/schema.ts'
import type { Answer, TestUser } from '../support/app.ts'
import { list } from '../support/tasks.ts'

/** Sends a request of its own, and gives the answer with its id. */
export async function act(
  user: TestUser,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer & { request: string }> {
  const request = crypto.randomUUID()
  const answer = await user.send(method, path, body, { 'x-request-id': request, ...headers })
  return { ...answer, request }
}

/** Creates a task by a request of its own. */
export async function make(
  user: TestUser,
  task: Record<string, unknown> = {},
): Promise<{ task: Task; request: string }> {
  const { body, request, status } = await act(user, 'POST', '/api/tasks', { title: 'A', ...task })
  expect(status).toBe(201)
  return { task: body, request }
}

export const undo = (user: TestUser, body: object, headers?: Record<string, string>) =>
  act(user, 'POST', '/api/undo', body, headers)

export async function historyOf(user: TestUser, id: string, query = ''): Promise<Change[]> {
  const { status, body } = await user.send('GET', `/api/tasks/${id}/history${query}`)
  expect(status).toBe(200)
  return body
}

/** All tasks of a user, the trash included, but for what every change changes. */
export async function stateOf(user: TestUser): Promise<Omit<Task, 'version' | 'updated_at'>[]> {
  const tasks = [
    ...(await list(user, '?limit=200')),
    ...(await list(user, '?limit=200&deleted=true')),
  ]
  return tasks
    .map(({ version: _version, updated_at: _updated, ...task }) => task)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
}
