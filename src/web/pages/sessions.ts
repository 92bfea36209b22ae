import { api } from './api.ts'
import { sayBrowser } from './browsers.ts'
import { sayMoment } from './days.ts'
import { part } from './dom.ts'
import { tell } from './notices.ts'
import { ask, fill, row } from './rows.ts'

type Session = NonNullable<Awaited<ReturnType<typeof api.me.sessions.get>>['data']>[number]

const others = part('end-others', HTMLButtonElement)

let sessions: Session[] = []
let own: string | null = null

/** @param id of the session that this page is in */
export async function loadSessions(id: string | null): Promise<void> {
  own = id
  sessions = (await ask(api.me.sessions.get())) ?? []
  others.hidden = sessions.every((one) => one.id === own)
  // This one first.
  const sorted = sessions.toSorted((a, b) => Number(b.id === own) - Number(a.id === own))
  fill(
    'sessions',
    sorted.map((session) =>
      row({
        key: `session ${session.id}`,
        name: sayBrowser(session.user_agent ?? ''),
        ...(session.id === own ? { mark: 'this one' } : {}),
        about: [
          ...(session.ip_address ? [session.ip_address] : []),
          `since ${sayMoment(session.created_at)}`,
        ],
        buttons: session.id === own ? [] : [{ name: 'End', run: () => void end([session]) }],
      }),
    ),
  )
}

async function end(all: Session[]): Promise<void> {
  for (const { id } of all) {
    if ((await ask(api.me.sessions({ id }).delete())) === null) break
  }
  await loadSessions(own)
  tell(all.length === 1 ? 'The session has ended.' : 'All other sessions have ended.')
}

others.addEventListener('click', () => void end(sessions.filter(({ id }) => id !== own)))
