import { createHash } from 'node:crypto'
import { tooMany } from '../http/errors.ts'
import { createCounter } from './counter.ts'
import type { Mail } from './mail.ts'

export type Accounts = {
  /** Counts an attempt at a password, until it is settled. Throws 429. */
  attempt: (email: string, address: string) => Promise<{ settle: (isWrong: boolean) => void }>
  /** Whether one mail more of this kind may go there. */
  mayMail: (email: string, kind: Mail['kind']) => boolean
  /** Who is at this address has proved that the account is theirs. */
  prove: (email: string, address: string) => void
}

/** Wrong passwords for one account, from one address and from all of them. */
const failures = { most: 10, seconds: 600 }

/** Of one address so many count for all: nobody locks an account alone. */
const share = failures.most / 2

/** Mails of one kind to one recipient: whoever has one sent keeps nobody from the other. */
const mails = { most: 3, seconds: 3600 }

/** Who has reset the password is let in for so long. */
const proof = { most: 1, seconds: 3600 }

/**
 * What is counted for each account, and alike for an e-mail address that has none, so that nobody learns whether it has.
 * Whoever guesses from many addresses must not lock the owner out: where the account is signed in, or its password has just been
 * reset by mail, the failures of others do not matter.
 * @param isSignedIn whether the account of this e-mail address has a session from that address
 */
export function createAccounts(
  isSignedIn: (email: string, address: string) => Promise<boolean>,
): Accounts {
  const own = createCounter(failures)
  const all = createCounter(failures)
  const mailed = createCounter(mails)
  const proved = createCounter(proof)

  /** Counts for the account. Gives the seconds to wait, or 0 and what takes it back. */
  function takeOfAll(key: string, counts: boolean): { retry: number; giveBack: () => void } {
    const retry = all.take(key)
    if (retry === 0 && !counts) all.giveBack(key)
    return { retry, giveBack: () => retry === 0 && counts && all.giveBack(key) }
  }

  return {
    attempt: async (email, address) => {
      const here = keyOf(email, address)
      const wait = own.take(here)
      if (wait > 0) throw tooMany(what, wait)

      const { retry, giveBack } = takeOfAll(keyOf(email), own.used(here) <= share)
      const isOwner = async () => proved.used(here) > 0 || (await isSignedIn(fold(email), address))
      if (retry > 0 && !(await isOwner())) {
        own.giveBack(here)
        throw tooMany(what, retry)
      }
      return {
        settle: (isWrong) => {
          if (isWrong) return
          own.giveBack(here)
          giveBack()
        },
      }
    },
    mayMail: (email, kind) => mailed.take(keyOf(email, kind)) === 0,
    prove: (email, address) => {
      all.forget(keyOf(email))
      proved.take(keyOf(email, address))
    },
  }
}

const what = 'wrong passwords for this account'

/** As Better Auth compares them. */
const fold = (email: string): string => email.toLowerCase()

/** Short, however long the address is. */
const keyOf = (email: string, address = ''): string =>
  createHash('sha256')
    .update(`${fold(email)} ${address}`)
    .digest('base64url')
    .slice(0, 22)
