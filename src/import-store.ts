import type { Store } from './imports/importing.ts'
import { findPresentLists, importLists } from './lists/transfer.ts'
import { sizeOf } from './tasks/sizes.ts'
import { findPresentTasks, importTasks, placeTasks } from './tasks/transfer.ts'

/** Where imports from other programs go: the way of those from Docket itself. */
export const importStore: Store = {
  findLists: findPresentLists,
  findTasks: findPresentTasks,
  importLists,
  importTasks,
  placeTasks,
  sizeOf,
}
