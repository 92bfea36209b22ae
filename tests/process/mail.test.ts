import { afterAll, expect, test } from 'bun:test'
import { makeAuthority } from '../faults/support/authority.ts'
import { browser } from '../support/auth-client.ts'
import { temporaryFolder } from '../support/database.ts'
import { startMailServer } from '../support/mail-server.ts'
import { docket, startServer } from '../support/process.ts'

// The program with a server of mails, here and on what it takes for another machine.

const here = '127.0.0.1'
const away = '127.0.0.2'
const authority = await makeAuthority(temporaryFolder(), away)
const tls = { key: authority.key, certificate: authority.certificate }
const origin = 'http://localhost:3000'

const receivers = {
  plainHere: await startMailServer(here, null),
  plainAway: await startMailServer(away, null),
  startTls: await startMailServer(away, tls),
  tls: await startMailServer(away, tls, { secure: true }),
  refusing: await startMailServer(here, null, {
    onRcptTo: ({ address }, _session, callback) => callback(new Error(`no ${address} here`)),
  }),
}
afterAll(() => Promise.all(Object.values(receivers).map(({ stop }) => stop())))

const environment = (scheme: string, host: string, port: number) => ({
  AUTH_SMTP_URL: `${scheme}://mailer%40acme.example:pass%20word@${host}:${port}`,
  AUTH_MAIL_FROM: 'Acme <hello@acme.example>',
  AUTH_URL: 'http://localhost:8000',
  LOG_LEVEL: 'info',
})

const trusting = { NODE_EXTRA_CA_CERTS: authority.ca }

/** Signs somebody up, and stops the server as soon as that is answered: what goes on then has its time. */
async function signUpAndStop(env: Record<string, string>) {
  const email = `${crypto.randomUUID()}@example.com`
  const server = await startServer({ env })
  const { status } = await browser(server.address, origin).signUp(email)
  const code = await server.end('SIGTERM')
  return { email, status, code, said: server.said() }
}

const sent: [string, keyof typeof receivers, string, string, boolean][] = [
  ['in the clear on this machine', 'plainHere', 'smtp', here, false],
  ['by STARTTLS to another one', 'startTls', 'smtp', away, true],
  ['encrypted from the first byte on', 'tls', 'smtps', away, true],
]

test.each(sent)(
  'sends a mail %s, and ends when it is sent',
  async (_, name, scheme, host, secure) => {
    const { port, mails } = receivers[name]

    const { email, status, code, said } = await signUpAndStop({
      ...environment(scheme, host, port),
      ...trusting,
    })

    expect([status, code]).toEqual([200, 0])
    const [mail, ...others] = mails.filter(({ to }) => to.includes(email))
    expect(others).toEqual([])
    expect(mail).toMatchObject({
      from: 'hello@acme.example',
      to: [email],
      user: 'mailer@acme.example',
      secure,
    })
    const text = (mail?.text ?? '').replaceAll('=\r\n', '').replaceAll('=3D', '=')
    expect(text).toContain('From: Acme <hello@acme.example>')
    expect(text).toContain('Subject: Confirm your e-mail address for Acme')
    const [link = ''] =
      /http:\/\/localhost:8000\/api\/auth\/verify-email\?token=[^\s"&]+/.exec(text) ?? []
    expect(link).not.toBe('')
    expect(text).toContain('text/html')
    // The name that somebody gave is not for the recipient to read.
    expect(text).not.toContain('Ann')
    for (const secret of [email, link.slice(-40), 'pass word', 'pass%20word']) {
      expect(said).not.toContain(secret)
    }
  },
)

const unsent: [string, keyof typeof receivers, string, string, Record<string, string>][] = [
  ['in the clear to another machine', 'plainAway', 'smtp', away, trusting],
  ['where nobody knows the certificate', 'startTls', 'smtp', away, {}],
  ['where nobody knows the certificate from the first byte on', 'tls', 'smtps', away, {}],
  ['that is refused', 'refusing', 'smtp', here, {}],
]

test.each(unsent)(
  'sends no mail %s, and says so without whom and what',
  async (_, name, scheme, host, env) => {
    const { port, mails, attempts } = receivers[name]
    const before = attempts()

    const { email, status, code, said } = await signUpAndStop({
      ...environment(scheme, host, port),
      ...env,
    })

    expect([status, code]).toEqual([200, 0])
    expect(mails.filter(({ to }) => to.includes(email))).toEqual([])
    expect(said).toContain('the server of AUTH_SMTP_URL did not take it')
    expect(said).not.toContain(email)
    if (name !== 'refusing') expect(attempts()).toBe(before)
  },
)

test('names a fault of the settings, and not the password', async () => {
  const { exitCode, stderr } = await docket([], {
    env: { AUTH_SMTP_URL: 'smtp://mailer:hidden@', AUTH_MAIL_FROM: 'nobody' },
  })

  expect(exitCode).toBe(1)
  expect(stderr).toContain('AUTH_SMTP_URL must be')
  expect(stderr).toContain('AUTH_MAIL_FROM: "nobody"')
  expect(stderr).not.toContain('hidden')
})
