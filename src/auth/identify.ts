import { decodeJwt } from 'jose'
import type { Logger } from 'pino'
import type { Db, Gate } from '../database/gate/gate.ts'
import { strangerAt } from '../http/address.ts'
import { exchangeOf } from '../http/exchange.ts'
import { originMatcher } from '../http/origins.ts'
import { overloaded } from '../http/problem.ts'
import { findAccessToken, markUsed, tokenDigestOf } from './access-tokens.ts'
import { type Cookies, type Credential, findCredentials, readCredential } from './credential.ts'
import { type Identity, signIn } from './identity.ts'
import { createMemory } from './memory.ts'
import { type Programs, programDigestOf } from './oauth.ts'
import { findProgram } from './program-tokens.ts'
import { algorithms, publishedKeys } from './published-keys.ts'
import { findSession } from './queries.ts'
import { isSessionToken, openSigned } from './session-tokens.ts'
import { storedKeys } from './stored-keys.ts'
import type { Tables } from './tables.ts'
import { createTokens, type TokenOptions } from './tokens.ts'

export type AuthOptions = TokenOptions &
  Cookies & {
    /** Where an issuer publishes its keys. Null: they are in the database, if anywhere. */
    jwksUrl: string | null
    tables: Tables
  }

/** At once for a token that was verified a short while ago. */
export type Identify = {
  (request: Request): Identity | null | Promise<Identity | null>
  /** Whom a credential names that somebody else hands over, as in an Authorization header. */
  ofToken: (db: Db, token: string) => Promise<Identity | null>
  /** Whom the headers of a request name, that is long answered. */
  ofHeaders: (db: Db, headers: Headers) => Promise<Identity | null>
}

/** How often, in milliseconds, the operator is told of the same thing. */
const reminder = 60_000

/**
 * Says who sent a request, or null. The first kind of credential that is there decides: none other is tried after it.
 * @param origins whose pages may change something with a cookie, besides those of this one
 */
export function createIdentify(
  gate: Gate,
  options: AuthOptions,
  origins: readonly string[],
  log: Logger,
  programs: Programs | null = null,
): Identify {
  const { secret, jwksUrl, hasSessions, tables } = options
  const tokens = createTokens(options)
  const published = jwksUrl === null ? null : publishedKeys(jwksUrl, options)
  const stored = storedKeys(tables, options)
  const memory = createMemory()
  const isListed = originMatcher(origins)
  const isOfOurs = ({ headers }: Request) =>
    isListed(headers.get('origin')) || isSameOrigin(headers)
  /** The access tokens of which it is being written that they were used today. */
  const marked = new Set<string>()
  let told = Number.NEGATIVE_INFINITY

  async function verifyJwt(
    token: string,
    dbOf: () => Db,
    setWaiting: (waiting: boolean) => void,
  ): Promise<Identity | null> {
    const named = algorithmOf(token)
    if (named === 'HS256') return tokens.verify(token)
    const algorithm = algorithms.find((name) => name === named)
    if (algorithm === undefined) {
      if (isName(named)) tellOf(token, named, `only HS256, ${algorithms.join(', ')} are taken`)
      return null
    }
    if (published !== null) {
      const found = await published.verify(token, algorithm, setWaiting)
      if (found === null) tellOf(token, algorithm, published.expectation)
      return found
    }
    const found = hasSessions ? await stored(dbOf(), token, algorithm) : null
    if (found === null) tellOf(token, algorithm, notStored)
    return found
  }

  /** Whoever it is: until the database has said so, it is somebody at this address. */
  function dbFor(request: Request): Db {
    const { address, place } = exchangeOf(request)
    const owner = strangerAt(address())
    if (!place.hold(owner)) throw overloaded()
    return gate.for(request, owner)
  }

  function tellOf(token: string, algorithm: string, why: string): void {
    if (performance.now() - told < reminder || hasExpired(token)) return
    told = performance.now()
    log.warn(`A token signed with ${algorithm} was refused: ${why}.`)
  }

  async function findLiveSession(db: Db, token: string): Promise<Identity | null> {
    const session = await tables.within(db, (found) => findSession(db, found, token))
    if (!session) return null
    const { id, session_id, name, email, expires_at } = session
    return { id, by: 'session', session_id, name, email, expires_at, ...signIn }
  }

  async function findOwner(db: Db, token: string): Promise<Identity | null> {
    const ofProgram = programs === null ? null : programDigestOf(token)
    if (programs !== null && ofProgram !== null) return findProgram(db, ofProgram, programs.url())
    const digest = tokenDigestOf(token)
    const found = digest === null ? null : await findAccessToken(db, digest)
    if (found === null) return null
    const { identity, id, isUsed } = found
    if (!isUsed && !marked.has(id)) void mark(identity.id, id)
    return identity
  }

  /** In nobody's name, and nobody waits for it. What is not written now is written the next time. */
  async function mark(userId: string, id: string): Promise<void> {
    marked.add(id)
    await markUsed(gate.for(null, userId), userId, id).catch(() => {})
    marked.delete(id)
  }

  function check(
    { kind, text }: Credential,
    dbOf: () => Db,
    setWaiting: (waiting: boolean) => void = () => {},
  ): ReturnType<Identify> {
    if (kind === 'jwt') {
      return memory.recall(text) ?? memory.learn(text, () => verifyJwt(text, dbOf, setWaiting))
    }
    if (kind === 'access') return findOwner(dbOf(), text)
    const token = kind === 'raw' ? text : openSigned(text, secret)
    if (token === null || !isSessionToken(token)) return null
    return findLiveSession(dbOf(), token)
  }

  const identify = (request: Request): ReturnType<Identify> => {
    const handed = handedOver(request)
    if (handed !== undefined) return handed
    // Most often it is this, and nothing has to be looked at.
    const authorization = request.headers.get('authorization')
    const known = authorization?.startsWith(bearer)
      ? memory.recall(authorization.slice(bearer.length))
      : undefined
    if (known !== undefined) return known

    const credentials = findCredentials(request.headers, options)
    const [first] = credentials
    if (first === undefined) return null
    if (first.cookie && !isHarmless(request) && !isOfOurs(request)) return null
    return firstOf(credentials, (credential) =>
      check(
        credential,
        () => dbFor(request),
        (waiting) => exchangeOf(request).place.setWaiting(waiting),
      ),
    )
  }

  const ofToken: Identify['ofToken'] = async (db, token) => {
    const credential = readCredential(token)
    return credential === null ? null : check(credential, () => db)
  }

  const ofHeaders: Identify['ofHeaders'] = async (db, headers) =>
    firstOf(findCredentials(headers, options), (credential) => check(credential, () => db))

  return Object.assign(identify, { ofToken, ofHeaders })
}

