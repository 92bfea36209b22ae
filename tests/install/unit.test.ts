import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { command, isCompiled } from '../support/process.ts'

// docs/docket.service, where systemd is. What it forbids is tried when it is asked for, as root with strace:
// TEST_INSTALL=1 TEST_BINARY=dist/docket bun test tests/install

setDefaultTimeout(60_000)

const path = 'docs/docket.service'
const unit = readFileSync(path, 'utf8')

/** How exposed it may be, in tenths, by systemd's reckoning: 0 is not at all, 100 all that there is. It was 13. */
const threshold = 15

async function analyze(...args: string[]) {
  const child = Bun.spawn(['systemd-analyze', '--no-pager', ...args], {
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
  return { exitCode: await child.exited, said: stdout + stderr, stdout }
}

describe.skipIf(Bun.which('systemd-analyze') === null)('the unit', () => {
  test('is one that systemd understands', async () => {
    const file = join(temporaryFolder(), 'docket.service')
    // The program has to be there.
    await Bun.write(file, unit.replace(/^ExecStart=.*$/m, `ExecStart=${process.execPath}`))

    const { exitCode, said } = await analyze('verify', file)

    expect(said).not.toContain('docket.service:')
    expect(exitCode).toBe(0)
  })

  test('is hardly exposed', async () => {
    const { exitCode, said } = await analyze(
      'security',
      '--offline=true',
      `--threshold=${threshold}`,
      path,
    )

    expect(said).toContain('Overall exposure level')
    expect(exitCode).toBe(0)
  })

  const isAsked =
    process.env['TEST_INSTALL'] === '1' &&
    isCompiled &&
    process.getuid?.() === 0 &&
    Bun.which('strace') !== null

  test.skipIf(!isAsked)('lets Docket ask of the kernel all that it does', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'data')
    const trace = join(data, 'trace')
    chmodSync(folder, 0o755)
    mkdirSync(data)
    chownSync(data, 65532, 65532)
    const port = freePort()
    // Of /proc what the unit leaves of it.
    const script = `
      mount -t proc -o subset=pid,hidepid=invisible proc /proc
      exec setpriv --no-new-privs --bounding-set=-all --reuid=65532 --regid=65532 --clear-groups \
        strace -f -qq -o "$0" "$@"`
    const server = Bun.spawn(
      ['unshare', '--mount', '--pid', '--fork', 'sh', '-ec', script, trace, ...command],
      {
        cwd: folder,
        env: { PATH: process.env['PATH'], PORT: String(port), DATA_DIR: data },
        stdout: 'ignore',
        stderr: 'pipe',
      },
    )
    let said = ''
    for await (const chunk of server.stderr) {
      said += new TextDecoder().decode(chunk)
      if (said.includes('A token')) break
    }
    const origin = `http://localhost:${port}`
    const post = async (path_: string, body: object) =>
      (
        await fetch(origin + path_, {
          method: 'POST',
          headers: { 'content-type': 'application/json', origin },
          body: JSON.stringify(body),
        })
      ).status
    const statuses = [
      await post('/api/auth/sign-up/email', {
        email: 'alice@example.com',
        password: 'correct horse battery',
        name: 'Alice',
      }),
      await post('/api/tasks', { title: 'Of nobody' }),
      (await fetch(`${origin}/ready`)).status,
    ]
    const [strace] = await childrenOf(server.pid)
    for (const id of await childrenOf(strace ?? 0)) process.kill(id, 'SIGTERM')
    const code = await server.exited

    const allowed = await allowedCalls()
    const calls = readFileSync(trace, 'utf8').matchAll(/^\d+ +(?:<\.\.\. )?(\w+)[ (]/gm)
    const refused = new Set(Array.from(calls, ([, call = '']) => call)).difference(allowed)
    expect(statuses).toEqual([200, 401, 200])
    expect(code).toBe(0)
    expect(allowed.size).toBeGreaterThan(200)
    expect([...refused]).toEqual([])
  })
})

const childrenOf = async (id: number): Promise<number[]> =>
  (await Bun.file(`/proc/${id}/task/${id}/children`).text()).split(' ').filter(Boolean).map(Number)

/** What the lines with SystemCallFilter= leave. */
async function allowedCalls(): Promise<Set<string>> {
  let allowed = await callsOf('@default')
  for (const [, no, sets = ''] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const set of sets.split(' ')) {
      const calls = await callsOf(set)
      allowed = no ? allowed.difference(calls) : allowed.union(calls)
    }
  }
  return allowed
}

async function callsOf(set: string): Promise<Set<string>> {
  const { stdout } = await analyze('syscall-filter', set)
  const names = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  const parts = await Promise.all(
    names.map(async (name) => (name.startsWith('@') ? callsOf(name) : new Set([name]))),
  )
  return new Set(parts.flatMap((part) => [...part]))
}

test('the unit starts the binary with a folder of its own', () => {
  const folder = /^StateDirectory=(.*)$/m.exec(unit)?.[1]

  expect(unit).toContain(`Environment=DATA_DIR=/var/lib/${folder}\n`)
  expect(resolve(/^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '')).toBe('/usr/local/bin/docket')
})
