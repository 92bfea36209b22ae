import { expect, test } from 'bun:test'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { version } from '../../package.json' with { type: 'json' }
import { createTokens } from '../../src/auth/tokens.ts'
import { connectTo, dropDatabase, serverEnvironment, temporaryFolder } from '../support/database.ts'
import { docket, isCompiled, startServer } from '../support/process.ts'

const secret = 'a-secret-of-thirty-two-bytes-or-more'
const environment = serverEnvironment()

test('prints its version, with what it was built from, and its help', async () => {
  const { stdout, ...rest } = await docket(['--version'])
  expect(rest).toEqual({ stderr: '', exitCode: 0 })
  expect(stdout).toStartWith(`${version} (`)
  expect(stdout).toMatch(
    isCompiled ? /\(([0-9a-f]{7}(, changed)?|no commit)\)\n$/ : /\(from source\)\n$/,
  )
  const help = await docket(['--help'])
  expect(help.exitCode).toBe(0)
  for (const word of [
    'serve',
    'migrate',
    'token --user',
    'DATABASE_URL',
    'BETTER_AUTH_SECRET',
    'DATA_DIR',
  ]) {
    expect(help.stdout).toContain(word)
  }
})

test.each([
  [['sreve']],
  [['--nonsense']],
  [['token']],
  [['export']],
  [['export', '--user', 'nobody']],
  [['token', '--user', '']],
  [['token', '--user', 'a', '--expires', 'soon']],
  [['serve', 'now']],
])('answers %p with one sentence and a fault', async (args) => {
  const { stdout, stderr, exitCode } = await docket(args)

  expect(exitCode).not.toBe(0)
  expect(stdout).toBe('')
  expect(stderr.trim()).not.toBeEmpty()
  expect(stderr).not.toMatch(/\n\s+at /)
})

test('prints a token for a user that lasts as long as it is told to', async () => {
  const env = { BETTER_AUTH_SECRET: secret }

  const { stdout, exitCode } = await docket(['token', '--user', 'alice', '--expires', '15m'], {
    env,
  })

  expect(exitCode).toBe(0)
  const token = stdout.trim()
  expect(await createTokens({ secret, issuer: null, audience: null }).verify(token)).toMatchObject({
    id: 'alice',
  })
  const { exp = 0, iat = 0 } = decodeJwt(token)
  expect(exp - iat).toBe(900)
})

test('prints a token with the issuer and the audience that are required', async () => {
  const env = {
    BETTER_AUTH_SECRET: secret,
    JWT_ISSUER: 'https://auth.example',
    JWT_AUDIENCE: 'docket',
  }

  const { stdout } = await docket(['token', '--user', 'alice'], { env })

  expect(decodeJwt(stdout.trim())).toMatchObject({ iss: 'https://auth.example', aud: 'docket' })
})

/** Runs the server where it cannot start, and gives what it says. */
async function refusal(env: Record<string, string>): Promise<string> {
  const { stderr, exitCode } = await docket([], { env: { PORT: '0', ...env } })
  expect(exitCode).not.toBe(0)
  expect(stderr).not.toMatch(/\n\s+at /)
  return stderr
}

test('lists every fault of the configuration in one message', async () => {
  const said = await refusal({ PORT: 'x', DOCS: 'perhaps', DATABASE_URL: 'http://x' })

  for (const name of ['PORT', 'DOCS', 'DATABASE_URL', 'BETTER_AUTH_SECRET'])
    expect(said).toContain(name)
})

test('says that a port is taken', async () => {
  using taken = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })

  expect(await refusal({ PORT: String(taken.port) })).toContain(
    `127.0.0.1:${taken.port}: the port is taken`,
  )
})

test('says that the folder for its data cannot be made', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')

  expect(await refusal({ DATA_DIR: join(folder, 'file', 'data') })).toContain('DATA_DIR')
})

// Root may write anywhere.
test.skipIf(process.getuid?.() === 0)(
  'says that the folder for its data cannot be written',
  async () => {
    const folder = join(temporaryFolder(), 'data')
    mkdirSync(folder)
    chmodSync(folder, 0o500)

    expect(await refusal({ DATA_DIR: folder })).toContain('DATA_DIR')
  },
)

