/** A calendar as it is answered. */
export type Kept = { userId: string; text: string; tag: number }

/** Calendars of feeds that were asked for, for who asks again: so that a client that looks wakes no database. */
export type Calendars = {
  /** One that is kept or is just being made, else one that is made now, and kept unless something is written for its user meanwhile. */
  get: (key: string, make: () => Promise<Kept | null>) => Kept | Promise<Kept | null>
  /** Something was written for these users: a feed of theirs may be gone, or have other tasks. */
  forget: (users: ReadonlySet<string>) => void
}

/** Milliseconds. */
const patience = 300_000

/** Characters of all that are kept. */
const most = 32_000_000

export function createCalendars(now: () => number = () => performance.now()): Calendars {
  // The longest kept first.
  const kept = new Map<string, Kept & { until: number }>()
  /** The keys of each user: whoever writes looks at no others. */
  const keysOf = new Map<string, Set<string>>()
  /** What can be waited for by who comes now. */
  const made = new Map<string, Promise<Kept | null>>()
  /** Of each that is being made: for whom something was written since it began. */
  const making = new Set<Set<string>>()
  let size = 0

  function drop(key: string): void {
    const calendar = kept.get(key)
    if (calendar === undefined) return
    const { userId, text } = calendar
    kept.delete(key)
    size -= text.length
    const keys = keysOf.get(userId)
    keys?.delete(key)
    if (keys?.size === 0) keysOf.delete(userId)
  }

  function keep(key: string, calendar: Kept): void {
    drop(key)
    kept.set(key, { ...calendar, until: now() + patience })
    keysOf.set(calendar.userId, (keysOf.get(calendar.userId) ?? new Set()).add(key))
    size += calendar.text.length
    for (const oldest of kept.keys()) {
      if (size <= most) return
      drop(oldest)
    }
  }

  async function makeAndKeep(key: string, make: () => Promise<Kept | null>): Promise<Kept | null> {
    const written = new Set<string>()
    making.add(written)
    try {
      const calendar = await make()
      if (calendar !== null && !written.has(calendar.userId)) keep(key, calendar)
      return calendar
    } finally {
      making.delete(written)
    }
  }

  return {
    get: (key, make) => {
      const found = kept.get(key)
      if (found !== undefined && found.until > now()) return found
      const coming = made.get(key)
      if (coming !== undefined) return coming
      const promise = makeAndKeep(key, make).finally(() => {
        if (made.get(key) === promise) made.delete(key)
      })
      made.set(key, promise)
      return promise
    },
    forget: (users) => {
      for (const user of users) for (const key of keysOf.get(user) ?? []) drop(key)
      // Whose they are is not known before they are made: who comes now has them made anew.
      made.clear()
      for (const written of making) for (const user of users) written.add(user)
    },
  }
}
