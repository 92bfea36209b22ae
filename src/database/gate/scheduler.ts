import type { Sql } from '../connect.ts'
import { createCircuitBreaker } from './circuit-breaker.ts'
import { createCosts } from './costs.ts'
import { type Account, createAccounts } from './fairness.ts'
import {
  Crowded,
  codeOf,
  isAnswer,
  isLocked,
  isReadOnly,
  ReadOnly,
  remedyOf,
  Unavailable,
} from './faults.ts'
import type { Pool } from './pool.ts'
import { gather, insert, type Job, type Line, remove, type Want } from './queue.ts'
import { createWriteGuard } from './write-guard.ts'

export type SchedulerOptions = {
  /** As many statements at a time as there are connections. */
  permits: number
  /** Whether they run one after the other, in the order in which they were sent. */
  isRow: boolean
  /** How many asks may wait. */
  room: number
  /** Is told how many milliseconds of the database a user has taken. */
  onCost: (user: string, milliseconds: number) => void
  /** Is told of users for whom something was written. */
  onWrite: (users: ReadonlySet<string>) => void
}

/**
 * How many statements are under way at a time where the database is near: more would only take its processors from each
 * other, and fewer requests would share each. Where the way is long, every permit is of use.
 */
const few = 3

/** Milliseconds: a statement that has been under way for so long is a slow one, and there may be another one beside it. */
const enough = 25

/** While a statement of its line is under way, the next one waits until it is full, but for so many milliseconds at most. */
const patience = 2

/** Milliseconds that those in one statement may be expected to take together: the first waits for the last. */
const budget = 25

/** Milliseconds until a statement is tried again that was rolled back because of others: 2 to 100, with jitter. */
const pauseAfter = (conflicts: number): number =>
  Math.min(100, 2 * 2 ** conflicts) * (0.5 + Math.random() / 2)

/** Milliseconds between two looks at whether the clients of those that wait are still there. */
const glance = 100

/**
 * The one way to the database. Whoever wants something waits in one queue, in the order of fairness.ts, and whenever there is a
 * permit the first of the queue gets a statement, together with others who want the same. Who comes while there is nothing
 * to do gets one at once, with those who came in the same turn of the event loop. No user is in more than two thirds of the
 * statements, and no more than half of them take long. A permit comes back when its statement is over, whoever still waits for it.
 */
