import type { Sql } from '../../src/database/connect.ts'

/** A change as the log has it, with its image read. */
export type Change = {
  user_id: string
  seq: number
  id: string
  action: string
  previous: number | null
  before: Record<string, unknown> | null
  at: string
}

type Thing = { user_id: string; seq: number; id: string }

/** All that the log has of some users: it was never swept. */
export async function readLog(sql: Pick<Sql, 'unsafe'>, users: string[]) {
  const read = <T extends object>(text: string): Promise<T[]> =>
    sql.unsafe<T[]>(text, [JSON.stringify(users)])
  const of = 'user_id in (select value from json_array_elements_text($1::text::json))'
  const changes = await read<Change>(`
    select user_id, seq::float8 as seq, id, action, previous::float8 as previous, before::json as before, at
    from docket.changes where ${of} order by user_id, seq`)
  const latest = await read<Thing & { type: string }>(
    `select user_id, seq::float8 as seq, type, id from docket.latest where ${of} order by user_id, seq`,
  )
  const tasks = await read<Thing & { task: Record<string, unknown> }>(
    `select user_id, seq::float8 as seq, id, json::json as task from docket.tasks where ${of}`,
  )
  const lists = await read<Thing>(
    `select user_id, seq::float8 as seq, id from docket.lists where ${of}`,
  )
  const heads = await read<{ id: string; seq: number }>(
    `select id, seq::float8 as seq from docket.users where ${of.replace('user_id', 'id')}`,
  )
  return { changes, latest, tasks, lists, heads: new Map(heads.map(({ id, seq }) => [id, seq])) }
}

export type Log = Awaited<ReturnType<typeof readLog>>

const placeOf = ({ user_id, seq }: { user_id: string; seq: number }) => `${user_id} ${seq}`

/** What is wrong with a log: each thing is the end of one chain of its changes, which is where `latest` has it. */
export function faultsOf({ changes, latest, tasks, lists, heads }: Log): string[] {
  const faults: string[] = []
  const byPlace = new Map(changes.map((change) => [placeOf(change), change]))
  const last = new Map(latest.map((thing) => [placeOf(thing), thing]))
  const current = new Map([...tasks, ...lists].map((thing) => [placeOf(thing), thing]))
  if (byPlace.size !== changes.length) faults.push('a number was given twice')
  const things = new Set(latest.map(({ user_id, type, id }) => `${user_id} ${type} ${id}`))
  if (things.size !== latest.length) faults.push('a thing has two last changes')

  const followed = new Set<string>()
  for (const change of changes) {
    const where = `${change.action} ${placeOf(change)} of ${change.id}`
    if (change.seq > (heads.get(change.user_id) ?? 0)) faults.push(`${where} is above the head`)
    if (change.previous === null) continue
    const place = placeOf({ ...change, seq: change.previous })
    if (byPlace.get(place)?.id !== change.id) faults.push(`before ${where} is another thing`)
    if (change.previous >= change.seq) faults.push(`${where} goes on from what came later`)
    if (followed.has(place)) faults.push(`${place} has two that follow`)
    followed.add(place)
  }
  for (const [place, change] of byPlace) {
    const isLast = last.get(place)?.id === change.id
    const isEnd = !followed.has(place)
    // What was purged may be there anew.
    if (isLast !== isEnd && !(isEnd && change.action === 'purged')) {
      faults.push(`${place} is ${isLast ? 'the last' : 'not the last'} of its thing`)
    }
    if (isLast && current.get(place)?.id !== change.id && change.action !== 'purged') {
      faults.push(`${place} is the last of a thing that is not there`)
    }
  }
  for (const place of last.keys()) if (!byPlace.has(place)) faults.push(`${place} is no change`)
  for (const place of current.keys()) if (!last.has(place)) faults.push(`${place} is not the last`)
  return faults
}
