import { readFileSync } from 'node:fs'
import { chmod, chown } from 'node:fs/promises'
import { temporaryFolder } from '../support/database.ts'
import { asPostgres, findPostgres, freePort } from '../support/postgres.ts'

export type Postgres = {
  url: string
  /** Kills it with all its processes, and starts it again. */
  crash: () => Promise<void>
  stop: () => Promise<void>
}

const programs = findPostgres()

export const hasPostgres = programs !== null

/** To the user whom the servers run as: they refuse to run as root. */
export async function giveToPostgres(path: string): Promise<void> {
  if (asPostgres.length === 0) return
  const entry = Bun.spawnSync(['id', '-u', 'postgres']).stdout.toString()
  await chown(path, Number(entry), -1)
}

/** A PostgreSQL of our own in a temporary folder, as durable as it is by default. */
export async function startPostgres(): Promise<Postgres> {
  const home = temporaryFolder()
  await giveToPostgres(home)
  await chmod(home, 0o755)
  const data = `${home}/data`
  const port = freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres?sslmode=disable`

  const make = [
    '--pgdata',
    data,
    '--encoding=UTF8',
    '--locale=C.UTF-8',
    '--auth=trust',
    '-U',
    'postgres',
  ]
  const made = Bun.spawnSync([...asPostgres, `${programs}/initdb`, ...make], { cwd: home })
  if (made.exitCode !== 0) throw new Error(`initdb: ${made.stderr.toString()}`)

  const start = () =>
    Bun.spawn(
      [
        ...asPostgres,
        `${programs}/postgres`,
        '-D',
        data,
        '-p',
        String(port),
        '-k',
        home,
        '-c',
        'listen_addresses=127.0.0.1',
      ],
      { cwd: home, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
    )
  const isReady = () =>
    Bun.spawnSync([`${programs}/pg_isready`, '-h', '127.0.0.1', '-p', String(port)]).exitCode === 0
  const untilReady = async () => {
    for (let tries = 0; !isReady(); tries += 1) {
      if (tries === 300) throw new Error('PostgreSQL did not start.')
      await Bun.sleep(100)
    }
  }

  let server = start()
  process.on('exit', () => server.kill('SIGKILL'))
  await untilReady()
  return {
    url,
    crash: async () => {
      const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8')
      server.kill('SIGKILL')
      for (const id of children.trim().split(' ')) {
        try {
          if (id !== '') process.kill(Number(id), 'SIGKILL')
        } catch {} // It is gone already.
      }
      await server.exited
      // What it left in shared memory has to be free of processes before the next may start.
      for (let tries = 0; tries < 50; tries += 1) {
        server = start()
        if ((await Promise.race([server.exited, Bun.sleep(300)])) === undefined) break
      }
      await untilReady()
      const [id] = readFileSync(`${data}/postmaster.pid`, 'utf8').split('\n')
      if (Number(id) !== server.pid) throw new Error('Another PostgreSQL answers.')
    },
    stop: async () => {
      server.kill('SIGINT')
      await server.exited
    },
  }
}
