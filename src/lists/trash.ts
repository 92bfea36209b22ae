import postgres from 'postgres'
import type { Db } from '../database/gate/gate.ts'
import { holding } from '../database/log/holding.ts'
import type { Author } from '../database/log/log.ts'
import { findAnswer, type Once } from '../database/log/once.ts'
import { type Change, changeTogether, onlyAnswered, outcomeOf } from '../database/log/together.ts'
import type { Outcome } from '../database/log/writes.ts'
import { contended } from '../http/problem.ts'
import { type AnyList, findAnyList } from './queries.ts'
import { listKind } from './writes.ts'

// A list goes to the trash with its tasks, and comes back with those that went there together with it: they have its instant. Read,
// reckoned, and written if nobody has changed anything of it since. What comes into it meanwhile is seen by the database.

/** What their resource does for the tasks of a list: the changes that are to be made of so many of them. */
export type Members = {
  /** To the trash. `isPart`: only such that nothing is under. */
  discarding: (
    db: Db,
    asked: { userId: string; listId: string; limit: number; isPart: boolean },
  ) => Promise<Change[]>
  /** Back, of those that went there at an instant. `isPart`: only such that are under nothing which is to come back. */
  restoring: (
    db: Db,
    asked: { userId: string; listId: string; at: string; limit: number; isPart: boolean },
  ) => Promise<Change[]>
}

type Asked = { id: string; versions: number[] | null; once: Once | null }

/** How often it is looked anew at what somebody has changed meanwhile. */
const mostAttempts = 5

/** Tasks that go in one statement: with the list they are as many as can be undone at once. */
const most = 999

/** To the trash, with all its tasks. Of very many a part goes each time, and the list with the last. */
export const deleteList = (
  db: Db,
  author: Author,
  asked: Asked,
  members: Members,
): Promise<Outcome> =>
  persist(db, author, (to, losses) => discard(to, author, asked, members, losses))

async function discard(
  db: Db,
  author: Author,
  { id, versions, once }: Asked,
  { discarding }: Members,
  mostLosses: number,
): Promise<Outcome | undefined> {
  const of = { userId: author.user_id, listId: id.toLowerCase() }
  /** When the first went. */
  let at: string | null = null
  for (let attempt = 0; attempt < mostLosses; ) {
    const { list, earlier } = await look(db, author, id, once)
    if (earlier) return outcomeOf(earlier, once)
    if (list === undefined || list.deleted_at !== null) return { outcome: 'not_found' }
    if (versions !== null && !versions.includes(list.version)) return { outcome: 'stale' }

    const all = await discarding(db, { ...of, limit: most + 1, isPart: false })
    const isLast = all.length <= most
    const tasks = isLast ? all : await discarding(db, { ...of, limit: most, isPart: true })
    const own = changeOf(list, { deleted_at: null }, true)
    const changes = isLast ? [own, ...tasks] : tasks
    const changed = await together(db, author, laterAt(changes, at), isLast ? once : null)
    if (changed === undefined) attempt += 1
    else if (isLast) return outcomeOf(changed, once)
    else {
      attempt = 0
      at ??= String(JSON.parse(changed.answer).deleted_at)
    }
  }
  return undefined
}

/** All that goes has the instant of the first. */
const laterAt = (changes: Change[], at: string | null): Change[] =>
  at === null
    ? changes
    : changes.map((change) => ({ ...change, fields: { deleted_at: at }, isDiscarded: false }))

/** Back from the trash, with the tasks that went there with it. Of very many a part comes each time, and the list with the first. */
export const restoreList = (
  db: Db,
  author: Author,
  asked: Asked,
  members: Members,
): Promise<Outcome> =>
  persist(db, author, (to, losses) => restore(to, author, asked, members, losses))

async function restore(
  db: Db,
  author: Author,
  { id, versions, once }: Asked,
  { restoring }: Members,
  mostLosses: number,
): Promise<Outcome | undefined> {
  const of = { userId: author.user_id, listId: id.toLowerCase() }
  /** Since when it was there. */
  let at: string | null = null
  for (let attempt = 0; attempt < mostLosses; ) {
    const { list, earlier } = await look(db, author, id, once)
    if (earlier) return outcomeOf(earlier, once)
    if (list === undefined) return { outcome: 'not_found' }
    const row = { text: list.text, version: list.version }
    if (at === null && versions !== null && !versions.includes(list.version)) {
      return { outcome: 'stale' }
    }
    const isThere = list.deleted_at === null
    if ((isThere && at === null && once === null) || (!isThere && at !== null)) {
      return { outcome: 'changed', row }
    }
    const since: string | null = at ?? list.deleted_at
    const find = (limit: number, isPart: boolean) =>
      since === null ? [] : restoring(db, { ...of, at: since, limit, isPart })
    const all = await find(most + 1, false)
    const isLast = all.length <= most
    const tasks = isLast ? all : await find(most, true)
    // It is the answer, though nothing of it may change.
    const changes = [changeOf(list, isThere ? {} : { deleted_at: null }), ...tasks]
    const changed = await together(db, author, changes, isLast ? once : null)
    if (changed === undefined) attempt += 1
    else if (isLast) return outcomeOf(changed, once)
    else {
      attempt = 0
      at = since
    }
  }
  return undefined
}

/** Who has lost too often attempts it once more while nobody else writes for the user. */
async function persist(
  db: Db,
  { user_id }: Author,
  attempt: (db: Db, mostLosses: number) => Promise<Outcome | undefined>,
): Promise<Outcome> {
  const outcome =
    (await attempt(db, mostAttempts)) ?? (await holding(db, user_id, (to) => attempt(to, 1)))
  if (outcome === undefined) throw contended('lists or tasks')
  return outcome
}

/** The list, and the answer to an earlier request with the same key: where its effect was seen it is there. */
async function look(db: Db, { user_id }: Author, id: string, once: Once | null) {
  const list = await findAnyList(db, user_id, id)
  return { list, earlier: once && (await findAnswer(db, user_id, once.key)) }
}

const changeOf = (
  { id, version }: AnyList,
  fields: Change['fields'],
  isDiscarded = false,
): Change => ({ kind: listKind, id, version, fields, isDiscarded })

/** What the database says where something was put there that was not there when it was read. */
const meanwhile = ['lists_empty', 'tasks_tree', 'tasks_parent_there', 'tasks_list_there']

/** The first is the answer. Undefined where something was changed meanwhile. */
async function together(db: Db, author: Author, changes: Change[], once: Once | null) {
  const [first] = changes
  if (first === undefined) return undefined
  try {
    return await changeTogether(db, author, changes, once, onlyAnswered(first.kind, first.id))
  } catch (error) {
    const isOther =
      error instanceof postgres.PostgresError && meanwhile.includes(error.constraint_name ?? '')
    if (isOther) return undefined
    throw error
  }
}