export function createScheduler(pool: Pool, options: SchedulerOptions) {
  const { permits, isRow, room, onCost, onWrite } = options
  const accounts = createAccounts()
  const costs = createCosts(accounts, onCost)
  const breaker = createCircuitBreaker()
  const guard = createWriteGuard(pool.look)
  const waiting: Job[] = []
  /** Those who have a statement, and since when, by performance.now(): the latest last. */
  const underWay = new Map<readonly Job[], number>()
  /** For whom those under way write. Another one would only wait in the database, for the row of the user. */
  const owners = new Set<string>()
  /** Those that are in neither, until they may run again. */
  const held = new Set<Job>()
  /** One timer for all, set for the first moment at which something may be due. */
  let alarm: ReturnType<typeof setTimeout> | undefined
  let alarmAt = Number.POSITIVE_INFINITY
  let isTurnSet = false
  let looks = 0
  /** When the last statement was over, by performance.now(). */
  let lastEnd = 0

  function want(wanted: Want): Promise<unknown> {
    const { line, caller } = wanted
    const since = performance.now()
    if (since >= caller.until) return Promise.reject(new Unavailable('the deadline has passed'))
    // One slice more for nobody. Others are not worth the look, see sweep.
    if (wanted.isLong && caller.signal()?.aborted) {
      return Promise.reject(new Unavailable('the client went away'))
    }
    if (guard.isRefused() && line.writes) return wantToWrite(wanted)
    return enter(wanted, since)
  }

  /** While writes are refused: at once, unless somebody looks just now whether they still are. */
  async function wantToWrite(wanted: Want): Promise<unknown> {
    if (await guard.looking()) return want(wanted)
    throw new ReadOnly('the database takes no writes')
  }

  function enter(wanted: Want, since: number): Promise<unknown> {
    const { line, caller, user } = wanted
    if (waiting.length >= room) giveOut()
    return new Promise((resolve, reject) => {
      const account = accounts.of(user)
      const expected = costs.expect(line, account.cost)
      const at = accounts.enter(account, since, expected)
      const { most } = line
      const job = {
        ...wanted,
        account,
        since,
        turn: at,
        expected,
        most,
        isUnderWay: false,
        conflicts: 0,
        cause: undefined,
        isDone: false,
        resolve,
        reject,
      }
      if (waiting.length >= room && !makeRoom(at)) return dismiss(job)

      insert(waiting, job)
      setAlarm(caller.until)
      if (most === 1) return giveOut()
      if (!isTurnSet) setImmediate(giveOut)
      isTurnSet = true
    })
  }

  /** The last of the queue leaves it for who comes before that. */
  function makeRoom(turn: number): boolean {
    const last = waiting.at(-1)
    if (last === undefined || last.turn <= turn) return false
    dismiss(last)
    remove(waiting, (job) => job.isDone)
    return true
  }

  /** Out of the queue, with nothing. */
  function dismiss(job: Job, why?: string): void {
    if (!job.isDone) accounts.leave(job.account, job.expected)
    if (why !== undefined) return refuse(job, why, job.cause)
    fail(job, new Crowded('too many statements wait', { cause: job.cause }))
  }

  /** A part of the statements at a time, one at least. */
  const part = (share: number): number =>
    Math.max(1, Math.floor(share * (costs.isNear() ? Math.min(few, permits) : permits)))

  const longUnderWay = (): number => [...underWay.keys()].filter(([job]) => job?.isLong).length

  const mayRun = ({ account, owner }: Job): boolean =>
    account.running < part(2 / 3) && (owner === null || !owners.has(owner))

  /** Until when there are enough under way, if none of them ends: as long as few of them are new. */
  function crowdedUntil(): number {
    if (underWay.size < few || !costs.isNear()) return 0
    return ([...underWay.values()].at(-few) ?? 0) + enough
  }

  /** When it can have a statement, by performance.now(), if nothing else happens before. */
  function dueAt({ line, since }: Job): number {
    const isRipe = line.running === 0 || line.waiting >= line.most || line.most === 1
    return Math.max(breaker.nextTurn(), crowdedUntil(), isRipe ? since : since + patience)
  }

  /** Gives out what can be had now, and has itself called again when there can be more. */
  function giveOut(): void {
    isTurnSet = false
    while (waiting.length > 0 && underWay.size < permits) {
      const first = firstInTurn(performance.now())
      if (first === undefined) return
      void run(first.line, gather(waiting, first, budget, mayRun))
    }
    if (waiting.length > 0) setAlarm(performance.now() + glance)
  }

  /** The first of the queue that need not wait. Where one of a line has to, the others behind it are not looked at. */
  function firstInTurn(now: number): Job | undefined {
    looks += 1
    let next = now + glance
    for (const job of waiting) {
      if (job.line.look === looks || !mayRun(job)) continue
      if (job.isLong && longUnderWay() >= part(1 / 2)) continue
      const due = dueAt(job)
      if (due <= now) return job
      job.line.look = looks
      next = Math.min(next, due)
    }
    setAlarm(next)
    return undefined
  }

  /** Never rejects: what goes wrong is told to the jobs. */
  async function run(line: Line, jobs: Job[]): Promise<void> {
    const users = new Set<Account>()
    const written = new Set<string>()
    for (const job of jobs) {
      job.isUnderWay = true
      if (job.cause !== undefined && remedyOf(job.cause) !== 'again soon') job.cause = undefined
      users.add(job.account)
      if (job.owner !== null) written.add(job.owner)
    }
    for (const owner of written) owners.add(owner)
    remove(waiting, (job) => job.isUnderWay)
    for (const account of users) account.running += 1
    line.running += 1
    breaker.attempt()

    const began = performance.now()
    underWay.set(jobs, began)
    const sql = pool.sql()
    let error: unknown
    /** How long it took, and how long but for the time in which it waited for others. */
    const end = (): { took: number; own: number } => {
      const now = performance.now()
      const own = now - (isRow ? Math.max(began, lastEnd) : began)
      lastEnd = now
      return { took: now - began, own }
    }
    try {
      const values = await line.run(sql, jobs)
      const { took, own } = end()
      costs.learn(line, jobs, values, took, own)
      let index = 0
      for (const job of jobs) answer(job, values[index++])
      if (line.writes) guard.taken()
      if (written.size > 0) onWrite(written)
    } catch (thrown) {
      error = thrown
      const { own } = end()
      if (remedyOf(error) === 'later') costs.lose(line, jobs, own)
    }
    // What is lost of a server that was left says nothing of the next one.
    if (pool.sql() === sql || isAnswer(error)) breaker.learn(isAnswer(error))
    if (pool.hasOthers && !isAnswer(error)) guard.lost()

    underWay.delete(jobs)
    line.running -= 1
    for (const account of users) account.running -= 1
    for (const owner of written) owners.delete(owner)
    if (error !== undefined) recover(line, jobs, error, sql)
    giveOut()
  }

  /** After an error: once more with whom that can do no harm, or in halves until the one that is at fault is alone. */
  function recover(line: Line, jobs: Job[], error: unknown, sql: Sql): void {
    const remedy = error instanceof Unavailable ? 'later' : remedyOf(error)
    const left = jobs.filter(({ isDone }) => !isDone)
    for (const job of left) job.cause = error
    // Others have gone to another server meanwhile.
    const isElsewhere = isReadOnly(error) && pool.sql() === sql ? guard.refused() : undefined

    if (remedy === 'again' || (remedy === 'again if idempotent' && line.isIdempotent)) {
      for (const job of left) back(job)
    } else if (remedy === 'elsewhere') {
      for (const job of left) hold(job, isElsewhere ?? Promise.resolve(true))
    } else if (remedy === 'again soon') {
      for (const job of left) {
        job.most = Math.ceil(jobs.length / 2)
        hold(
          job,
          Bun.sleep(pauseAfter(job.conflicts++)).then(() => true),
        )
      }
    } else if (isLocked(error) && jobs.length > 1) {
      // It is what one of them is to change: each by itself, so that the others wait no longer.
      for (const job of left) {
        job.most = 1
        back(job)
      }
    } else if (remedy !== 'none') {
      for (const job of left) refuse(job, codeOf(error), error)
    } else if (jobs.length === 1) {
      for (const job of left) fail(job, error)
    } else {
      for (const job of left) {
        job.most = Math.ceil(jobs.length / 2)
        back(job)
      }
    }
  }

  function back(job: Job): void {
    job.isUnderWay = false
    insert(waiting, job)
  }

  /** Until it is known whether it may run again. */
  function hold(job: Job, until: Promise<boolean>): void {
    held.add(job)
    setAlarm(job.caller.until)
    void until.then((isAgain) => {
      held.delete(job)
      if (job.isDone) return
      if (!isAgain) return refuse(job, 'the database takes no writes', job.cause)
      back(job)
      giveOut()
    })
  }

  /** What is late is answered, and who waits for a client that is gone leaves. */
  function sweep(): void {
    alarmAt = Number.POSITIVE_INFINITY
    const now = performance.now()
    for (const job of [...[...underWay.keys()].flat(), ...held]) {
      if (job.caller.until <= now) refuse(job, 'the database took too long', job.cause)
      else if (!job.isDone) setAlarm(job.caller.until)
    }
    for (const job of waiting) {
      if (job.caller.until <= now) dismiss(job, 'no connection was free in time')
      // Not at once: to ask for a signal costs more than a share of a statement, and most have theirs before.
      else if (job.since + glance <= now && job.caller.signal()?.aborted) {
        dismiss(job, 'the client went away')
      } else setAlarm(job.caller.until)
    }
    remove(waiting, (job) => job.isDone)
    giveOut()
  }

  function setAlarm(at: number): void {
    if (at >= alarmAt) return
    clearTimeout(alarm)
    alarmAt = at
    alarm = setTimeout(sweep, Math.max(0, at - performance.now()))
    alarm.unref()
  }

  return {
    want,
    seen: () => ({ ...breaker.seen(), ...guard.seen() }),
    /** Somebody has asked the server whether it takes writes. Gives whether it does, or another one to which they go now. */
    learn: (takesWrites: boolean): Promise<boolean> => {
      if (!takesWrites) return guard.refused()
      guard.taken()
      return Promise.resolve(true)
    },
  }
}

function answer(job: Job, value: unknown): void {
  if (job.isDone) return
  job.isDone = true
  job.resolve(value)
}

function fail(job: Job, error: unknown): void {
  if (job.isDone) return
  job.isDone = true
  job.reject(error)
}

const refuse = (job: Job, why: string, cause?: unknown): void =>
  fail(job, new Unavailable(why, { cause }))
