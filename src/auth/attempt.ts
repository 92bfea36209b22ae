import type { Asked } from './input.ts'
import type { Loaded } from './loader.ts'

/** Where a password is asked for, a wrong one counts for the account. */
export async function attempt(
  { accounts, emailOf }: Loaded,
  { request, endpoint, input, address }: Asked,
  ask: () => Promise<Response>,
): Promise<Response> {
  const hasPassword = 'password' in (input ?? {}) || 'currentPassword' in (input ?? {})
  if (endpoint.limit !== 'passwords' || !hasPassword) return ask()
  const email =
    endpoint.path === '/sign-in/email' ? input?.['email'] : await emailOf(request.headers)
  if (typeof email !== 'string') return ask()

  const { settle } = await accounts.attempt(email, address)
  let isWrong = false
  try {
    const response = await ask()
    isWrong = wrong.has(await codeOf(response))
    return response
  } finally {
    settle(isWrong)
  }
}

/** Better Auth's codes for it. */
const wrong: ReadonlySet<unknown> = new Set(['INVALID_EMAIL_OR_PASSWORD', 'INVALID_PASSWORD'])

async function codeOf(response: Response): Promise<unknown> {
  if (response.ok) return undefined
  // Whatever it is: only compared.
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as { code?: unknown } | null
  return body?.code
}