const ours = Symbol('user')

/** Kept on the request itself, as its exchange is. */
type Carrier = Request & { [ours]?: Identity }

/** A request that is made here in the name of somebody who is known: nobody is asked, and it is not counted once more. */
export const handOver = (request: Request, user: Identity): Request =>
  Object.assign(request, { [ours]: user })

export const handedOver = (request: Request): Identity | undefined => (request as Carrier)[ours]

const bearer = 'Bearer '

/** Any page can have a browser send a cookie; what it reads of the answer is a matter of CORS. */
const isHarmless = ({ method }: Request): boolean => method === 'GET' || method === 'HEAD'

/**
 * Whether a page of this very origin asks: a browser says so of its own accord, and no page can say it for another. Over http it says
 * only where the page is from.
 */
function isSameOrigin(headers: Headers): boolean {
  const site = headers.get('sec-fetch-site')
  if (site !== null) return site === 'same-origin'
  const [origin, host] = [headers.get('origin'), headers.get('host')]
  return host !== null && (origin === `http://${host}` || origin === `https://${host}`)
}

/** Whom the first that names somebody names. */
function firstOf(
  [credential, ...others]: Credential[],
  check: (credential: Credential) => ReturnType<Identify>,
): ReturnType<Identify> {
  if (credential === undefined) return null
  const found = check(credential)
  if (others.length === 0) return found
  if (found instanceof Promise) return found.then((user) => user ?? firstOf(others, check))
  return found ?? firstOf(others, check)
}

/** That one is too old is nobody's fault. */
function hasExpired(token: string): boolean {
  try {
    return (decodeJwt(token).exp ?? Number.POSITIVE_INFINITY) * 1000 < Date.now()
  } catch {
    return false
  }
}

const notStored =
  "it is none that Better Auth's jwt() plugin made for its own origin, with a key in the table jwks of this database. Where its keys " +
  'are elsewhere, set AUTH_JWKS_URL to its /api/auth/jwks (docs/signing-in.md)'

/** What a token says of itself gets into the log only as a name that there is. */
const isName = (algorithm: unknown): algorithm is string =>
  typeof algorithm === 'string' && /^(?:HS|RS|PS|ES)\d{3}K?$|^none$|^Ed448$/.test(algorithm)

/** What the header of a JWT says, which nobody has verified: it only chooses between keys that are pinned to theirs. */
function algorithmOf(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString()).alg
  } catch {
    return undefined
  }
}
