/** What is being worked on, and for whom. */
export type Load = {
  /** Requests that are worked on. One that waits for something else than the database or the event loop is not. */
  readonly inFlight: number
  /** Owners who have a request in flight. */
  readonly owners: number
  /** How many requests there ever were. */
  readonly total: number
  /** A place for one request more, which is to be left in any case; null: there are as many as there may ever be. */
  enter: () => Place | null
}

/** The place of one request among all others. */
export type Place = {
  /**
   * From now on it is a request of the owner, who is a user.
   * @returns false: he may have no more. Then it is to be refused, and counts for nobody
   */
  claim: (owner: string) => boolean
  /** The same for an address, while whose it is has to be found out: not too many, but however long that takes. */
  hold: (owner: string) => boolean
  /** While it waits for something else, its body or another server, it takes nobody's place. */
  setWaiting: (waiting: boolean) => void
  /** Whether its owner may have it still: ask when it has waited. */
  isWelcome: () => boolean
  /** @param served whether it was answered, and not refused */
  leave: (served: boolean) => void
}

/** The place of a request that nobody counts. */
export const elsewhere: Place = {
  claim: () => true,
  hold: () => true,
  setWaiting: () => {},
  isWelcome: () => true,
  leave: () => {},
}

type Owner = { inFlight: number }

/** With fewer in flight not everything is at work, and the time between two answers says nothing. */
const busy = 8

/** Over how many milliseconds the pace is the average, roughly: many answers come together, with a gap before the next ones. */
const memory = 100

/** Owners without a request in flight who stay known: a map that is written to all the time is slow. */
const mostKnown = 4096

/**
 * Who may have one request more. Nobody has more in flight than there is room for others, so that there is always room for
 * who has none; and beyond `always` in all, the request has to have its turn within `patience` milliseconds, at the pace of
 * the last answers: each of its owner's comes after one of every other owner's. An equal share of `always` is everybody's.
 * @param most how many there may ever be in flight
 * @param now milliseconds
 */
export function createLoad(
  always: number,
  patience: number,
  most = 1024,
  now: () => number = () => performance.now(),
): Load {
  const known = new Map<string, Owner>()
  const pace = createPace(patience, now)
  let inFlight = 0
  let owners = 0
  let total = 0

  function ownerOf(name: string): Owner {
    const found = known.get(name)
    if (found !== undefined) return found
    if (known.size >= mostKnown) {
      for (const [other, { inFlight: has }] of known) if (has === 0) known.delete(other)
    }
    const made = { inFlight: 0 }
    known.set(name, made)
    return made
  }

  function add(owner: Owner, count: 1 | -1): void {
    if (owner.inFlight === 0) owners += 1
    owner.inFlight += count
    if (owner.inFlight === 0) owners -= 1
  }

  /** Whether the owner's last one has room, itself counted already. */
  const hasRoom = (owner: Owner): boolean => owner.inFlight <= most - inFlight + 1

  function hasRoomAndTurn(owner: Owner): boolean {
    if (!hasRoom(owner)) return false
    if (inFlight <= always || owner.inFlight * owners <= always) return true
    return Math.min(owner.inFlight * owners, inFlight) * pace.milliseconds() < patience
  }

  /** A class, because there is one for each request. */
  class Seat implements Place {
    #owner: Owner | null = null
    #isAllowed = hasRoom
    #waits = 0
    #isLeft = false

    claim(name: string): boolean {
      return this.#belongTo(ownerOf(name), hasRoomAndTurn)
    }

    hold(name: string): boolean {
      return this.#belongTo(ownerOf(name), hasRoom)
    }

    #belongTo(owner: Owner, rule: typeof hasRoom): boolean {
      if (this.#owner !== null) add(this.#owner, -1)
      add(owner, 1)
      const isAllowed = rule(owner)
      if (!isAllowed) add(owner, -1)
      this.#owner = isAllowed ? owner : null
      this.#isAllowed = rule
      return isAllowed
    }

    setWaiting(waiting: boolean): void {
      this.#waits += waiting ? 1 : -1
      // For however much it waits at a time, it goes once and comes back once.
      if (this.#isLeft || this.#waits !== (waiting ? 1 : 0)) return
      inFlight += waiting ? -1 : 1
      if (this.#owner !== null) add(this.#owner, waiting ? -1 : 1)
    }

    isWelcome(): boolean {
      return this.#owner === null || this.#isAllowed(this.#owner)
    }

    leave(served: boolean): void {
      this.#isLeft = true
      if (this.#waits > 0) return
      const owner = this.#owner
      if (served && owner !== null && this.#isAllowed === hasRoomAndTurn) {
        pace.answered(inFlight >= busy)
      }
      inFlight -= 1
      if (owner !== null) add(owner, -1)
    }
  }

  return {
    get inFlight() {
      return inFlight
    },
    get owners() {
      return owners
    },
    get total() {
      return total
    },
    enter: () => {
      total += 1
      if (inFlight >= most) return null
      inFlight += 1
      return new Seat()
    },
  }
}

/**
 * How fast requests are answered. What was found is soon forgotten: a minute of slow ones, and then nothing for a while, says
 * nothing of those that come now.
 * @param longest milliseconds: a gap that is longer says no more
 */
function createPace(longest: number, now: () => number) {
  // The time of late, in milliseconds, and how many were answered in it, as it was at `at`.
  let spent = 0
  let count = 0
  let at = 0
  /** Whether there were many then, so that until the next answer is the time that one takes. */
  let wasBusy = false

  /** The share of it that is of late still. */
  const left = (moment: number): number => Math.exp((at - moment) / memory)

  /** Since the last answer. Cut, for it would have to be outweighed by many answers. */
  const gap = (moment: number): number => (wasBusy ? Math.min(moment - at, longest) : 0)

  return {
    /**
     * Between two answers, if one came now: where none does, this is how long one takes at least. 0 until it is known: many that
     * come together are answered together, and what is between the first two of them says nothing.
     */
    milliseconds: () => {
      const moment = now()
      const time = spent * left(moment) + gap(moment)
      return time < memory / 2 ? 0 : time / (count * left(moment) + 1)
    },
    /** One was answered. */
    answered: (isBusy: boolean) => {
      if (isBusy) {
        const moment = now()
        spent = spent * left(moment) + gap(moment)
        count = count * left(moment) + (wasBusy ? 1 : 0)
        at = moment
      }
      wasBusy = isBusy
    },
  }
}
