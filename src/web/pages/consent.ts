import { make, part } from './dom.ts'

// What a program asks for is in the address of this page, signed by the issuer: it is said in words, and sent back with the answer.

const base = new URL('..', import.meta.url).href.replace(/\/$/, '')
const query = location.search.slice(1)
const asked = new URLSearchParams(query)
const message = part('message', HTMLParagraphElement)
const buttons = ['allow', 'deny', 'other'].map((id) => part(id, HTMLButtonElement))

const words: Record<string, string> = {
  'tasks:read': 'see your tasks and lists',
  'tasks:write': 'see, add, change, complete and delete your tasks and lists',
  offline_access: 'stay until you shut it out',
}

function say(text: string): void {
  message.textContent = text
  message.hidden = text === ''
}

/** @throws Error in words */
async function call<T>(path: string, body?: object): Promise<T> {
  const response = await fetch(`${base}/api/auth${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => null)
  if (response === null) throw new Error('Docket cannot be reached. Are you online?')
  const answer = await response.json().catch(() => null)
  if (!response.ok) throw new Error(answer?.detail ?? 'That did not work. Try again.')
  return answer
}

/** One thing at a time. What went wrong is said. */
async function during(task: () => Promise<void>): Promise<void> {
  for (const button of buttons) button.disabled = true
  say('')
  try {
    await task()
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    for (const button of buttons) button.disabled = false
  }
}

const answer = (accept: boolean) =>
  during(async () => {
    const { url } = await call<{ url: string }>('/oauth2/consent', { accept, oauth_query: query })
    location.assign(url)
  })

/** Whoever is signed in by then is asked again. */
const signIn = (): void => location.replace(`${base}/sign-in?${query}`)

function hostOf(address: string): string {
  if (!URL.canParse(address)) return ''
  const { protocol, host, hostname } = new URL(address)
  if (!/^https?:$/.test(protocol)) return `an app of this computer (${protocol}//${host})`
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? `this computer (${host})` : host
}

async function begin(): Promise<void> {
  const session = await call<{ user: { email: string } } | null>('/get-session')
  if (session === null) return signIn()
  const id = encodeURIComponent(asked.get('client_id') ?? '')
  const client = await call<{ client_name?: string }>(`/oauth2/public-client?client_id=${id}`)
  const scopes = (asked.get('scope') ?? '').split(' ')
  const isSaid = (scope: string) => scope !== 'tasks:read' || !scopes.includes('tasks:write')
  part('name', HTMLSpanElement).textContent = client.client_name ?? 'this program'
  part('who', HTMLElement).textContent = session.user.email
  part('host', HTMLElement).textContent = hostOf(asked.get('redirect_uri') ?? '')
  const items = scopes.filter(isSaid).map((scope) => make('li', {}, words[scope] ?? scope))
  part('scopes', HTMLUListElement).append(...items)
  part('asked', HTMLDivElement).hidden = false
}

part('allow', HTMLButtonElement).addEventListener('click', () => answer(true))
part('deny', HTMLButtonElement).addEventListener('click', () => answer(false))
part('other', HTMLButtonElement).addEventListener('click', () =>
  during(async () => {
    await call('/sign-out', {})
    signIn()
  }),
)

await begin().catch((error: Error) => say(`${error.message} Begin again in your program.`))
part('door', HTMLElement).removeAttribute('aria-busy')
