import type { Db } from '../database/gate/gate.ts'
import type { Change } from '../database/log/together.ts'
import { listInList, listTrashInList } from './of-list-queries.ts'
import { taskKind } from './writes.ts'

/** Of which list, how many at most, and whether they are a part, which must not be torn from what is under it or above. */
type Asked = { userId: string; listId: string; limit: number; isPart: boolean }

/** Changes that put tasks of a list into the trash. */
export async function discarding(
  db: Db,
  { userId, listId, limit, isPart }: Asked,
): Promise<Change[]> {
  const tasks = await listInList(db, userId, listId, limit, isPart)
  return tasks.map(({ id, version }) => ({
    kind: taskKind,
    id,
    version,
    fields: { deleted_at: null },
    isDiscarded: true,
  }))
}

/** Changes that bring those back that went there at an instant. Where what it was under does not come too, it is under none. */
export async function restoring(
  db: Db,
  { userId, listId, limit, isPart, at }: Asked & { at: string },
): Promise<Change[]> {
  const tasks = await listTrashInList(db, userId, listId, at, limit, isPart)
  const ids = new Set(tasks.map(({ id }) => id))
  return tasks.map(({ id, version, parent_id, has_parent }) => {
    const isCut = parent_id !== null && !has_parent && !ids.has(parent_id)
    return {
      kind: taskKind,
      id,
      version,
      fields: { deleted_at: null, ...(isCut ? { parent_id: null } : {}) },
      isDiscarded: false,
    }
  })
}
