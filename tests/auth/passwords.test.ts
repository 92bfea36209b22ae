import { expect, test } from 'bun:test'
import { clientAddresses } from '../support/addresses.ts'
import { app, issuerUrl, origin } from '../support/app.ts'
import { type Browser, browser } from '../support/auth-client.ts'

const open = () => browser(issuerUrl, origin, (request) => app.handle(request))
const newEmail = () => `${crypto.randomUUID()}@example.com`
const password = 'correct horse battery'

const fromElsewhere = () => ({ 'x-forwarded-for': clientAddresses.next().value })

const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status)

/** Wrong passwords, each from an address of its own. */
async function guess(email: string, times: number) {
  const answers = []
  for (let time = 0; time < times; time += 1) {
    answers.push(await open().signIn(time % 2 === 0 ? email : email.toUpperCase(), `wrong ${time}`))
  }
  return answers
}

const ten401 = Array.from({ length: 10 }, () => 401)

test('counts wrong passwords for an account, from whatever addresses they come', async () => {
  const email = newEmail()
  await open().signUp(email)

  const answers = await guess(email, 12)

  expect(statusesOf(answers)).toEqual([...ten401, 429, 429])
  const [last] = answers.slice(-1)
  expect(Number(last?.headers.get('retry-after'))).toBeWithin(1, 61)
  expect(last?.body).toMatchObject({ code: 'rate_limited', message: expect.any(String) })
  // Nor does the right one tell that it is.
  expect((await open().signIn(email)).status).toBe(429)
  expect((await open().signUp()).status).toBe(200)
})

test('counts them alike where there is no account', async () => {
  expect(statusesOf(await guess(newEmail(), 12))).toEqual([...ten401, 429, 429])
})

test('counts those that come at the same moment', async () => {
  const email = newEmail()
  await open().signUp(email)

  const answers = await Promise.all(
    Array.from({ length: 16 }, () => open().signIn(email, 'a wrong password')),
  )

  expect(statusesOf(answers).filter((status) => status === 401)).toHaveLength(10)
})

test('lets the owner in from where the account is signed in', async () => {
  const email = newEmail()
  const ann = open()
  await ann.signUp(email)
  await guess(email, 12)

  expect((await ann.signIn(email)).status).toBe(200)
  expect((await ann.signIn(email, 'mistyped')).status).toBe(401)
  expect((await ann.signIn(email)).status).toBe(200)
})

test('knows the owner by the network of an IPv6 address', async () => {
  const email = newEmail()
  const body = { name: 'Ann', email, password }
  const from = (address: string) => ({ 'x-forwarded-for': address })
  await open().send('POST', '/api/auth/sign-up/email', body, from('2001:db8:7:8::9'))
  await guess(email, 12)
  const signIn = (address: string) =>
    open().send('POST', '/api/auth/sign-in/email', { email, password }, from(address))

  expect((await signIn('2001:db8:7:9::9')).status).toBe(429)
  expect((await signIn('2001:db8:7:8:a:b:c:d')).status).toBe(200)
})

test('does not count who signs in', async () => {
  const email = newEmail()
  await open().signUp(email)

  for (let time = 0; time < 14; time += 1) expect((await open().signIn(email)).status).toBe(200)
})

const checks: [string, (client: Browser, guessed: string) => ReturnType<Browser['send']>][] = [
  [
    '/change-password',
    (client, guessed) =>
      client.send(
        'POST',
        '/api/auth/change-password',
        { currentPassword: guessed, newPassword: password, email: newEmail() },
        fromElsewhere(),
      ),
  ],
  [
    '/delete-user',
    (client, guessed) =>
      client.send(
        'POST',
        '/api/auth/delete-user',
        { password: guessed, email: newEmail() },
        fromElsewhere(),
      ),
  ],
]

test.each(checks)(
  'counts wrong passwords at %s for the account of the session',
  async (_path, check) => {
    const ann = open()
    const email = newEmail()
    await ann.signUp(email)

    const answers = []
    for (let time = 0; time < 12; time += 1) answers.push(await check(ann, `wrong ${time}`))

    expect(statusesOf(answers)).toEqual([...ten401.map(() => 400), 429, 429])
    expect((await check(ann, password)).status).toBe(429)
    expect((await open().signIn(email)).status).toBe(429)
    expect((await ann.signIn(email)).status).toBe(200)
  },
)

test('limits what checks a password by the address, all together', async () => {
  const ann = open()
  await ann.signUp()
  const send = (path: string, body: unknown) => ann.send('POST', `/api/auth${path}`, body)
  const statuses: number[] = []

  for (let round = 0; round < 3; round += 1) {
    const answers = [
      await send('/delete-user', { password: 'a wrong password' }),
      await send('/change-password', { currentPassword: 'wrong', newPassword: password }),
      await send('/sign-in/email', { email: newEmail(), password }),
      await send('/reset-password', { token: 'x'.repeat(24), newPassword: password }),
    ]
    statuses.push(...statusesOf(answers))
  }

  expect(statuses).toEqual([400, 400, 401, 400, 400, 400, 401, 400, 400, 400, 429, 429])
  expect((await ann.send('GET', '/api/auth/get-session')).status).toBe(200)
})
