import { part } from './dom.ts'

// Signing in with the built-in issuer, which is Better Auth: its routes under /api/auth take and give JSON.

type Mode = 'sign in' | 'sign up' | 'forgot' | 'reset' | 'signed in' | 'told'

const base = new URL('..', import.meta.url).href.replace(/\/$/, '')
const door = part('door', HTMLElement)
const title = part('title', HTMLHeadingElement)
const message = part('message', HTMLParagraphElement)
const form = part('form', HTMLFormElement)
const submit = part('submit', HTMLButtonElement)
const providers = part('providers', HTMLDivElement)
const other = part('other', HTMLButtonElement)
const forgot = part('forgot', HTMLButtonElement)
const input = (name: string) => form.elements.namedItem(name) as HTMLInputElement

const { home = '', url = '', mail } = door.dataset
const query = new URLSearchParams(location.search)
const page = `${base}/sign-in`
/** What a program asks for that waits to be let in, signed by the issuer: who signs in with it is asked next. */
const asking = query.has('sig') ? location.search.slice(1) : ''
const more = asking === '' ? {} : { oauth_query: asking }

let mode: Mode = 'sign in'

const words: Record<Mode, { title: string; submit: string; other: string }> = {
  'sign in': { title: 'Sign in', submit: 'Sign in', other: 'Create an account' },
  'sign up': { title: 'Create an account', submit: 'Create account', other: 'Sign in instead' },
  forgot: { title: 'Reset your password', submit: 'Send a link', other: 'Back to sign in' },
  reset: { title: 'Choose a new password', submit: 'Save', other: 'Back to sign in' },
  'signed in': { title: 'Welcome', submit: 'Go on', other: 'Sign out' },
  told: { title: 'Look into your mail', submit: '', other: 'Back to sign in' },
}

function show(next: Mode): void {
  mode = next
  title.textContent = words[mode].title
  document.title = `${words[mode].title} · Docket`
  submit.textContent = words[mode].submit
  other.textContent = words[mode].other
  const isEntry = mode === 'sign in' || mode === 'sign up'
  const hasPassword = isEntry || mode === 'reset'
  field('name', mode === 'sign up', true)
  field('email', isEntry || mode === 'forgot')
  field('password', hasPassword)
  input('password').autocomplete = mode === 'sign in' ? 'current-password' : 'new-password'
  // Whoever signs in has one already, whatever its length.
  input('password').minLength = mode === 'sign in' ? 0 : 8
  part('password-help', HTMLParagraphElement).hidden = !hasPassword || mode === 'sign in'
  submit.hidden = mode === 'told'
  providers.hidden = !isEntry || providers.childElementCount === 0
  forgot.hidden = mode !== 'sign in' || mail !== 'on'
}

function field(name: string, isShown: boolean, isOptional = false): void {
  part(`${name}-field`, HTMLLabelElement).hidden = !isShown
  input(name).disabled = !isShown
  input(name).required = isShown && !isOptional
}

function say(text: string, isError = true): void {
  message.textContent = text
  message.classList.toggle('good', !isError)
  message.hidden = text === ''
}

/** What Better Auth's codes mean to a person; other errors come as a sentence. */
const faults: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: 'The e-mail address or the password is wrong.',
  USER_ALREADY_EXISTS: 'There is an account with this address: sign in instead.',
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: 'There is an account with this address: sign in instead.',
  PASSWORD_TOO_SHORT: 'The password is too short: it needs eight characters.',
  INVALID_EMAIL: 'That is no e-mail address.',
  INVALID_TOKEN: 'This link has been used or is too old. Ask for another one.',
  TOKEN_EXPIRED: 'This link is too old. Ask for another one.',
  INVALID_ORIGIN: `Sign-in works at ${url}/sign-in only. Whoever runs Docket can change that by AUTH_URL.`,
  SIGN_IN_REQUIRED: 'Sign in once more, and your address is verified.',
  account_not_linked: 'There is an account with this address already: sign in to it as before.',
  access_denied: 'The sign-in was cancelled.',
  email_not_found: 'The provider says no e-mail address of you, and Docket needs one.',
  invalid_client:
    'The program that sent you here is not known here any more: take Docket out of it, and add it again.',
  invalid_redirect:
    'The program that sent you here wants you back at a place that it has not named before.',
  state_mismatch: 'The sign-in took too long. Begin again.',
}

type Outcome = {
  ok: boolean
  body: { code?: string; detail?: string; url?: string; user?: { email: string } }
}

