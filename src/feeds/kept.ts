/** A calendar as it is answered. */
export type Kept = { userId: string; text: string; tag: number }

/** Calendars of feeds that were asked for, for who asks again: so that a client that looks wakes no database. */
export type Calendars = {
  /** By the key of one that was kept. */
  get: (key: string) => Kept | undefined
  /** Makes one, and keeps it, unless something is written for its user meanwhile. */
  make: (key: string, read: () => Promise<Kept | null>) => Promise<Kept | null>
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
  /** Of each that is being made: for whom something was written since it began. */
  const making = new Set<Set<string>>()
  let size = 0

  function drop(key: string): void {
    size -= kept.get(key)?.text.length ?? 0
    kept.delete(key)
  }

  function keep(key: string, calendar: Kept): void {
    drop(key)
    kept.set(key, { ...calendar, until: now() + patience })
    size += calendar.text.length
    for (const oldest of kept.keys()) {
      if (size <= most) return
      drop(oldest)
    }
  }

  return {
    get: (key) => {
      const found = kept.get(key)
      if (found === undefined || found.until > now()) return found
      drop(key)
      return undefined
    },
    make: async (key, read) => {
      const written = new Set<string>()
      making.add(written)
      try {
        const made = await read()
        if (made !== null && !written.has(made.userId)) keep(key, made)
        return made
      } finally {
        making.delete(written)
      }
    },
    forget: (users) => {
      for (const [key, { userId }] of kept) if (users.has(userId)) drop(key)
      for (const written of making) for (const user of users) written.add(user)
    },
  }
}
