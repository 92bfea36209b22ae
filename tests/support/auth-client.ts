import { clientAddresses } from './addresses.ts'

type Handler = (request: Request) => Promise<Response> | Response

/** A browser, as far as Better Auth can tell: it keeps cookies and says where its page is from. */
export function browser(address: string, origin: string, handle: Handler = fetch) {
  const cookies = new Map<string, string>()
  // Attempts are limited by address, and a test is nobody's attempt.
  const forwarded = clientAddresses.next().value

  async function send(
    method: string,
    path: string,
    body?: unknown,
    more: Record<string, string> = {},
  ) {
    const response = await handle(
      new Request(path.startsWith('http') ? path : `${address}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          origin,
          'x-forwarded-for': forwarded,
          ...(cookies.size === 0 ? {} : { cookie: cookieHeader() }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...more,
        },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    )
    for (const line of response.headers.getSetCookie()) keep(line)
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined,
    }
  }

  function keep(line: string): void {
    const [pair = ''] = line.split(';')
    const name = pair.slice(0, pair.indexOf('='))
    if (/max-age=0/i.test(line)) cookies.delete(name)
    else cookies.set(name, pair.slice(name.length + 1))
  }

  const cookieHeader = (): string =>
    [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')

  return {
    cookies,
    cookieHeader,
    send,
    /** A new account with a session, or 200 is not answered. */
    signUp: (email = `${crypto.randomUUID()}@example.com`) =>
      send('POST', '/api/auth/sign-up/email', {
        name: 'Ann',
        email,
        password: 'correct horse battery',
      }),
    signIn: (email: string, password = 'correct horse battery') =>
      send('POST', '/api/auth/sign-in/email', { email, password }),
    token: async (): Promise<string> => (await send('GET', '/api/auth/token')).body.token,
    signOut: () => send('POST', '/api/auth/sign-out', {}),
    deleteUser: (password = 'correct horse battery') =>
      send('POST', '/api/auth/delete-user', { password }),
  }
}

export type Browser = ReturnType<typeof browser>
