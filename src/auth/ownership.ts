// Whoever holds an account and whoever has its address may be two. Better Auth asks for one after the other; here what proves an
// address and what it changes are one transaction.
import { getCurrentAdapter, runWithTransaction } from '@better-auth/core/context'
import type { AuthContext, BetterAuthOptions } from 'better-auth'
import { APIError } from 'better-auth/api'
import { current } from './current.ts'

type Stored = { id: string; emailVerified: boolean }

/**
 * An account whose address nobody has proved belongs to whoever proves it: by a provider that has verified it, or by a mail to
 * reset the password. Everything that others could come in by goes with that. What is in the account stays: most often both are
 * the same person.
 */
export function giveToOwners(
  { adapter, internalAdapter }: AuthContext,
  hasPrograms: boolean,
): void {
  const linkAccount = internalAdapter.linkAccount.bind(internalAdapter)
  const consume = internalAdapter.consumeVerificationValue.bind(internalAdapter)

  /** Gives whether the address was proved before. Whoever proves it at the same moment waits until the transaction ends. */
  async function prove(userId: string): Promise<boolean> {
    const within = await getCurrentAdapter(adapter)
    const user = await within.update<Stored>({
      model: 'user',
      where: [{ field: 'id', value: userId }],
      update: { updatedAt: new Date() },
    })
    if (user === null) throw refusal()
    if (user.emailVerified) return true
    await internalAdapter.updateUser(userId, { emailVerified: true })
    // Ways to sign in before sessions: a session that begins meanwhile looks for its own again, and waits here.
    await within.deleteMany({ model: 'account', where: of(userId) })
    await within.deleteMany({ model: 'session', where: of(userId) })
    // Not in this transaction, which knows none of our tables: execute.ts does before it answers.
    const request = current()
    if (request !== undefined) request.taken = userId
    if (hasPrograms) {
      for (const model of ofPrograms) await within.deleteMany({ model, where: of(userId) })
    }
    return false
  }

  // Asked only where the provider has verified the address, for `trustedProviders` is empty.
  internalAdapter.linkAccount = async (account) => {
    if (account.providerId === 'credential') return linkAccount(account)
    const linked = await runWithTransaction(adapter, async () => {
      await prove(account.userId)
      // An address is given to the next person, and a provider says so by another subject.
      const accounts = await internalAdapter.findAccounts(account.userId)
      const own = accounts.find(({ providerId }) => providerId === account.providerId)
      if (own === undefined) return linkAccount(account)
      if (own.accountId !== account.accountId) throw refusal()
      return own
    })
    await endResets({ adapter }, account.userId)
    return linked
  }

  internalAdapter.consumeVerificationValue = async (identifier) => {
    const spent = await consume(identifier)
    if (spent !== null && identifier.startsWith(resets) && (await prove(spent.value))) {
      // Made anew by Better Auth: a change of the password that is under way finds the old one no more.
      const within = await getCurrentAdapter(adapter)
      await within.deleteMany({
        model: 'account',
        where: [...of(spent.value), { field: 'providerId', value: 'credential' }],
      })
    }
    return spent
  }
}

const resets = 'reset-password:'

/** What was consented to, and what came of it. Codes end by themselves: without the consent nothing comes of them. */
const ofPrograms = ['oauthConsent', 'oauthRefreshToken', 'oauthAccessToken']

const of = (userId: string) => [{ field: 'userId', value: userId }]

const refusal = (): APIError =>
  new APIError('FORBIDDEN', {
    code: 'account_not_linked',
    message: 'The account with this address is signed in to in another way.',
  })

/** Voids the other mails to reset the password of an account. */
export const endResets = ({ adapter }: Pick<AuthContext, 'adapter'>, userId: string) =>
  adapter.deleteMany({
    model: 'verification',
    where: [
      { field: 'value', value: userId },
      { field: 'identifier', operator: 'starts_with', value: resets },
    ],
  })

/** What a session begins by is noted, and looked at again when it has begun: in between it may have been taken away. */
export const sessionHooks = {
  create: {
    after: async (session, context) => {
      const proof = current()?.proof ?? null
      if (context === null || proof === null) return
      const { adapter, internalAdapter } = context.context
      // Waits for who takes it away, which a read would not.
      const held = await adapter.update({
        model: 'account',
        where: [...of(session.userId), proof],
        update: { updatedAt: new Date() },
      })
      if (held !== null) return
      await internalAdapter.deleteSession(session.token)
      throw new APIError('UNAUTHORIZED', {
        code: 'INVALID_EMAIL_OR_PASSWORD',
        message: 'Invalid email or password',
      })
    },
  },
} satisfies NonNullable<BetterAuthOptions['databaseHooks']>['session']

/** A password that is right. */
export const proveByPassword = (hash: string): void => note('password', hash)

/** A way to sign in that was made or found. Of many there is only their number, or nothing. */
export async function proveByAccount(account: { id?: unknown } | null): Promise<void> {
  if (typeof account?.id === 'string') note('id', account.id)
}

function note(field: string, value: string): void {
  const request = current()
  if (request !== undefined) request.proof = { field, value }
}
