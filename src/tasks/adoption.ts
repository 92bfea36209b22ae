import postgres from 'postgres'
import type { Db } from '../database/gate/gate.ts'
import type { Author } from '../database/log/log.ts'
import { runOnce } from '../database/log/once.ts'
import { adoptTasks, findUser, importUser, listTrees, type Renamed } from './transfer.ts'

/** Tasks that move in one statement: nobody waits for more than a moment, and a guest hardly has as many. */
const batch = 500

/** How often it is looked anew at what the guest has done meanwhile. */
const mostAttempts = 5

/** What their resource does for the lists of a guest. */
export type Lists = {
  /** Makes the same lists for the author. @returns those that have another id there */
  copy: (db: Db, author: Author, guestId: string) => Promise<Renamed[]>
  /** Removes those of the guest. */
  leave: (db: Db, author: Author, guestId: string) => Promise<void>
}

/** Makes all tasks of a guest those of the author, in the same lists. @returns how many tasks */
export const adopting =
  (lists: Lists) =>
  async (db: Db, author: Author, guestId: string): Promise<number> => {
    const time_zone = (await findUser(db, guestId))?.time_zone ?? null
    const arrive = () =>
      importUser(db, { id: author.user_id, created_at: new Date().toISOString(), time_zone })
    await arrive()
    let renamed = await lists.copy(db, author, guestId)
    let attempts = 0
    for (let total = 0; ; ) {
      const ids = (await listTrees(db, guestId, batch)).map(({ id }) => id)
      if (ids.length === 0) {
        await lists.leave(db, author, guestId)
        return total
      }
      try {
        // One of the author's may have come to be with the same id.
        const adopted = await runOnce(
          () => adoptTasks(db, author, guestId, ids, renamed),
          'tasks_pkey',
        )
        total += adopted.length
        if (adopted.length > 0) continue
        // Whose they are to be has gone meanwhile, or somebody else has them by now.
        attempts += 1
        if (attempts === mostAttempts) return total
        await arrive()
        renamed = await lists.copy(db, author, guestId)
      } catch (error) {
        attempts += 1
        if (!isMeanwhile(error) || attempts === mostAttempts) throw error
        renamed = await lists.copy(db, author, guestId)
      }
    }
  }

/** Whether something has come to a task, or to be its list, that was not there when it was read. */
const isMeanwhile = (error: unknown): boolean =>
  error instanceof postgres.PostgresError &&
  ['tasks_pkey', 'tasks_parent', 'tasks_list', 'tasks_tree'].includes(error.constraint_name ?? '')
