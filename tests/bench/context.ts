import { join } from 'node:path'
import { databaseOf } from './fill.ts'
import type { Postgres } from './postgres.ts'
import { requestsOf, wire } from './requests.ts'
import { afterLoaded, type Dataset, vocabulary } from './rows.ts'
import { type Command, docket, type Server, startServer } from './servers.ts'
import type { Settings, Workload } from './settings.ts'
import { prepare } from './wrk.ts'

/** What every part of the benchmark works with. */
export type Context = {
  settings: Settings
  postgres: Postgres
  /** The compiled program. */
  binary: string
  /** The main database. */
  data: Dataset
  /** Which part of the processors others took before the first run. */
  busy: number
}

/** Starts Docket on the database of a dataset. */
export const startDocket = (
  { postgres, binary }: Context,
  data: Dataset,
  env: Record<string, string> = {},
): Promise<Server> => {
  const command: Command = docket(postgres.folder, [binary], env)
  return startServer('docket', command, postgres.folder, postgres.url(databaseOf(data)))
}

/** The words that about two in a hundred tasks of a user have, as the search sees it. */
export async function commonWords({ postgres }: Context, data: Dataset): Promise<string[]> {
  const sql = postgres.connect(databaseOf(data))
  const words = await sql<{ word: string }[]>`
    with sample as (
      select concat_ws(E'\n', title, description, array_to_string(tags, E'\n')) as text
      from docket.tasks
      where user_id in ('1', '2', '3', '4')
        and created_at < ${afterLoaded}
    )
    select word
    from unnest(${vocabulary.slice(20, 400)}::text[]) as words (word)
    order by abs((select avg((text ilike '%' || word || '%')::int) from sample) - 0.02), word
    limit 10`
  await sql.end()
  return words.map(({ word }) => word)
}

/** The prepared requests of a workload, as a file. */
export const fileOf = async (
  { postgres }: Context,
  workload: Workload,
  data: Dataset,
  words: string[],
): Promise<string> =>
  prepare(
    join(postgres.folder),
    `${data.tasks}-${workload}`,
    await wire(requestsOf(workload, data, words)),
  )
