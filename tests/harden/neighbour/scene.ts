import { resolve } from 'node:path'
import type postgres from 'postgres'
import { type Server, startServer } from '../../support/process.ts'
import { secret } from '../support.ts'
import type { Order } from './attacker.ts'
import type { Attack } from './attacks.ts'
import { publicOrigin } from './credentials.ts'
import { endAll, type Highest, untilPrompt, untilQuiet, watch } from './measure.ts'
import { type Met, startNeighbour } from './mix.ts'

/** What happens in some seconds: to the neighbour, to the server, and, by status, to the attacker. */
export type Figures = Met & Highest & { runs_on: number; attacker: Record<number, number> }

export type Scene = {
  /** The neighbour, beside these attacks at the same time, or alone. */
  play: (attacks: Attack[], seconds: number) => Promise<Figures>
  /** Kills the server and whatever it left, and starts another one. */
  startAgain: () => Promise<void>
  end: () => Promise<void>
}

/** Where a server is started, and how its database is looked at: as a superuser, or not at all where it is embedded. */
export type Stage = { env: Record<string, string>; cwd?: string; sql: postgres.Sql | null }

/** With the default limits, and the issuer. The clients of the scene come through a proxy, each from an address of its own. */
const settings = {
  BETTER_AUTH_SECRET: secret,
  AUTH_ISSUER: 'on',
  AUTH_URL: publicOrigin,
  TRUST_PROXY: '1',
}

/** Milliseconds after which nobody waits for the end of what runs on. */
const most = 10_000

export async function openScene({ cwd, env, sql }: Stage): Promise<Scene> {
  const start = async (): Promise<Server> => {
    const options = { env: { ...settings, AUTH_JWKS_URL: keys.address, ...env } }
    const started = await startServer(cwd === undefined ? options : { ...options, cwd })
    await warm(started)
    return started
  }
  const attacker = startAttacker()
  const keys = silentAddress()
  let server = await start()

  return {
    play: async (attacks, seconds) => {
      const port = portOf(server)
      const neighbour = await startNeighbour(port)
      const stopWatching = watch(server, sql)
      const tally = await (attacks.length === 0
        ? Bun.sleep(seconds * 1000).then(() => ({}))
        : attacker.carryOut({ attacks, port, seconds }))
      const quiet = sql === null ? untilPrompt(server.address, most) : untilQuiet(sql, most)
      const [met, runs_on] = await Promise.all([neighbour.stop(), quiet])
      return { ...met, ...(await stopWatching()), runs_on, attacker: tally }
    },
    startAgain: async () => {
      await server.end('SIGKILL')
      if (sql !== null) await endAll(sql)
      server = await start()
    },
    end: async () => {
      attacker.end()
      keys.end()
      await server.end('SIGKILL')
      if (sql !== null) await endAll(sql)
    },
  }
}

const portOf = ({ address }: Server): number => Number(new URL(address).port)

/** What is slow once, because it is the first time, is not the doing of an attack. */
async function warm(server: Server): Promise<void> {
  const answer = await fetch(`${server.address}/api/auth/get-session`)
  await answer.text()
  const neighbour = await startNeighbour(portOf(server))
  await Bun.sleep(1000)
  await neighbour.stop()
}

function startAttacker() {
  let heard = Promise.withResolvers<Record<number, number>>()
  const child = Bun.spawn([process.execPath, resolve('tests/harden/neighbour/attacker.ts')], {
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    ipc: (message: Record<number, number>) => heard.resolve(message),
  })
  process.on('exit', () => child.kill('SIGKILL'))
  return {
    carryOut: (order: Order) => {
      heard = Promise.withResolvers()
      child.send(order)
      return heard.promise
    },
    end: () => child.kill('SIGKILL'),
  }
}

/** Of an issuer's keys: takes connections and says nothing. */
function silentAddress() {
  const listener = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
  return { address: `http://127.0.0.1:${listener.port}/jwks`, end: () => listener.stop(true) }
}
