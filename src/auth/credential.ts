/** What a request says of who sends it. */
export type Credential = {
  /** A JWT; a session token with its signature; a session token alone. */
  kind: 'jwt' | 'signed' | 'raw'
  text: string
  /** From a cookie, which a browser sends whatever page asks for it. */
  cookie: boolean
}

/**
 * The credential of a request, or null. An Authorization header wins over cookies, and the session over its copy. Which
 * kind it is follows from its dots: a JWT has two, a signature one.
 * @param hasSessions false: sessions are in another database, and of cookies only the copy says something here
 */
export function findCredential(headers: Headers, hasSessions: boolean): Credential | null {
  const authorization = headers.get('authorization')
  if (authorization !== null) {
    const text = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    return text === undefined ? null : readCredential(text)
  }
  const cookies = readCookies(headers.get('cookie') ?? '')
  const session = readCookie(cookies, 'better-auth.session_token')
  if (session !== undefined && hasSessions) return { kind: 'signed', text: session, cookie: true }
  const copy = readCookie(cookies, 'better-auth.session_data')
  return copy === undefined ? null : { kind: 'jwt', text: copy, cookie: true }
}

/** A credential that is in no cookie. */
export function readCredential(text: string): Credential | null {
  const kind = (['raw', 'signed', 'jwt'] as const)[text.split('.').length - 1]
  return kind === undefined ? null : { kind, text, cookie: false }
}

function readCookies(header: string): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const part of header.split(';')) {
    const [name = '', ...value] = part.split('=')
    // Of two of one name the first is that of the longer path. One that was cleared is empty.
    const key = name.trim()
    const text = value.join('=').trim()
    if (text !== '' && !cookies.has(key)) cookies.set(key, text)
  }
  return cookies
}

/** The one that only a secure origin can set is believed first. Better Auth cuts a long one into name.0, name.1 … */
function readCookie(cookies: Map<string, string>, name: string): string | undefined {
  for (const full of [`__Secure-${name}`, name]) {
    const whole = cookies.get(full)
    if (whole !== undefined) return whole
    let joined = ''
    for (let index = 0; cookies.has(`${full}.${index}`); index += 1) {
      joined += cookies.get(`${full}.${index}`)
    }
    if (joined !== '') return joined
  }
  return undefined
}
