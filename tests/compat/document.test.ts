import { expect, test } from 'bun:test'
import SwaggerParser from '@apidevtools/swagger-parser'
import { app, send } from '../support/app.ts'
import { appFor } from './support.ts'

const read = async (compat: string): Promise<any> =>
  (await appFor(compat).handle(new Request('http://localhost/swagger/json'))).json()

test.each([
  'unknown=keep',
  'list=data.tasks task=data prefix=/api/v1 resource=todos',
  'names=is_completed,status:todo/done,camelCase,message dates=datetime',
])('the document with %s is valid, and says so', async (compat) => {
  const document = await read(compat)

  await SwaggerParser.validate(structuredClone(document))
  expect(document.info.description).toContain(`COMPAT="${compat}"`)
})

test('it has the paths, the names and the shapes of the frontend', async () => {
  const document = await read(
    'unknown=keep list=data.tasks task=task names=status:todo/done,camelCase,message dates=datetime prefix=/api/v1 resource=todos',
  )

  const { Task, NewTask, TaskPatch, Problem, Sort } = document.components.schemas
  const { get, post } = document.paths['/api/v1/todos']
  expect(
    Object.keys(document.paths).filter((path) => /^\/api(\/\{user_id\})?\/tasks/.test(path)),
  ).toEqual([])
  expect(document.components.schemas.PlainTask.properties).toHaveProperty('due_date')
  expect(document.paths['/api/v1/{user_id}/todos/{id}/toggle'].patch.operationId).toBe(
    'toggleTaskOfUser',
  )
  expect(Task.properties.status).toEqual({ type: 'string', enum: ['todo', 'done'] })
  expect(Task.required).toEqual(Object.keys(Task.properties))
  expect(Object.keys(NewTask.properties)).toContain('dueDate')
  expect([Task, NewTask, TaskPatch].map((schema) => schema.additionalProperties)).toEqual([
    true,
    true,
    true,
  ])
  expect(Object.keys(Problem.properties)).toContain('message')
  expect(Sort.enum).toContain('dueDate')
  expect(get.parameters.map((parameter: { name: string }) => parameter.name)).toContain('dueBefore')
  expect(get.responses[200].content['application/json'].example).toMatchObject({
    data: { tasks: [{ status: 'todo', dueDate: '2026-12-01T17:30:00Z' }], total: 1, count: 1 },
  })
  expect(post.responses[201].content['application/json'].example.task.createdAt).toBeString()
})

test('without COMPAT the document is as ever, and with an option that changes no shape too', async () => {
  const { body: plain } = await send('GET', '/swagger/json')
  const { info, ...rest } = await read('names=is_completed')

  expect(plain.info.description).not.toContain('COMPAT')
  expect(info.title).toBe(plain.info.title)
  expect(Object.keys(rest.paths)).toEqual(Object.keys(plain.paths))
  expect(app.routes.map(({ path }) => path)).toEqual(
    appFor('names=is_completed').routes.map(({ path }) => path),
  )
})
