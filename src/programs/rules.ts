import type { Program } from './schema.ts'

/** As the tables have it. */
export type Consent = {
  id: string
  name: string | null
  redirect_uris: string[]
  scopes: string[]
  last_used_on: string | null
  created_at: string
}

/** That a program stays until it is shut out is no scope to its user: each does. */
export const programOf = (
  { id, name, redirect_uris, scopes, last_used_on, created_at }: Consent,
  hostOf: (address: string) => string,
): Program => ({
  id,
  name: name ?? '',
  host: hostOf(redirect_uris[0] ?? ''),
  scopes: scopes.filter((scope) => scope !== 'offline_access'),
  last_used_on,
  created_at,
})
