import { expect, test } from 'bun:test'
import { parseDatabaseUrl } from '../../../src/database/address/url.ts'
import { explain, mayCome } from '../../../src/database/gate/faults.ts'

const address = parseDatabaseUrl('postgres://alice:hunter2@db.example/app')
const failure = (code: string, message = code) => Object.assign(new Error(message), { code })

test.each([
  ['ENOTFOUND', 'there is no host "db.example"'],
  ['ECONNREFUSED', 'nothing listens there'],
  ['CONNECT_TIMEOUT', 'it does not answer'],
  ['CONNECT_CLOSED', 'it closes the connection'],
  ['28P01', 'it refuses the user "alice" or the password'],
  ['3D000', 'there is no database "app"'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is of another host'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'name its file in DATABASE_CA_FILE'],
  ['SSL_NOT_SUPPORTED', 'it has no TLS'],
  ['XX000', 'XX000'],
])('says of %s that %s', (code, said) => {
  const sentence = explain(failure(code), address)

  expect(sentence).toStartWith('Cannot use the database app on db.example:5432: ')
  expect(sentence).toContain(said)
  expect(sentence).toEndWith('.')
  expect(sentence).not.toContain('hunter2')
})

test.each(['ENOTFOUND', 'ECONNREFUSED', 'CONNECT_TIMEOUT', 'CONNECT_CLOSED', '57P03', '53300'])(
  'waits for a database that answers with %s',
  (code) => {
    expect(mayCome(failure(code))).toBe(true)
  },
)

test.each([
  '28P01',
  '3D000',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'SSL_NOT_SUPPORTED',
  '42501',
])('does not wait after %s', (code) => {
  expect(mayCome(failure(code))).toBe(false)
})

test('tells what PgBouncer says with one code by its words', () => {
  expect(mayCome(failure('08P01', 'server login has been failing, try again later'))).toBe(true)
  expect(mayCome(failure('08P01', 'no such database: app'))).toBe(false)
  expect(mayCome(failure('08P01', 'SASL authentication failed'))).toBe(false)
})
