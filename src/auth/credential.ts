import { isOurs } from './access-tokens.ts'

/** What a request says of who sends it. */
export type Credential = {
  /** A JWT; a session token with its signature; a session token alone; a token that a user made, or of a program. */
  kind: 'jwt' | 'signed' | 'raw' | 'access'
  text: string
  /** From a cookie, which a browser sends whatever page asks for it. */
  cookie: boolean
}

/** How the frontend's Better Auth names its cookies, and which of them say something here. */
export type Cookies = {
  /** Before the names: better-auth, unless it was told otherwise. */
  cookiePrefix: string
  /** False: sessions are in another database, and only the copy of one counts. */
  hasSessions: boolean
}

/** Cookies that are tried, for one request. */
const most = 4

/**
 * The credentials of a request, of which the first that is valid counts: an Authorization header alone, or else the cookies of the
 * session, or else those of its copy. A browser keeps several of one kind, where a site went from http to https or from one
 * domain or path to another, and sends them all. Which kind it is follows from its dots: a JWT has two, a signature one.
 */
export function findCredentials(
  headers: Headers,
  { cookiePrefix, hasSessions }: Cookies,
): Credential[] {
  const authorization = headers.get('authorization')
  if (authorization !== null) {
    const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const credential = text === undefined ? null : readCredential(text)
    return credential === null ? [] : [credential]
  }
  const header = headers.get('cookie')
  if (header === null) return []
  const cookies = readCookies(header)
  const sessions = hasSessions ? readCookie(cookies, `${cookiePrefix}.session_token`) : []
  if (sessions.length > 0) {
    return sessions.map((text) => ({ kind: 'signed', text, cookie: true }))
  }
  const copies = readCookie(cookies, `${cookiePrefix}.session_data`)
  return copies.map((text) => ({ kind: 'jwt', text, cookie: true }))
}

/** A credential that is in no cookie. */
export function readCredential(text: string): Credential | null {
  // Before anything else is asked: it is nobody's session.
  if (isOurs(text)) return { kind: 'access', text, cookie: false }
  const kind = (['raw', 'signed', 'jwt'] as const)[text.split('.').length - 1]
  return kind === undefined ? null : { kind, text, cookie: false }
}

/** The values of each name. Of two the first is that of the longer path. One that was cleared is empty. */
function readCookies(header: string): Map<string, string[]> {
  const cookies = new Map<string, string[]>()
  for (const part of header.split(';')) {
    const [name = '', ...value] = part.split('=')
    const key = name.trim()
    const text = value.join('=').trim()
    if (text !== '') cookies.set(key, [...(cookies.get(key) ?? []), text])
  }
  return cookies
}

/** Those that only a secure origin can set are tried first. Better Auth cuts a long one into name.0, name.1 … */
function readCookie(cookies: Map<string, string[]>, name: string): string[] {
  const found: string[] = []
  for (const full of [`__Secure-${name}`, name]) {
    found.push(...(cookies.get(full) ?? []))
    let joined = ''
    for (let index = 0; cookies.has(`${full}.${index}`); index += 1) {
      joined += cookies.get(`${full}.${index}`)?.[0]
    }
    if (joined !== '') found.push(joined)
  }
  return [...new Set(found)].slice(0, most)
}
