import type { App } from '../../src/app.ts'
import { type Answer, send, type TestUser } from '../support/app.ts'
import { instant, linesOf, listOf, taskOf } from '../support/moving.ts'

/** All that somebody can have, a subtask before what it is under. */
export function everything(user_id: string): object[] {
  const home = listOf(user_id)
  const old = listOf(user_id, { archived_at: instant(2), color: null, position: 'R000000001' })
  const gone = listOf(user_id, { deleted_at: instant(3), position: 'i00000002aV' })
  const parent = taskOf(user_id, { list_id: home.id })
  const child = taskOf(user_id, { list_id: home.id, parent_id: parent.id })
  const below = taskOf(user_id, { list_id: home.id, parent_id: child.id })
  const trashed = taskOf(user_id, { list_id: gone.id, deleted_at: instant(3) })
  const under = taskOf(user_id, {
    list_id: gone.id,
    parent_id: trashed.id,
    deleted_at: instant(3),
  })
  const weekly = taskOf(user_id, {
    due_date: '2099-12-01',
    due_time: '23:59:59',
    time_zone: 'Europe/Berlin',
    recurrence: 'FREQ=WEEKLY',
    repeat_from: 'due',
    series_id: home.id,
    occurrence: '2099-12-01',
    reminders: ['-P1D', 'PT9H'],
    tags: ['home', 'Zürich'],
  })
  const done = taskOf(user_id, {
    completed: true,
    completed_at: instant(2),
    description: '\\ "Ñ"\n',
  })
  const filter = { id: crypto.randomUUID(), user_id, name: 'Next up', filter: '#home due:<=today' }
  return [
    { user: { id: user_id, created_at: instant(1), time_zone: 'Europe/Berlin' } },
    { filter: { ...filter, created_at: instant(1), updated_at: instant(3) } },
    ...[home, old, gone].map((list) => ({ list })),
    ...[below, child, parent, under, trashed, weekly, done].map((task) => ({ task })),
  ]
}

/** Sends lines as a user. */
export const importLines = (
  { authorization }: TestUser,
  lines: string | object[],
  query = '',
  app?: App,
): Promise<Answer> => {
  const raw = typeof lines === 'string' ? lines : linesOf(lines)
  return send('POST', `/api/me/import${query}`, {
    ...(app === undefined ? {} : { app }),
    headers: {
      authorization,
      'content-type': 'application/x-ndjson',
      'content-length': String(Buffer.byteLength(raw)),
      'x-request-id': crypto.randomUUID(),
    },
    raw,
  })
}

/** What a user can take along. */
export async function exportOf(user: TestUser, query = '?history=off'): Promise<string> {
  const { status, text } = await user.send('GET', `/api/me/export${query}`)
  if (status !== 200) throw new Error(`Cannot export: ${text}`)
  return text
}

/** The lines of a file. */
export const parsed = (text: string): Record<string, any>[] =>
  text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
