import { expect, test } from 'bun:test'
import { createTestApp, send, signUp, sql } from '../support/app.ts'
import { gateOf } from '../support/database.ts'
import { act } from './support.ts'

// Several instances on one database: each only knows of its own what is under way.

const apps = Array.from({ length: 3 }, () => createTestApp({ db: gateOf(sql) }))

test('a purge leaves nothing, and an undo breaks no chain, whoever writes at the same moment', async () => {
  const alice = await signUp()
  const ids = await Promise.all(Array.from({ length: 6 }, async () => (await alice.create()).id))
  const via = (app: (typeof apps)[number] | undefined): typeof alice => ({
    ...alice,
    send: (method, path, body, headers = {}) =>
      send(method, path, {
        ...(app && { app }),
        headers: { authorization: alice.authorization, ...headers },
        body,
      }),
  })

  async function disturb(id: string, nth: number): Promise<void> {
    const steps: [string, string, unknown?][] = [
      ['PATCH', `/api/tasks/${id}`, { title: `Title ${nth}` }],
      ['DELETE', `/api/tasks/${id}`],
      ['POST', `/api/undo`, { since: 6, force: true }],
      ['DELETE', `/api/trash/${id}`],
      ['POST', '/api/tasks', { id, title: 'Made anew' }],
      ['POST', `/api/tasks/${id}/complete`],
      ['DELETE', `/api/tasks/${id}`],
      ['DELETE', '/api/trash'],
    ]
    for (const [index] of steps.entries()) {
      const [method, path, body] = steps[(index + nth) % steps.length] ?? ['GET', '/api/tasks']
      const app = apps[(index + nth) % apps.length]
      const { status } = await act(via(app), method, path, body)
      expect([200, 201, 404, 409, 503]).toContain(status)
    }
  }
  await Promise.all(
    ids.flatMap((id, task) => Array.from({ length: 6 }, (_, nth) => disturb(id, task + nth))),
  )

  const left = await sql`
    select c.seq, c.action
    from docket.changes c
    left join docket.tasks t on t.user_id = c.user_id and t.id = c.id
    where c.user_id = ${alice.id} and c.action <> 'purged' and t.id is null`
  const unlogged = await sql`
    select l.seq
    from docket.latest l
    left join docket.changes c on c.user_id = l.user_id and c.seq = l.seq
    where l.user_id = ${alice.id} and c.seq is null`
  const unchained = await sql`
    with recursive chain as (
      select c.seq, c.previous
      from docket.tasks t
      join docket.changes c on c.user_id = t.user_id and c.seq = t.seq
      where t.user_id = ${alice.id}
      union all
      select c.seq, c.previous
      from chain
      join docket.changes c on c.user_id = ${alice.id} and c.seq = chain.previous
    )
    select c.seq, c.action
    from docket.changes c
    where c.user_id = ${alice.id} and c.action <> 'purged' and c.seq not in (select seq from chain)`
  expect([[...left], [...unlogged], [...unchained]]).toEqual([[], [], []])
})
