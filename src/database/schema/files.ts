import tasks from '../../../sql/001_tasks.sql' with { type: 'text' }
import requests from '../../../sql/002_requests.sql' with { type: 'text' }
import accounts from '../../../sql/003_accounts.sql' with { type: 'text' }
import changes from '../../../sql/004_changes.sql' with { type: 'text' }
import lists from '../../../sql/005_lists.sql' with { type: 'text' }
import recurrence from '../../../sql/006_recurrence.sql' with { type: 'text' }
import webhooks from '../../../sql/007_webhooks.sql' with { type: 'text' }
import deliveries from '../../../sql/008_deliveries.sql' with { type: 'text' }
import feeds from '../../../sql/009_feeds.sql' with { type: 'text' }
import reminders from '../../../sql/010_reminders.sql' with { type: 'text' }
import push from '../../../sql/011_push.sql' with { type: 'text' }
import accessTokens from '../../../sql/012_access_tokens.sql' with { type: 'text' }
import oauth from '../../../sql/013_oauth.sql' with { type: 'text' }

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
  file('007_webhooks', webhooks),
  file('008_deliveries', deliveries),
  file('009_feeds', feeds),
  file('010_reminders', reminders),
  file('011_push', push),
  file('012_access_tokens', accessTokens),
  file('013_oauth', oauth),
]

/** Without those of the built-in issuer, which are for where it is on and there are no accounts of a frontend's. */
export const schemaFilesWithoutAccounts = schemaFiles.filter(
  ({ text }) => !/^-- only with the issuer$/m.test(text),
)
