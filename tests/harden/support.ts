import { SignJWT } from 'jose'
import { type Options, type Server, startServer } from '../support/process.ts'

// What the long runs share. They are started by `bun run harden`, not by `bun test`: see docs/inside.md.

export const secret = 'only-for-tests-only-for-tests-only'

/** A number from the environment, so that a run can be made longer. */
export const setting = (name: string, fallback: number): number =>
  Number(process.env[name] ?? fallback)

/** A row of the table that CI prints. */
export function report(measure: string, figures: Record<string, number | string>): void {
  const shown = Object.entries(figures).map(([name, figure]) => `${name} ${figure}`)
  console.log(`| ${measure} | ${shown.join(' · ')} |`)
}

export const percentile = (figures: number[], part: number): number =>
  Math.round(
    figures.toSorted((a, b) => a - b)[
      Math.min(figures.length - 1, Math.floor(figures.length * part))
    ] ?? 0,
  )

/** Starts a server that limits nobody. */
export const startUnlimited = (options: Options = {}): Promise<Server> =>
  startServer({
    ...options,
    env: { BETTER_AUTH_SECRET: secret, RATE_LIMIT: '0', DOCS: 'off', ...options.env },
  })

export const tokenOf = (user: string): Promise<string> =>
  new SignJWT({ sub: user })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('2h')
    .sign(new TextEncoder().encode(secret))

export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Response>

/** Requests of one user to whatever server `address` names at the time. */
export async function callerOf(address: () => string, user: string): Promise<Call> {
  const authorization = `Bearer ${await tokenOf(user)}`
  return (method, path, body, headers = {}) =>
    fetch(`${address()}${path}`, {
      method,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    })
}

/** The titles of all tasks of a user. */
export async function titlesOf(call: Call): Promise<string[]> {
  const titles: string[] = []
  for (let path: string | undefined = '/api/tasks?limit=200'; path; ) {
    const answer: Response = await call('GET', path)
    if (answer.status !== 200) throw new Error(`The list answered ${answer.status}.`)
    const tasks = (await answer.json()) as { title: string }[]
    titles.push(...tasks.map(({ title }) => title))
    const query = /<(.*)>/.exec(answer.headers.get('link') ?? '')?.[1]
    path = query && `/api/tasks${query}`
  }
  return titles
}
