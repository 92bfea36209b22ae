import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '../support/database.ts'
import { freePort } from '../support/postgres.ts'
import { buildImage, type Image, inContainer } from './dockerfile.ts'

// The image of the Dockerfile, without Docker: as root on Linux, when it is asked for: TEST_INSTALL=1 bun test tests/install

setDefaultTimeout(120_000)

const isAsked =
  process.env['TEST_INSTALL'] === '1' && process.platform === 'linux' && process.getuid?.() === 0

const compose = Bun.YAML.parse(readFileSync('compose.yaml', 'utf8')) as any
const dockerfile = readFileSync('Dockerfile', 'utf8')

describe.skipIf(!isAsked)('the image', () => {
  const folder = temporaryFolder()
  const data = join(folder, 'volume')
  const port = String(freePort())
  let image: Image

  beforeAll(async () => {
    const ignored = readFileSync('.dockerignore', 'utf8')
    const context = new Set(Array.from(ignored.matchAll(/^!(.+)$/gm), ([, name = '']) => name))
    image = await buildImage(folder, {
      text: dockerfile,
      context,
      args: { COMMIT: '0123456789abcdef' },
    })
    // A volume begins as what the image has in its place.
    cpSync(join(image.root, image.volume), data, { recursive: true, preserveTimestamps: true })
    await Bun.$`chown --reference=${join(image.root, image.volume)} ${data}`
    // Docker makes it in every container.
    mkdirSync(join(image.root, 'proc'))
  })

  const spawn = (command: string[]) =>
    Bun.spawn(inContainer(image, { data, more: { PORT: port }, command }), {
      stdout: 'pipe',
      stderr: 'pipe',
    })

  async function run(command: string[]) {
    const child = spawn(command)
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()])
    return { stdout, stderr, exitCode: await child.exited }
  }

  const docket = (...args: string[]) => run([...image.entrypoint, ...args])

  async function start() {
    const child = spawn(image.entrypoint)
    let said = ''
    for await (const chunk of child.stderr) {
      said += new TextDecoder().decode(chunk)
      if (said.includes('A token')) break
    }
    const children = await Bun.file(`/proc/${child.pid}/task/${child.pid}/children`).text()
    const id = Number(children)
    return {
      said,
      status: await Bun.file(`/proc/${id}/status`).text(),
      end: async () => {
        process.kill(id, 'SIGTERM')
        return child.exited
      },
    }
  }

  async function ask(method: string, body?: object) {
    const token = (await docket('token', '--user', 'alice')).stdout.trim()
    const response = await fetch(`http://127.0.0.1:${port}/api/tasks`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    return { status: response.status, tasks: (await response.json()) as any }
  }

  test('has the program, its libraries, a folder for its data, and nothing else', async () => {
    const entries = await readdir(image.root, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)

    expect(files).toContain('docket')
    expect(
      files.filter((name) => !/^docket$|^(lib\w+|ld-linux-[\w-]+)\.so\.\d$/.test(name)),
    ).toEqual([])
    expect((await docket('--version')).stdout).toContain('(0123456)')
  })

  test('serves the first task as nobody, on a root that is read-only, and ends when it is told to', async () => {
    const before = await readdir(image.root, { recursive: true })
    const unwell = await run(image.healthcheck)
    const server = await start()
    const well = await run(image.healthcheck)
    const created = await ask('POST', { title: 'The first' })
    const code = await server.end()
    const again = await start()
    const { tasks } = await ask('GET')
    await again.end()

    expect(unwell.exitCode).toBe(1)
    expect(well).toMatchObject({ exitCode: 0, stderr: '' })
    expect(created.status).toBe(201)
    expect(code).toBe(0)
    expect(tasks).toMatchObject([{ title: 'The first' }])
    expect(server.said).toContain(join(image.volume, 'postgres'))
    expect(server.status).toMatch(/^Uid:\t65532\t65532\t65532\t65532$/m)
    expect(server.status).toMatch(/^NSpid:\t\d+\t1$/m)
    expect(server.status).toMatch(/^CapEff:\t0+$/m)
    expect(server.status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(await readdir(image.root, { recursive: true })).toEqual(before)
  })
})

test('compose.yaml runs the image of the Dockerfile, hardened, on its port and its volume', () => {
  const { docket } = compose.services
  const [, volume] = /^VOLUME (.*)$/m.exec(dockerfile) ?? []
  const [, port] = /^EXPOSE (.*)$/m.exec(dockerfile) ?? []

  expect(docket).toMatchObject({
    build: { context: '.' },
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
  })
  expect(docket.volumes).toEqual([`data:${volume}`])
  expect(docket.ports).toEqual([`127.0.0.1:8000:${port}`])
  expect(compose.volumes).toHaveProperty('data')
})

test('the Dockerfile builds with the Bun of the binaries', async () => {
  const { dependencies } = await Bun.file('src/build/runtimes/package.json').json()

  expect(dockerfile).toContain(`FROM oven/bun:${Bun.version} AS build`)
  expect(new Set(Object.values(dependencies))).toEqual(new Set([Bun.version]))
})
