import type { Db } from '../database/gate.ts'
import type { Author } from '../database/log.ts'
import { runOnce } from '../database/once.ts'
import { adoptTasks, importUser, listIds } from './transfer.ts'

/** Tasks that move in one statement: nobody waits for more than a moment, and a guest hardly has as many. */
const batch = 500

/** Makes all tasks of a guest those of the author. @returns how many */
export async function adopt(db: Db, author: Author, guestId: string): Promise<number> {
  await importUser(db, { id: author.user_id, created_at: new Date().toISOString() })
  for (let total = 0; ; ) {
    const ids = await listIds(db, guestId, batch)
    if (ids.length > 0) {
      const moving = ids.map(({ id }) => id)
      // One of the author's may have come to be with the same id.
      total += (await runOnce(() => adoptTasks(db, author, guestId, moving), 'tasks_pkey')).length
    }
    if (ids.length < batch) return total
  }
}
