import { expect, test } from 'bun:test'
import { send, sign } from '../support/app.ts'

const token = await sign({ sub: 'alice' })

test.each([`Bearer ${token}`, `bearer ${token}`, `BEARER  ${token}`])(
  'takes %#',
  async (authorization) => {
    expect((await send('GET', '/api/tasks', { headers: { authorization } })).status).toBe(200)
  },
)

test.each([
  'Bearer',
  'Bearer ',
  token,
  `Basic ${token}`,
  `Bearer ${token} x`,
  `Bearer ${token}, Bearer ${token}`,
  `Bearer "${token}"`,
])('refuses %#', async (authorization) => {
  const answer = await send('GET', '/api/tasks', { headers: { authorization } })

  expect(answer.status).toBe(401)
  expect(answer.headers.get('www-authenticate')).toBe('Bearer')
})

test('says nothing of the token in the answer', async () => {
  const answer = await send('GET', '/api/tasks', {
    headers: { authorization: 'Bearer top.secret.token' },
  })

  expect(answer.text).not.toContain('secret')
})
