import { OAuth2Server } from 'oauth2-mock-server'
import type { Browser } from './auth-client.ts'

export type Claims = Record<string, unknown>

export type Person = {
  /** In the ID token; undefined leaves a claim out. */
  claims: Claims
  /** In the userinfo. */
  userinfo?: Claims
  /** Of the answer of the token endpoint. */
  answer?: Claims
}

/** An OpenID Connect provider that says of everybody what `person` says. */
export async function startProvider() {
  const server = new OAuth2Server()
  await server.issuer.keys.generate('RS256')
  await server.start(0, 'localhost')
  let person: Person = { claims: {} }

  /** Whom a code stands for: several may be on their way at once. */
  const people = new Map<unknown, Person>()

  server.service.on('beforeTokenSigning', ({ payload }, { body }) => {
    person = people.get((body as Claims)['code']) ?? person
    for (const [name, value] of Object.entries(person.claims)) {
      if (value === undefined) delete payload[name]
      else payload[name] = value
    }
  })
  server.service.on('beforeUserinfo', (response) => {
    response.body = { ...person.userinfo }
  })
  server.service.on('beforeResponse', (response) => {
    if (typeof response.body === 'object') response.body = { ...response.body, ...person.answer }
  })

  return {
    oidc: {
      discoveryUrl: `${server.issuer.url}/.well-known/openid-configuration`,
      clientId: 'docket',
      clientSecret: 'a secret of the client',
    },
    /** Whom a real browser is taken for from now on. */
    meet: (as: Person): void => {
      person = as
    },
    /** The way to the provider and back, as this person. Gives where the browser ends. */
    signIn: async (client: Browser, as: Person, callbackURL: string): Promise<URL> => {
      const asked = { provider: 'oidc', callbackURL }
      const { body } = await client.send('POST', '/api/auth/sign-in/social', asked)
      const consented = await fetch(body.url, { redirect: 'manual' })
      const callback = new URL(consented.headers.get('location') ?? '')
      people.set(callback.searchParams.get('code'), as)
      const returned = await client.send('GET', callback.pathname + callback.search)
      return new URL(returned.headers.get('location') ?? '')
    },
    stop: () => server.stop(),
  }
}

export type Provider = Awaited<ReturnType<typeof startProvider>>
