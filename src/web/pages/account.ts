import { sayCount } from './activity.ts'
import { api, base, signOut, toSignIn } from './api.ts'
import { make, part } from './dom.ts'
import { loadFeeds } from './feeds.ts'
import { tell } from './notices.ts'
import { loadPrograms } from './programs.ts'
import { ask } from './rows.ts'
import { loadSessions } from './sessions.ts'
import { note } from './storage.ts'
import { loadWebhooks } from './webhooks.ts'

// The account page: who may do what in the user's name, what they did, and all that there is.

type Me = NonNullable<Awaited<ReturnType<typeof api.me.get>>['data']>

/** Whoever is offline while the page is loaded is asked again. */
async function begin(): Promise<void> {
  const { data: me, response } = await api.me.get()
  if (response?.status === 401) return toSignIn()
  if (!me) {
    setTimeout(() => void begin(), 2000)
    return
  }
  part('who', HTMLSpanElement).textContent = me.email ?? me.name ?? me.id
  part('as', HTMLSpanElement).textContent = me.email === null ? '' : `, as ${me.email}`
  showData(me)
  showZones(me.time_zone)
  await Promise.all([
    loadSessions(me.session_id),
    loadWebhooks(),
    // They have the names of lists.
    loadPrograms().then(loadFeeds),
  ])
  // What came before it has moved what the address says.
  document.getElementById(location.hash.slice(1))?.scrollIntoView()
}

function showData({ id, usage, quota }: Me): void {
  const bytes = (count: number): string =>
    count < 1e6 ? `${Math.ceil(count / 1e3)} kB` : `${(count / 1e6).toFixed(1)} MB`
  const most = quota.tasks === null ? '' : `, of ${quota.tasks.toLocaleString('en')} at most`
  part('usage', HTMLParagraphElement).textContent =
    usage && `You have ${sayCount(usage.tasks, 'task')}${most}: ${bytes(usage.bytes)}.`
  part('export', HTMLAnchorElement).href = `${base}/api/me/export`
  part('own-id', HTMLElement).textContent = id
  const confirm = part('confirm', HTMLInputElement)
  const submit = part('delete-all', HTMLButtonElement)
  const isMeant = () => confirm.value.trim() === id
  confirm.addEventListener('input', () => {
    submit.disabled = !isMeant()
  })
  part('farewell', HTMLFormElement).addEventListener('submit', async (event) => {
    event.preventDefault()
    if (!isMeant()) return
    submit.disabled = true
    if ((await ask(api.me.delete({ confirm: id }))) === null) {
      submit.disabled = false
      return
    }
    await signOut().catch(() => null)
    toSignIn()
  })
}

const zones = part('zones', HTMLSelectElement)
const here = part('zone-here', HTMLButtonElement)
const zoneHere = Intl.DateTimeFormat().resolvedOptions().timeZone

function showZones(zone: string | null): void {
  const all = new Set([...Intl.supportedValuesOf('timeZone'), 'UTC', zoneHere, zone ?? 'UTC'])
  zones.replaceChildren(
    ...[...all]
      .toSorted()
      .map((name) => make('option', { value: name }, name.replaceAll('_', ' '))),
  )
  zones.value = zone ?? 'UTC'
  here.textContent = `Use that of this browser, ${zoneHere.replaceAll('_', ' ')}`
  here.hidden = zone === zoneHere
}

async function setZone(time_zone: string): Promise<void> {
  const me = await ask(api.me.patch({ time_zone }))
  if (me === null) return
  // It is meant, wherever this browser is.
  note('docket-zone', zoneHere)
  showZones(me.time_zone)
  tell(`Docket goes by the time of ${me.time_zone} now.`)
}

zones.addEventListener('change', () => void setZone(zones.value))
here.addEventListener('click', () => {
  zones.focus()
  void setZone(zoneHere)
})

part('sign-out', HTMLButtonElement).addEventListener('click', async () => {
  const answer = await signOut().catch(() => null)
  if (answer?.ok) toSignIn()
  else tell('You are still signed in: the server cannot be reached.')
})

// Agents go on while nobody looks.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && document.querySelector('dialog[open]') === null) void loadPrograms()
})

void begin()