test('says that another Docket has the folder', async () => {
  const folder = temporaryFolder()
  const server = await startServer({ env: { DATA_DIR: folder } })

  const said = await refusal({ DATA_DIR: folder })
  await server.end('SIGTERM')

  expect(said).toContain('another Docket')
})

test('says that the file of the authorities cannot be read', async () => {
  const said = await refusal({
    DATABASE_URL: 'postgres://alice:hunter2@127.0.0.1:1/none',
    DATABASE_CA_FILE: 'nowhere.pem',
    BETTER_AUTH_SECRET: secret,
  })

  expect(said).toBe('Cannot read DATABASE_CA_FILE, nowhere.pem (ENOENT).\n')
})

test('says that the database cannot be reached, and not with which password', async () => {
  const said = await refusal({
    DATABASE_URL: 'postgres://alice:hunter2@127.0.0.1:1/none',
    DATABASE_WAIT: '1',
    BETTER_AUTH_SECRET: secret,
  })

  expect(said).toContain('Waiting up to 1 s for the database none on 127.0.0.1:1: nothing listens')
  expect(said).toContain('Cannot use the database none on 127.0.0.1:1: nothing listens there.\n')
  expect(said).not.toContain('hunter2')
})

test.skipIf(environment === null).each(['SQL_ASCII', 'LATIN1'])(
  'says that a database has the encoding %s, and leaves it as it is',
  async (encoding) => {
    const server = connectTo(environment?.['DATABASE_URL'] ?? '')
    const name = `docket_test_${crypto.randomUUID().replaceAll('-', '')}`
    const url = new URL(environment?.['DATABASE_URL'] ?? '')
    url.pathname = `/${name}`
    await server
      .unsafe(`create database ${name} encoding '${encoding}' locale 'C' template template0`)
      .simple()

    const { stdout, stderr, exitCode } = await docket(['migrate'], {
      env: { ...environment, DATABASE_URL: url.href, BETTER_AUTH_SECRET: secret },
    })

    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `Cannot use the database ${name} on ${url.host}: its encoding is ${encoding}, and has to be UTF8. Make one with: create database … encoding 'UTF8' template template0\n`,
    )
    const own = connectTo(url.href)
    expect(await own`select from pg_namespace where nspname = 'docket'`).toHaveLength(0)
    expect(await own`select from pg_tables where schemaname = 'public'`).toHaveLength(0)
    await own.end({ timeout: 1 })
    await dropDatabase(server, name)
    await server.end({ timeout: 1 })
  },
)

test.skipIf(environment === null)(
  'says that a server takes it for a replica, where nothing that hangs on a user is deleted',
  async () => {
    const server = connectTo(environment?.['DATABASE_URL'] ?? '')
    const name = `docket_test_${crypto.randomUUID().replaceAll('-', '')}`
    const url = new URL(environment?.['DATABASE_URL'] ?? '')
    url.pathname = `/${name}`
    await server.unsafe(`create database ${name} template template0`).simple()
    const [{ isAllowed } = {}] = await server`
      select rolsuper as "isAllowed" from pg_roles where rolname = current_user`
    if (isAllowed) {
      await server.unsafe(`alter database ${name} set session_replication_role = replica`).simple()
      const { stderr, exitCode } = await docket(['migrate'], {
        env: { ...environment, DATABASE_URL: url.href, BETTER_AUTH_SECRET: secret },
      })
      expect(exitCode).toBe(1)
      expect(stderr).toContain('session_replication_role is replica')
    }
    await dropDatabase(server, name)
    await server.end({ timeout: 1 })
  },
)

test('brings the schema up to date, once', async () => {
  const env = { DATA_DIR: temporaryFolder() }

  const first = await docket(['migrate'], { env })
  const second = await docket(['migrate'], { env })

  expect(first).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Applied 001_tasks.'),
  })
  expect(second).toMatchObject({ exitCode: 0, stdout: 'The schema is up to date.\n' })
})

test('takes .env from its folder when run from source, and not when compiled', async () => {
  const cwd = temporaryFolder()
  writeFileSync(join(cwd, '.env'), 'DOCS=perhaps\n')

  const { exitCode, stderr } = await docket(['token', '--user', 'alice'], { cwd })

  expect(exitCode === 0).toBe(isCompiled)
  expect(stderr.includes('DOCS')).toBe(!isCompiled)
})
