import { wire } from './client.ts'
import { ask, type Field } from './field.ts'

/** Of Docket as its browsers see it: the origin of every request to the issuer. */
export const publicOrigin = 'https://docket.example'

/** Another client each time, as the proxy in front says it. */
const stranger = () => ({ 'x-forwarded-for': [10, byte(), byte(), byte()].join('.') })
const byte = (): number => Math.floor(Math.random() * 256)

const auth = (path: string, headers: Record<string, string>, body: Record<string, string>) =>
  wire('POST', `/api/auth${path}`, { origin: publicOrigin, ...headers }, body)

const newcomer = () => ({
  name: 'A name',
  email: `${crypto.randomUUID()}@example.com`,
  password: 'correct horse battery',
})

/** Whatever has a password hashed: one account that guesses its own, strangers who sign in and sign up. */
export async function tryPasswords(field: Field): Promise<void> {
  const account = newcomer()
  let token: string | undefined
  const heard = (head: string) => {
    token = /\r\nset-auth-token: (\S+)/i.exec(head)?.[1]
  }
  const signUp = () => (token === undefined ? auth('/sign-up/email', stranger(), account) : null)
  await ask(field, 1, signUp, { heard })

  const own = { ...stranger(), authorization: `Bearer ${token}` }
  const password = 'wrong horse battery'
  let count = 0
  const next = () => {
    switch ((count += 1) % 5) {
      case 0:
        return auth('/verify-password', own, { password })
      case 1:
        return auth('/delete-user', own, { password })
      case 2:
        return auth('/sign-in/email', stranger(), { email: account.email, password })
      case 3:
        return auth('/sign-in/email', stranger(), { email: newcomer().email, password })
      default:
        return auth('/sign-up/email', stranger(), newcomer())
    }
  }
  await ask(field, 100, next)
}

/** Tokens of keys that nobody knows, each another one, while the address of the keys does not answer. */
export async function tryKeys(field: Field): Promise<void> {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signature = Buffer.alloc(64, 7).toString('base64url')
  const exp = Math.floor(Date.now() / 1000) + 3600
  let count = 0
  const next = () => {
    const alg = (count += 1) % 2 === 0 ? 'EdDSA' : 'ES256'
    const token = `${part({ alg, kid: `key-${count}` })}.${part({ sub: `${count}`, exp })}.${signature}`
    return wire('GET', '/api/tasks', { ...stranger(), authorization: `Bearer ${token}` })
  }
  await ask(field, 100, next)
}
