import { hasAtMost } from '../http/formats.ts'
import { Problem } from '../http/problem.ts'
import type { Input } from './input.ts'
import { oauthScopes } from './oauth.ts'

// Which programs may be clients. Anybody may register one (RFC 7591), so what matters is where a code can go: to this machine of the
// user's, or to a program that is known. Better Auth's own endpoint refuses what programs really send, and takes any address on the web.

/** Programs on the web. AUTH_CLIENT_HOSTS adds to them. */
const knownHosts = [
  'claude.ai',
  'claude.com',
  'chatgpt.com',
  'vscode.dev',
  'insiders.vscode.dev',
  'www.cursor.com',
]

/** Programs that have their system open an address of their own. */
const ofApps = /^(?:cursor|vscode|vscode-insiders):\/\/[\w-]+(?:\.[\w-]+)*(?:\/[\w.-]+)*\/?$/

/** On whatever port: it is another one each time (RFC 8252). */
const loopback =
  /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:\/[\w.~!$&'()*+,;=:@%/-]*)?(?:\?[\w.~!$&'()*+,;=:@%/?-]*)?$/

const longest = { address: 500, name: 100 }

/** Of redirections, as programs send them. */
const most = 10

export type NewClient = { name: string; redirectUris: string[] }

/** Whether a code may go there. */
export function mayRedirectTo(address: string, hosts: readonly string[]): boolean {
  if (address.length > longest.address) return false
  if (ofApps.test(address)) return true
  if (loopback.test(address)) return URL.canParse(address)
  // Nothing that two readers of addresses could take for different hosts.
  if (!/^https:\/\/[\w.:-]+(?:\/[^\\\s#]*)?$/.test(address) || !URL.canParse(address)) return false
  const { host, username, password } = new URL(address)
  return username === '' && password === '' && [...knownHosts, ...hosts].includes(host)
}

/**
 * What a program says of itself. Of its addresses those that are not known are left out as long as one is: some send all that they
 * have. It is public, whatever it asks for: nothing that it could be given would be a secret.
 * @throws Problem 400 in the words of RFC 7591
 */
export function readClient(said: Input | null, hosts: readonly string[]): NewClient {
  const { client_name: name, redirect_uris: asked } = said ?? {}
  if (!Array.isArray(asked) || asked.length === 0 || asked.length > most) {
    throw wrong(`redirect_uris must be a list of 1 to ${most} addresses.`)
  }
  const known = asked.filter(
    (address): address is string => typeof address === 'string' && mayRedirectTo(address, hosts),
  )
  const redirectUris = [...new Set(known)]
  const [first] = redirectUris
  if (first === undefined) {
    throw wrong(
      'redirect_uris must be on this machine (http://127.0.0.1/…) or of a program that is known here: see AUTH_CLIENT_HOSTS.',
    )
  }
  return { name: nameOf(name) ?? hostOf(first), redirectUris }
}

const wrong = (detail: string): Problem =>
  new Problem(400, detail, { code: 'invalid_redirect_uri' })

/** Null: there is nothing to see in it. What only turns or hides other text is left out: somebody reads this to decide. */
function nameOf(name: unknown): string | null {
  if (typeof name !== 'string') return null
  const text = name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim()
  return text === '' || !hasAtMost(text, longest.name) ? null : text
}

/** Where a code goes, as people read it. */
export function hostOf(address: string): string {
  if (!URL.canParse(address)) return ''
  const { protocol, host } = new URL(address)
  return /^https?:$/.test(protocol) ? host : `${protocol}//${host}`
}

/** What the program is told (RFC 7591). */
export const registered = (id: string, { name, redirectUris }: NewClient) => ({
  client_id: id,
  client_id_issued_at: Math.floor(Date.now() / 1000),
  client_name: name,
  redirect_uris: redirectUris,
  token_endpoint_auth_method: 'none',
  application_type: 'native',
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  scope: oauthScopes.join(' '),
})
