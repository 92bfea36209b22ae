import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'

// Debian's nginx and HAProxy as processes of the test, each with a configuration of its own, on free ports of the loopback.

/** Debian keeps it out of the PATH of who is not root. */
const find = (name: string): string | null =>
  Bun.which(name, { PATH: `${process.env['PATH']}:/usr/sbin:/usr/local/sbin` })

export const nginx = find('nginx')
export const haproxy = find('haproxy')

for (const [name, found] of Object.entries({ nginx, haproxy })) {
  if (found === null) console.log(`Skipped: ${name} is not installed.`)
}

const running = new Set<Bun.Subprocess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export type Proxy = { address: string; end: () => Promise<void> }

async function start(command: string[], cwd: string, port: number): Promise<Proxy> {
  const child = Bun.spawn(command, {
    cwd,
    env: {},
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  running.add(child)
  const said = Promise.all([child.stdout.text(), child.stderr.text()])
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`It did not start: ${(await said).join('')}`)
    await Bun.sleep(20)
  }
  return {
    address: `http://127.0.0.1:${port}`,
    end: async () => {
      child.kill('SIGTERM')
      await child.exited
      running.delete(child)
    },
  }
}

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** nginx with these locations and upstreams; it compresses whatever it can. */
export async function startNginx(upstreams: string, locations: string): Promise<Proxy> {
  const folder = temporaryFolder()
  const port = freePort()
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const configuration = `
    daemon off;
    master_process off;
    pid ${folder}/pid;
    error_log stderr;
    events {}
    http {
      access_log off;
      ${kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n')}
      gzip on;
      gzip_min_length 1;
      gzip_proxied any;
      gzip_types application/json application/problem+json text/javascript text/css;
      ${upstreams}
      server {
        listen 127.0.0.1:${port};
        ${locations}
      }
    }
  `
  writeFileSync(join(folder, 'nginx.conf'), configuration)
  const command = [nginx ?? '', '-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')]
  return start(command, folder, port)
}

/** HAProxy with these backends behind a frontend, which says at /stats;csv what its checks have found. */
export async function startHaproxy(frontend: string, backends: string): Promise<Proxy> {
  const folder = temporaryFolder()
  const port = freePort()
  const configuration = `
    global
      maxconn 100
    defaults
      mode http
      timeout connect 5s
      timeout client 30s
      timeout server 30s
      timeout check 10s
    frontend entry
      bind 127.0.0.1:${port}
      stats enable
      stats uri /stats
      ${frontend}
    ${backends}
  `
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, `${configuration.replace(/^ {4}/gm, '')}\n`)
  return start([haproxy ?? '', '-db', '-f', file], folder, port)
}
