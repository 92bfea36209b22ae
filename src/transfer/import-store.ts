import type { Store } from '../imports/importing.ts'
import { findPresentLists, importLists } from '../lists/transfer.ts'
import { RuleFault, readRule, todayIn } from '../tasks/recurrence/recurrence.ts'
import { isRelative, reminderOf } from '../tasks/reminders.ts'
import { sizeOf } from '../tasks/sizes.ts'
import { findPresentTasks, importTasks, placeTasks } from '../tasks/transfer.ts'

/** Where imports from other programs go: the way of those from Docket itself. */
export const importStore: Store = {
  findLists: findPresentLists,
  findTasks: findPresentTasks,
  importLists,
  importTasks,
  placeTasks,
  sizeOf,
  readReminder: (text) => {
    const reminder = reminderOf(text)
    return reminder === null ? null : { reminder, isRelative: isRelative(reminder) }
  },
  readRule: async (rule, { due_date, due_time, time_zone, repeat_from }, zone) => {
    const today = todayIn(zone, Temporal.Now.instant())
    try {
      const begun = { due_date, due_time, time_zone, repeat_from }
      return (await readRule(rule, begun, today, zone)) ?? 'says nothing'
    } catch (error) {
      if (error instanceof RuleFault) return error.message
      throw error
    }
  },
}
