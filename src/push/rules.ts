import { isPublic, literalOf } from '../deliveries/client.ts'

/** What is wrong with the address of a push service, as the rest of a sentence; null: nothing. */
export function faultOf(address: string, isPrivate: boolean): string | null {
  const url = URL.parse(address)
  if (url === null || !(url.protocol === 'https:' || (isPrivate && url.protocol === 'http:'))) {
    return 'must be an address with https://'
  }
  if (url.username !== '' || url.password !== '') return 'must have no user and no password in it'
  const literal = literalOf(url)
  if (literal === null || isPrivate || isPublic(literal)) return null
  return 'must not be in a private network'
}
