import { join } from 'node:path'

/** A certificate authority for one run, and a certificate of it for an address, as files in a folder. */
export type Authority = { ca: string; certificate: string; key: string }

export async function makeAuthority(folder: string, address = '127.0.0.1'): Promise<Authority> {
  const path = (name: string) => join(folder, name)
  const make = (name: string, ...options: string[]) =>
    run(
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2',
      `-subj /CN=${name} -keyout ${path(`${name}.key`)} -out ${path(`${name}.crt`)}`,
      ...options,
    )

  await make('authority')
  await make(
    'server',
    `-CA ${path('authority.crt')} -CAkey ${path('authority.key')}`,
    `-addext subjectAltName=IP:${address} -addext basicConstraints=critical,CA:FALSE`,
  )
  return { ca: path('authority.crt'), certificate: path('server.crt'), key: path('server.key') }
}

/** Runs a command to its end, given in parts whose words have no spaces, and throws what it said if it failed. */
export async function run(...parts: string[]): Promise<string> {
  const command = parts.join(' ').split(' ')
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [output, errors, status] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ])
  if (status !== 0) throw new Error(`${command[0]} failed with ${status}: ${errors}`)
  return output
}
