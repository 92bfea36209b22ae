import type { Page } from './queries.ts'

/** A client that follows the changes of a user. */
export type Follower = {
  userId: string
  /** The number of the last change that it has. */
  since: number
  /** It was there a moment ago, and may have missed a reminder. */
  isBack?: boolean
  /** Until when its credential holds, by Date.now(). */
  expires: number
  /** Whether its credential still holds, and until when; null: it does not. Absent: it can be trusted until it expires. */
  check?: () => Promise<number | null>
}

type Controller = {
  write: (text: string) => unknown
  flush: () => unknown
  close: () => void
}

type Stream = Follower & {
  controller: Controller
  /** Since when the socket takes no more, by performance.now(); null: it does. */
  fullSince: number | null
  /** Events that are no changes, and that it has not had. */
  owed: string[]
  end: () => void
}

/** A page of changes as events, and whether there are more. */
type Events = Omit<Page, 'text'> & { text: string }

/**
 * Milliseconds: between two comments, which tell proxies and clients that it is alive; between two looks; for who does not read; and for which
 * a reminder is kept for who comes back.
 */
const times = { comment: 25_000, look: 5000, patience: 60_000, again: 1000, memory: 60_000 }

/** Changes that are read at a time. */
const size = 200

/** How many streams there may be, and of one user; and how many reminders are kept, and owed to one stream. */
const most = { all: 20_000, each: 100, reminders: 10_000, owed: 1000 }

/** How many are written to until others have their turn. */
const portion = 250

/**
 * The streams of all users. Each knows the last change that it has sent, and nothing is kept for it: when something was written for its
 * user it gets what came after out of the log, read once for all who are as far. Who does not read is left alone until the socket is
 * empty, and hung up on after a minute.
 */
