import { difference } from './compare.ts'
import { type Context, commonWords, fileOf, startDocket } from './context.ts'
import { databaseOf, tidy } from './fill.ts'
import { pgbenchWorkloads, runPgbench } from './pgbench.ts'
import type { Measured } from './results.ts'
import { peer, type Server, startServer } from './servers.ts'
import { few, type PeerName, usual, type Workload } from './settings.ts'
import { tell } from './table.ts'
import { measure } from './wrk.ts'

// The main part: every workload through every server, in turns.

/** Where only Docket and the straight server are compared, and with what. */
const others = [16, 256, 1]
const ofOthers: readonly Workload[] = ['get', 'page', 'post', 'patch']

type Turn = { peer: PeerName; connections: number }

/** Who takes part in a round of a workload, in order. */
function turnsOf(
  { settings }: Context,
  workload: Workload,
  servers: Map<PeerName, Server>,
): Turn[] {
  const at = settings.connections ?? usual
  const turns: Turn[] = settings.peers.flatMap((name): Turn[] => {
    if (name !== 'pgbench') return servers.has(name) ? [{ peer: name, connections: at }] : []
    if (!pgbenchWorkloads.some((one) => one === workload)) return []
    return [few, ...(workload === 'get' ? [usual] : [])].map((connections) => ({
      peer: name,
      connections,
    }))
  })
  if (settings.connections !== null || !ofOthers.includes(workload)) return turns
  const pair = (['docket', 'straight'] as const).filter((name) => servers.has(name))
  return [
    ...turns,
    ...others.flatMap((connections) => pair.map((name) => ({ peer: name, connections }))),
  ]
}

/** Starts the servers that answer as Docket does. */
async function startPeers(context: Context, words: string[]): Promise<Map<PeerName, Server>> {
  const { settings, postgres, data } = context
  const docket = await startDocket(context, data)
  const servers = new Map<PeerName, Server>()
  if (settings.peers.includes('docket')) servers.set('docket', docket)
  for (const name of settings.peers) {
    if (name === 'docket' || name === 'pgbench') continue
    try {
      const command = await peer(name, postgres.folder)
      if (command === null) continue
      const server = await startServer(
        name,
        command,
        postgres.folder,
        postgres.url(databaseOf(data)),
      )
      const differs = await difference(docket, server, data, words)
      if (differs === null) {
        servers.set(name, server)
        continue
      }
      console.error(`${name} is refused, it answers differently:\n${differs}`)
      await server.stop()
    } catch (error) {
      console.error(
        `${name} is left out: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  return servers
}

export async function measureLoad(context: Context): Promise<Measured[]> {
  const { settings, postgres, data } = context
  const words = await commonWords(context, data)
  const servers = await startPeers(context, words)
  const measured: Measured[] = []

  for (const workload of settings.only) {
    const file = await fileOf(context, workload, data, words)
    const turns = turnsOf(context, workload, servers)
    for (let round = 0; round < settings.rounds; round += 1) {
      await tidy(postgres, data, 'vacuum')
      // Everybody begins once.
      for (const [index] of turns.entries()) {
        const turn = turns[(index + round) % turns.length]
        if (turn === undefined) continue
        const load = { file, ...turn, seconds: settings.seconds, offset: round * 7919 }
        const server = servers.get(turn.peer)
        const run =
          server === undefined
            ? await runPgbench(postgres, data, workload as never, load)
            : await measure(server, load, postgres.id())
        measured.push({ ...turn, workload, round, ...run })
        tell(workload, turn.peer, turn.connections, run)
      }
    }
  }
  await tidy(postgres, data, 'vacuum')
  for (const server of servers.values()) await server.stop()
  return measured
}
