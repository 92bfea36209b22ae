import tasks from '../../sql/001_tasks.sql' with { type: 'text' }
import betterAuth from '../../sql/002_better_auth.sql' with { type: 'text' }
import requests from '../../sql/003_requests.sql' with { type: 'text' }
import search from '../../sql/004_search.sql' with { type: 'text' }
import derived from '../../sql/005_derived.sql' with { type: 'text' }
import writes from '../../sql/006_writes.sql' with { type: 'text' }
import upkeep from '../../sql/007_upkeep.sql' with { type: 'text' }
import trash from '../../sql/008_trash.sql' with { type: 'text' }

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
  file('002_better_auth', betterAuth),
  file('003_requests', requests),
  file('004_search', search),
  file('005_derived', derived),
  file('006_writes', writes),
  file('007_upkeep', upkeep),
  file('008_trash', trash),
]
