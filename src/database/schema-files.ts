import tasks from '../../sql/001_tasks.sql' with { type: 'text' }
import requests from '../../sql/002_requests.sql' with { type: 'text' }
import accounts from '../../sql/003_accounts.sql' with { type: 'text' }
import changes from '../../sql/004_changes.sql' with { type: 'text' }
import lists from '../../sql/005_lists.sql' with { type: 'text' }
import recurrence from '../../sql/006_recurrence.sql' with { type: 'text' }

export type SchemaFile = {
  version: number
  name: string
  text: string
  /** An older Docket cannot work on a database with this file. */
  breaking: boolean
}

const file = (name: string, text: string): SchemaFile => ({
  version: Number.parseInt(name, 10),
  name,
  text,
  breaking: /^-- breaking\b/m.test(text),
})

/** The files of sql/, which are in the compiled binary too. Append; never edit one that was released. */
export const schemaFiles: readonly SchemaFile[] = [
  file('001_tasks', tasks),
  file('002_requests', requests),
  file('003_accounts', accounts),
  file('004_changes', changes),
  file('005_lists', lists),
  file('006_recurrence', recurrence),
]

/** Without those of the built-in issuer, which are for where it is on and there are no accounts of a frontend's. */
export const schemaFilesWithoutAccounts = schemaFiles.filter(
  ({ text }) => !/^-- only with the issuer$/m.test(text),
)
