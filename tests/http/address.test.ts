import { expect, test } from 'bun:test'
import { addressReader } from '../../src/http/address.ts'

const read = (hops: number, forwarded: string | null, peer: string | null) =>
  addressReader(hops)(
    new Request('http://localhost/', {
      headers: forwarded === null ? {} : { 'x-forwarded-for': forwarded },
    }),
    peer,
  )

test.each([
  [0, '203.0.113.7', '10.0.0.1', '10.0.0.1'],
  [1, '203.0.113.7', '10.0.0.1', '203.0.113.7'],
  [1, '198.51.100.1, 203.0.113.7', '10.0.0.1', '203.0.113.7'],
  [2, '198.51.100.1, 203.0.113.7, 10.0.0.2', '10.0.0.1', '203.0.113.7'],
  [2, '203.0.113.7', '10.0.0.1', '10.0.0.1'],
  [1, null, '10.0.0.1', '10.0.0.1'],
  [1, '', '10.0.0.1', '10.0.0.1'],
  [1, '203.0.113.7:4711', '10.0.0.1', '203.0.113.7'],
  [1, 'nonsense', '10.0.0.1', 'unknown'],
  [0, null, null, 'unknown'],
])('with %d proxies, %p from %p is counted to %s', (hops, forwarded, peer, expected) => {
  expect(read(hops, forwarded, peer)).toBe(expected)
})

test.each([
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::ffff:cb00:7107', '203.0.113.7'],
  ['[2001:db8:1:2::1]:443', '2001:db8:1:2::/64'],
])('counts %s as %s', (address, expected) => {
  expect(read(0, null, address)).toBe(expected)
  expect(read(1, address, '10.0.0.1')).toBe(expected)
})