async function call(path: string, body?: object): Promise<Outcome> {
  try {
    const response = await fetch(`${base}/api/auth${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    return { ok: response.ok, body: ((await response.json()) ?? {}) as Outcome['body'] }
  } catch {
    return { ok: false, body: { detail: 'Docket cannot be reached. Are you online?' } }
  }
}

const wordsOf = ({ code = '', detail }: Outcome['body']): string =>
  faults[code] ?? detail ?? 'That did not work. Try again.'

/** To where the user came from, or stays to be told. */
async function goOn(next?: string): Promise<void> {
  if (asking !== '' && next !== undefined) return location.replace(next)
  const token = query.get('token')
  if (query.get('error') === 'SIGN_IN_REQUIRED' && token !== null) {
    await call(`/verify-email?token=${encodeURIComponent(token)}`)
  }
  if (home === '') return show('signed in')
  location.replace(home)
}

async function send(): Promise<void> {
  const [email, password] = [input('email').value, input('password').value]
  switch (mode) {
    case 'sign in':
      return after(await call('/sign-in/email', { email, password, ...more }), (body) =>
        goOn(body.url),
      )
    case 'sign up': {
      const name = input('name').value.trim() || email.split('@')[0] || email
      const asked = { name, email, password, callbackURL: `${page}?verified`, ...more }
      return after(await call('/sign-up/email', asked), (body) => goOn(body.url))
    }
    case 'forgot':
      return after(await call('/request-password-reset', { email, redirectTo: page }), () => {
        show('told')
        say('If there is an account with this address, a link is on its way to it.', false)
      })
    case 'reset': {
      const asked = { newPassword: password, token: query.get('token') ?? '' }
      return after(await call('/reset-password', asked), () => {
        history.replaceState(null, '', page)
        show('sign in')
        say('Your new password is saved: sign in with it.', false)
      })
    }
    case 'signed in':
      return goOn()
    case 'told':
  }
}

async function after(
  outcome: Outcome,
  then: (body: Outcome['body']) => Promise<void> | void,
): Promise<void> {
  if (outcome.ok) await then(outcome.body)
  else say(wordsOf(outcome.body))
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  say('')
  submit.disabled = true
  await send()
  submit.disabled = false
})

providers.addEventListener('click', async (event) => {
  const { provider } = (event.target as HTMLElement).dataset
  if (provider === undefined) return
  say('')
  const back = asking === '' ? hereafter() : askingAnew()
  const asked = { provider, callbackURL: back, errorCallbackURL: page }
  const outcome = await call('/sign-in/social', asked)
  await after(outcome, () => location.assign(outcome.body.url ?? page))
})

const hereafter = (): string => (home === '' ? page : new URL(home, location.href).href)

/** What comes back from a provider has forgotten what was asked, so it is asked once more. */
function askingAnew(): string {
  const asked = new URLSearchParams(
    [...new URLSearchParams(asking)].filter(([name]) => !/^(?:sig|exp|prompt|ba_\w+)$/.test(name)),
  )
  return `${url}/api/auth/oauth2/authorize?${asked.toString()}`
}

other.addEventListener('click', async () => {
  say('')
  if (mode === 'signed in') await call('/sign-out', {})
  if (mode === 'reset') history.replaceState(null, '', page)
  show(mode === 'sign in' ? 'sign up' : 'sign in')
  input(mode === 'sign up' ? 'name' : 'email').focus()
})
forgot.addEventListener('click', () => {
  say('')
  show('forgot')
  input('email').focus()
})

async function begin(): Promise<void> {
  const error = query.get('error')
  show(query.has('token') && error === null ? 'reset' : 'sign in')
  if (error !== null) say(wordsOf({ code: error }))
  if (url !== base) {
    // Another name of this machine: the session's cookie belongs to the one that Docket knows.
    const isHere = /^(127\.0\.0\.1|\[::1\])$/.test(location.hostname)
    if (isHere && new URL(url).host === `localhost:${location.port}`) {
      return location.replace(`${url}/sign-in${location.search}`)
    }
    say(faults['INVALID_ORIGIN'] ?? '')
  }
  if (mode === 'reset' || error !== null) return
  if (asking !== '') return say('Sign in, and you are asked whether to let a program in.', false)
  const { body } = await call('/get-session')
  if (body.user !== undefined && mode === 'sign in') {
    show('signed in')
    const verified = query.has('verified') ? 'Your address is verified. ' : ''
    say(`${verified}You are signed in as ${body.user.email}.`, false)
  }
}

void begin()
