import { connectionsOf } from './claims.ts'
import type { Medians } from './results.ts'
import { few, type PeerName, peerNames, type Settings, type Workload } from './settings.ts'

const charted: [Workload, string][] = [
  ['get', 'one task'],
  ['page', 'a page of 50'],
  ['post', 'create'],
  ['patch', 'change'],
  ['mix', 'mix, 80 % reads'],
]

const names: Record<PeerName, string> = {
  docket: 'Docket',
  straight: 'Elysia, plainly',
  mended: 'the same, driver mended',
  pgbench: `pgbench, ${few} clients`,
  hono: 'Hono',
  fastify: 'Fastify',
  fastapi: 'FastAPI',
}

/** All of them can be read on white and on black alike. */
const ink = '#757e89'
const colours: Record<PeerName, string> = {
  docket: '#2f81f7',
  straight: '#8b949e',
  mended: '#bf4b8a',
  pgbench: '#a371f7',
  hono: '#db6d28',
  fastify: '#3fb950',
  fastapi: '#d4a72c',
}

const width = 760
const left = 130
const bar = 14
const gap = 22

/** Requests a second in those of the straight server, as bars in groups. */
export function chart(medians: Medians, settings: Settings): string {
  const at = connectionsOf(settings.connections)
  const rate = (peer: PeerName, workload: Workload) =>
    medians('rate', peer, workload, peer === 'pgbench' ? few : at)
  const groups = charted
    .map(([workload, label]) => ({
      label,
      bars: peerNames
        .map((peer) => ({ peer, ratio: rate(peer, workload) / rate('straight', workload) }))
        .filter(({ ratio }) => Number.isFinite(ratio)),
    }))
    .filter(({ bars }) => bars.length > 0)
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)))
  const scale = (width - left - 60) / most

  const shown = peerNames.filter((peer) =>
    groups.some(({ bars }) => bars.some((one) => one.peer === peer)),
  )
  const parts = [
    `<text x="0" y="16" font-size="15" font-weight="600">Requests per second, for each one of a plain Elysia server</text>`,
    ...shown.map((peer, index) => {
      const [x, y] = [(index % 3) * 250, 36 + Math.floor(index / 3) * 20]
      return `<rect x="${x}" y="${y - 10}" width="12" height="12" rx="2" fill="${colours[peer]}"/><text x="${x + 18}" y="${y}">${names[peer]}</text>`
    }),
  ]
  let y = 36 + Math.ceil(shown.length / 3) * 20 + 8
  for (const { label, bars } of groups) {
    const middle = y + (bars.length * (bar + 3)) / 2 + 2
    parts.push(`<text x="${left - 12}" y="${middle}" text-anchor="end">${label}</text>`)
    for (const { peer, ratio } of bars) {
      const length = Math.max(1, ratio * scale).toFixed(1)
      parts.push(
        `<rect x="${left}" y="${y}" width="${length}" height="${bar}" rx="2" fill="${colours[peer]}"><title>${names[peer]}: ${ratio.toFixed(2)}</title></rect>`,
        `<text x="${(left + Number(length) + 6).toFixed(1)}" y="${y + bar - 3}" font-size="11">${ratio.toFixed(2)}</text>`,
      )
      y += bar + 3
    }
    y += gap
  }
  parts.push(
    `<text x="0" y="${y}" font-size="11">${at} connections, ${settings.tasks.toLocaleString('en')} tasks, ${settings.cores} cores for PostgreSQL, server and load together</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 -4 ${width + 20} ${y + 14}" width="${width + 20}" role="img" fill="${ink}" font-family="system-ui, sans-serif" font-size="13" aria-label="Requests per second relative to a plain Elysia server">
${parts.join('\n')}
</svg>
`
}
