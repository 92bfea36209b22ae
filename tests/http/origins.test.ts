import { expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { firstOrigin, originMatcher } from '../../src/http/origins.ts'
import { createTestApp, issuerOptions } from '../support/app.ts'
import { browser } from '../support/auth-client.ts'

const listed = [
  'https://*.vercel.app',
  'https://app.example',
  'https://*.dev.example.com:8443',
  'capacitor://localhost',
  'tauri://localhost',
  'http://tauri.localhost',
  'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
  'app://obsidian.md',
]
const origins: [string, boolean][] = [
  ['https://pr-1.vercel.app', true],
  ['https://a.b.vercel.app', true],
  ['https://a.dev.example.com:8443', true],
  ['https://app.example', true],
  ['capacitor://localhost', true],
  ['tauri://localhost', true],
  ['http://tauri.localhost', true],
  ['chrome-extension://abcdefghijklmnopabcdefghijklmnop', true],
  ['app://obsidian.md', true],
  ['https://vercel.app', false],
  ['https://evilvercel.app', false],
  ['http://pr-1.vercel.app', false],
  ['https://pr-1.vercel.app:444', false],
  ['https://pr-1.vercel.app.evil.example', false],
  ['https://evil.example/x.vercel.app', false],
  ['https://a.dev.example.com', false],
  ['https://app.example.vercel.apps', false],
  ['capacitor://localhost.evil', false],
  ['ionic://localhost', false],
  ['tauri://localhost:1', false],
  ['chrome-extension://bbcdefghijklmnopabcdefghijklmnop', false],
  ['null', false],
]

const app = createTestApp({
  corsOrigins: listed,
  issuer: () => ({ ...issuerOptions, origins: listed }),
})

test.each(origins)(
  '%s is the same to the API, to its cookies and to the issuer: %p',
  async (origin, isAllowed) => {
    const client = browser('http://localhost', origin, app.handle)

    const preflight = await app.handle(
      new Request('http://localhost/api/tasks', {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      }),
    )
    const signedUp = await client.signUp()
    const reset = await client.send('POST', '/api/auth/sign-in/email', {
      email: 'nobody@example.com',
      password: 'a wrong password',
      callbackURL: `${origin}/tasks`,
    })
    const own = browser('http://localhost', 'https://app.example', app.handle)
    await own.signUp()
    const cookie = { origin, cookie: own.cookieHeader() }
    const made = await own.send('POST', '/api/tasks', { title: 'By cookie' }, cookie)

    expect(originMatcher(listed)(origin)).toBe(isAllowed)
    expect(preflight.headers.get('access-control-allow-origin')).toBe(isAllowed ? origin : null)
    expect(signedUp.status).toBe(isAllowed ? 200 : 403)
    expect(reset.status).toBe(isAllowed ? 401 : 403)
    expect(made.status).toBe(isAllowed ? 201 : 401)
  },
)

test('a browser is sent to the first that is no pattern', () => {
  expect(firstOrigin(listed)).toBe('https://app.example')
  expect(firstOrigin(['https://*.vercel.app'])).toBeUndefined()
})

test('the configuration takes all of these', () => {
  expect(readConfig({ CORS_ORIGINS: listed.join(', ') }).corsOrigins).toEqual(listed)
})

test.each([
  '*',
  'null',
  'https://*',
  'https://*.com',
  'http://*.example.com',
  'https://a.*.example.com',
  'https://pr-*.vercel.app',
  'https://*.*.example.com',
  'https://**.example.com',
  'https://*.example.com/',
  'https://*.example.com/path',
  'https://*.EXAMPLE.com',
  'https://*.1.1',
  'capacitor://*.localhost',
  '*.example.com',
  'https://app.example/',
  'capacitor://localhost/',
  'capacitor://',
  'file://',
  'file://localhost',
  'data:text',
  'javascript://x',
  'ws://app.example',
])('the configuration refuses %s', (origin) => {
  expect(() => readConfig({ CORS_ORIGINS: origin })).toThrow(`CORS_ORIGINS: "${origin}"`)
})