export function createStreams(
  read: (userId: string, since: number, size: number) => Promise<Page>,
) {
  const users = new Map<string, Set<Stream>>()
  /** Those whose streams are being written to, and whether something came meanwhile. */
  const pumping = new Map<string, boolean>()
  /** The reminders of late, by their ids, the oldest first. */
  const reminders = new Map<string, { userId: string; text: string; at: number }>()
  let count = 0
  let timer: ReturnType<typeof setInterval> | null = null
  let commented = performance.now()

  function add(stream: Stream): void {
    const own = users.get(stream.userId) ?? new Set()
    users.set(stream.userId, own.add(stream))
    count += 1
    timer ??= setInterval(look, times.look)
  }

  function remove(stream: Stream): void {
    const own = users.get(stream.userId)
    if (own === undefined || !own.delete(stream)) return
    count -= 1
    if (own.size === 0) users.delete(stream.userId)
    if (count > 0 || timer === null) return
    clearInterval(timer)
    timer = null
  }

  /** Something was written for a user, or the socket of one of his streams is empty again. */
  async function pump(userId: string): Promise<void> {
    if (!users.has(userId)) return
    if (pumping.has(userId)) {
      pumping.set(userId, true)
      return
    }
    pumping.set(userId, true)
    try {
      while (pumping.get(userId) === true) {
        pumping.set(userId, false)
        if (await deliver([...(users.get(userId) ?? [])])) pumping.set(userId, true)
      }
    } catch {
      // The database has no time for it, or is away: the changes are in the log when it comes back.
      setTimeout(() => void pump(userId), times.again).unref()
    } finally {
      pumping.delete(userId)
    }
  }

  /** Sends each what it has not had. @returns whether there is more */
  async function deliver(streams: Stream[]): Promise<boolean> {
    const checks = new Map<number, Promise<Events>>()
    let more = false
    let written = 0
    for (const stream of streams) {
      if (stream.fullSince !== null || !(await isTrusted(stream))) continue
      if (stream.owed.length > 0) send(stream, stream.owed.splice(0).join(''))
      const { since } = stream
      const reading = checks.get(since) ?? read(stream.userId, since, size).then(eventsOf)
      checks.set(since, reading)
      const events = await reading
      if (events.head < since) {
        send(stream, resync)
        stream.end()
      } else if (events.text !== '') {
        stream.since = events.last
        send(stream, events.text)
        more ||= events.more
        if (++written % portion === 0) await new Promise(setImmediate)
      }
    }
    return more
  }

  function forgetReminders(): void {
    for (const [id, { at }] of reminders) {
      if (reminders.size < most.reminders && performance.now() - at < times.memory) return
      reminders.delete(id)
    }
  }

  const remindersOf = (userId: string): string[] =>
    [...reminders.values()].flatMap((kept) =>
      kept.userId === userId && performance.now() - kept.at < times.memory ? [kept.text] : [],
    )

  async function isTrusted(stream: Stream): Promise<boolean> {
    if (stream.check !== undefined) {
      const expires = await stream.check()
      stream.expires = expires ?? 0
    }
    if (stream.expires > Date.now()) return true
    stream.end()
    return false
  }

  function send(stream: Stream, text: string): void {
    const written = stream.controller.write(text)
    void stream.controller.flush()
    // It is `write` that tells whether the socket is full.
    if (!(written instanceof Promise)) return
    stream.fullSince = performance.now()
    written.then(
      () => {
        stream.fullSince = null
        void pump(stream.userId)
      },
      () => stream.end(),
    )
  }

  /** Ends those who do not read or whose time is up, and tells the others that we are there. */
  function look(): void {
    const now = performance.now()
    const isQuiet = now - commented < times.comment
    if (!isQuiet) commented = now
    for (const stream of [...users.values()].flatMap((own) => [...own])) {
      if (stream.fullSince !== null) {
        if (now - stream.fullSince > times.patience) stream.end()
      } else if (stream.expires <= Date.now()) void isTrusted(stream).catch(() => stream.end())
      else if (!isQuiet) send(stream, comment)
    }
  }

  return {
    /** Whether a user may have one more. */
    hasRoom: (userId: string): boolean =>
      count < most.all && (users.get(userId)?.size ?? 0) < most.each,
    /** The stream of a client, until it leaves. */
    open(follower: Follower, signal: AbortSignal): ReadableStream {
      const owed = follower.isBack ? remindersOf(follower.userId) : []
      return new ReadableStream({
        type: 'direct',
        async pull(controller: Controller) {
          const { promise, resolve } = Promise.withResolvers<void>()
          const stream: Stream = { ...follower, controller, fullSince: null, owed, end: resolve }
          signal.addEventListener('abort', () => resolve(), { once: true })
          if (signal.aborted) resolve()
          add(stream)
          send(stream, retry)
          void pump(stream.userId)
          await promise
          remove(stream)
          controller.close()
        },
      } as never)
    },
    /** The stream of one whose number means nothing any more. */
    refuse: (): string => resync,
    /** Something was written for these users, or a credential of theirs may hold no more. */
    wake: (changed: Iterable<string>): void => {
      for (const userId of changed) if (users.has(userId)) void pump(userId)
    },
    /** A reminder of a user has come: JSON. Whoever has had it by this id does not get it again. */
    remind: (userId: string, id: string, json: string): void => {
      forgetReminders()
      if (reminders.has(id)) return
      const text = `event: reminder\ndata: ${json}\n\n`
      reminders.set(id, { userId, text, at: performance.now() })
      for (const stream of users.get(userId) ?? []) {
        if (stream.owed.length < most.owed) stream.owed.push(text)
      }
      void pump(userId)
    },
    /** Has each user who listens looked at, if his number is beyond what his streams have. */
    compare: (heads: Iterable<{ id: string; seq: string }>): void => {
      for (const { id, seq } of heads) {
        if (
          users
            .get(id)
            ?.values()
            .some(({ since }) => since !== Number(seq))
        )
          void pump(id)
      }
    },
    /** Asks again whether the credentials of a user hold. */
    recheck: (userId: string): void => {
      for (const stream of users.get(userId) ?? []) {
        void isTrusted(stream).catch(() => stream.end())
      }
      void pump(userId)
    },
    listeners: (): string[] => [...users.keys()],
    end: (): void => {
      for (const own of users.values()) for (const stream of own) stream.end()
    },
  }
}

export type Streams = ReturnType<typeof createStreams>

const retry = 'retry: 2000\n\n'
const comment = ':\n\n'
const resync = 'event: resync\ndata: {}\n\n'

/** No line break is in the JSON that the database writes. */
function eventsOf({ text, ...rest }: Page): Events {
  if (text === '') return { text, ...rest }
  const events = text
    .split(',\n')
    .map(
      (json) =>
        `id: ${Number.parseInt(json.slice('{"seq":'.length), 10)}\nevent: change\ndata: ${json}\n\n`,
    )
  return { text: events.join(''), ...rest }
}
