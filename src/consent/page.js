// What a program asks for is in the address of this page, signed by the issuer: it is said in words, and sent back with the answer.

const query = location.search.slice(1)
const asked = new URLSearchParams(query)
const { prefix } = document.body.dataset
const of = (id) => document.getElementById(id)
const buttons = [...document.querySelectorAll('button')]

const words = {
  'tasks:read': 'see your tasks and lists',
  'tasks:write': 'see, add, change, complete and delete your tasks and lists',
  offline_access: 'stay until you shut it out',
}

function fail(text) {
  of('fault').textContent = text
  of('fault').hidden = false
}

async function ask(path, body) {
  const response = await fetch(`${prefix}/api/auth${path}`, {
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  })
  const answer = await response.json().catch(() => null)
  if (!response.ok) throw new Error(answer?.detail ?? 'That did not work.')
  return answer
}

/** One thing at a time. What went wrong is said. */
async function during(task) {
  for (const button of buttons) button.disabled = true
  of('fault').hidden = true
  try {
    await task()
  } catch (error) {
    fail(error.message)
    for (const button of buttons) button.disabled = false
  }
}

const answer = (accept) =>
  during(async () => {
    const { url } = await ask('/oauth2/consent', { accept, oauth_query: query })
    location.assign(url)
  })

/** The program is told there, and whoever is signed in by then is asked again. */
const signIn = () => location.replace(`${prefix}/sign-in?${query}`)

function hostOf(address) {
  if (!URL.canParse(address)) return ''
  const { protocol, host, hostname } = new URL(address)
  if (protocol !== 'https:' && protocol !== 'http:')
    return `an app of this computer (${protocol}//${host})`
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
  return isHere ? `this computer (${host})` : host
}

async function show() {
  const session = await ask('/get-session')
  if (session === null) return signIn()
  const id = encodeURIComponent(asked.get('client_id') ?? '')
  const client = await ask(`/oauth2/public-client?client_id=${id}`)
  of('name').textContent = client.client_name ?? 'this program'
  of('who').textContent = session.user.email
  of('host').textContent = hostOf(asked.get('redirect_uri') ?? '')
  const scopes = (asked.get('scope') ?? '').split(' ')
  const isSaid = (scope) => scope !== 'tasks:read' || !scopes.includes('tasks:write')
  for (const scope of scopes.filter(isSaid)) {
    const item = document.createElement('li')
    item.textContent = words[scope] ?? scope
    of('scopes').append(item)
  }
  of('asked').hidden = false
}

of('allow').addEventListener('click', () => answer(true))
of('deny').addEventListener('click', () => answer(false))
of('other').addEventListener('click', () =>
  during(async () => {
    await ask('/sign-out', {})
    signIn()
  }),
)

try {
  await show()
} catch (error) {
  fail(`${error.message} Begin again in your program.`)
}
document.querySelector('main').removeAttribute('aria-busy')
