import type { JWTPayload } from 'jose'
import { hasAtMost, isStorable } from '../http/formats.ts'

// What a provider says of somebody is looked at as any input is: each claim may be of any type.

/** Of the user, as Better Auth takes it. Without `email` nobody is signed in. */
export type Profile = {
  email?: string | undefined
  name?: string | undefined
  image?: string | undefined
}

/** Of an ID token whose signature, `iss`, `aud` and `exp` are verified, or that came from the provider itself. */
export function isMeantFor(clientId: string, claims: JWTPayload): boolean {
  const { sub, exp, aud, azp } = claims as Record<string, unknown>
  const audiences = Array.isArray(aud) ? aud : [aud]
  return (
    isText(sub, 255) &&
    typeof exp === 'number' &&
    exp > Date.now() / 1000 - tolerance &&
    audiences.includes(clientId) &&
    // Issued to another client: it may be shown here, and is nobody's sign-in.
    (azp === undefined ? audiences.length === 1 : azp === clientId)
  )
}

/** Seconds by which the clock of a provider may differ, as Better Auth has it. */
const tolerance = 30

/** `true`, or the text that some providers write. Anything else, "false" too, is true in JavaScript. */
export const isVerified = (claim: unknown): boolean => claim === true || claim === 'true'

/** What is no text of a sane length is as if it were not there. */
export const profileOf = (email: unknown, name: unknown, image: unknown): Profile => ({
  email: isText(email, 254) && /^[^\s@]+@[^\s@]+$/.test(email) ? email : undefined,
  name: isText(name, 200) ? name : undefined,
  image: isText(image, 2048) ? image : undefined,
})

export const isText = (value: unknown, longest: number): value is string =>
  typeof value === 'string' && value !== '' && hasAtMost(value, longest) && isStorable(value)
