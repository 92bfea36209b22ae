import type { Load } from './support/load.ts'
import type { Proxy } from './support/proxy.ts'
import { type Postgres, straight } from './support/servers.ts'

// Whatever can happen to a database on a network.

export type Scene = {
  name: string
  /** Does it, and undoes it. Gives when the database was back, by performance.now(). */
  fault: (to: { database: Postgres; proxy: Proxy; load: Load }) => Promise<number>
  /** How often all connections are lost together, where it is not once. */
  losses?: number
  /** Its connections come to nobody who counts them. */
  uncounted?: true
  /** No request may fail. */
  unnoticed?: true
  /** Where it can be done: behind the pooler only, or on both ways. */
  only?: 'pooled'
}

/** Does one thing, waits, and undoes it. */
async function meanwhile(
  seconds: number,
  begin: () => unknown,
  end: () => unknown,
): Promise<number> {
  await begin()
  await Bun.sleep(seconds * 1000)
  await end()
  return performance.now()
}

async function several(times: number, ms: number, act: () => unknown): Promise<number> {
  for (let index = 0; index < times; index += 1) {
    await act()
    await Bun.sleep(ms)
  }
  return performance.now()
}

const terminate = ({ admin }: Postgres) => admin`
  select pg_terminate_backend(pid)
  from pg_stat_activity
  where usename = 'docket'`

export const scenes: Scene[] = [
  {
    name: 'idle connections closed',
    losses: 6,
    unnoticed: true,
    fault: ({ proxy, load }) =>
      several(6, 100, async () => {
        await load.pause()
        await proxy.cut('fin')
        load.resume()
      }),
  },
  {
    name: 'asleep, awake after 1 s',
    unnoticed: true,
    fault: async ({ proxy, load }) => {
      await load.pause()
      await proxy.cut('fin')
      proxy.delay(150) // Of each of the several round trips of a new connection.
      load.resume()
      await Bun.sleep(1500)
      proxy.delay(0)
      return performance.now()
    },
  },
  {
    name: 'reset in mid-flight',
    losses: 10,
    fault: ({ proxy }) => several(10, 100, () => proxy.cut('rst')),
  },
  {
    name: 'clean close before ready',
    fault: ({ proxy }) =>
      meanwhile(
        3,
        async () => {
          await proxy.turn('hang up')
          await proxy.cut('fin')
        },
        () => proxy.turn('pass'),
      ),
  },
  {
    name: 'refused for 5 s',
    uncounted: true,
    fault: ({ proxy }) =>
      meanwhile(
        5,
        async () => {
          await proxy.turn('refuse')
          await proxy.cut('fin')
        },
        () => proxy.turn('pass'),
      ),
  },
  {
    name: 'black hole for 5 s',
    fault: ({ proxy }) =>
      meanwhile(
        5,
        () => proxy.turn('lose'),
        () => proxy.turn('pass'),
      ),
  },
  {
    name: 'frozen server for 5 s',
    fault: ({ database }) =>
      meanwhile(
        5,
        () => database.freeze(),
        () => database.thaw(),
      ),
  },
  {
    name: 'backends killed',
    losses: 5,
    fault: ({ database }) => several(5, 200, () => terminate(database)),
  },
  {
    name: 'restart -m immediate',
    fault: async ({ database }) => {
      await database.stop('SIGQUIT')
      await database.start()
      return performance.now()
    },
  },
  {
    name: 'restart -m fast',
    fault: async ({ database }) => {
      await database.stop('SIGINT')
      await database.start()
      return performance.now()
    },
  },
  {
    name: 'down for 5 s',
    only: 'pooled',
    fault: ({ database }) =>
      meanwhile(
        5,
        () => database.stop('SIGQUIT'),
        () => database.start(),
      ),
  },
  {
    name: 'connection limit reached',
    fault: ({ database }) =>
      meanwhile(
        3,
        async () => {
          await database.admin.unsafe('alter role docket connection limit 3')
          await terminate(database)
        },
        () => database.admin.unsafe('alter role docket connection limit -1'),
      ),
  },
  {
    // As a newer Docket does while this one serves.
    name: 'schema changed',
    unnoticed: true,
    fault: async ({ database: { port } }) => {
      const sql = straight({ port, user: 'admin', database: 'docket' })
      await several(5, 100, async () => {
        await sql.unsafe('alter table docket.tasks add column another text')
        await sql.unsafe('alter table docket.tasks drop column another')
      })
      await sql.end()
      return performance.now()
    },
  },
]
