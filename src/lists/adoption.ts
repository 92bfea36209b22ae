import { createHash } from 'node:crypto'
import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import { type Adopted, copyLists, leaveLists, listAdopted } from './transfer.ts'

/** Lists that move in one statement. */
const batch = 500

/**
 * Makes the lists of a guest for the author too, with their ids, but for one that is taken. Twice is once.
 * @returns those that have another id
 */
export async function copy(db: Db, author: Author, guestId: string): Promise<Adopted[]> {
  const found = await listAdopted(db, author.user_id, guestId)
  const lists = found.map(({ id, is_taken }) => ({
    id,
    new_id: is_taken ? otherId(guestId, id) : id,
  }))
  for (let from = 0; from < lists.length; from += batch) {
    await copyLists(db, author, guestId, lists.slice(from, from + batch))
  }
  return lists.filter(({ id, new_id }) => id !== new_id)
}

/** Always the same: whoever asks again means the same list. */
function otherId(guestId: string, id: string): string {
  const hash = createHash('sha256').update(`${guestId} ${id}`).digest('hex')
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}

/** Removes the lists of a guest, whose tasks are gone. */
export async function leave(db: Db, author: Author, guestId: string): Promise<void> {
  const ids = (await listAdopted(db, author.user_id, guestId)).map(({ id }) => id)
  for (let from = 0; from < ids.length; from += batch) {
    await leaveLists(db, { ...author, user_id: guestId }, ids.slice(from, from + batch))
  }
}
