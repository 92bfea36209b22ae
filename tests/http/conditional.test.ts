import { expect, test } from 'bun:test'
import { isNoneMatch, readIfMatch } from '../../src/http/conditional.ts'
import { prefixReader } from '../../src/http/prefix.ts'

test.each([
  ['"1"', [1]],
  ['W/"1"', [1]],
  ['w/"1"', [1]],
  ['"1-gzip"', [1]],
  ['W/"1-gzip"', [1]],
  ['"1--gzip"', [1]],
  ['"1;gzip"', [1]],
  ['"1:br"', [1]],
  ['"1-br"', [1]],
  ['"1-zstd"', [1]],
  ['"1-df"', [1]],
  ['"1/GZIP"', [1]],
  ['"1.deflate"', [1]],
  ['"7-gzip", W/"12" ,"x"', [7, 12]],
  ['"2147483648"', []],
  ['"0"', []],
  ['"01"', []],
  ['"1-2"', []],
  ['"1-gzip-2"', []],
  ['"1gzip"', []],
  ['"-gzip"', []],
  ['"1---gzip"', []],
  ['"1-other"', []],
  ['1-gzip', []],
  ['W"1"', []],
  ['*', null],
])('If-Match: %s names %j', (header, versions) => {
  expect(readIfMatch(new Headers({ 'if-match': header }))).toEqual(versions)
  const noneMatch = new Headers({ 'if-none-match': header })
  for (const version of [1, 7, 12]) {
    expect(isNoneMatch(noneMatch, version)).toBe(versions?.includes(version) ?? true)
  }
})

test.each([
  ['/todo', '/todo'],
  ['/todo/', '/todo'],
  ['/', ''],
  ['', ''],
  ['/a/b.c/~d-e_f', '/a/b.c/~d-e_f'],
  ['/left, /todo', '/todo'],
  ['//evil.example', ''],
  ['https://evil.example', ''],
  ['/todo/..', ''],
  ['/./todo', ''],
  ['/..', ''],
  ['/a//b', ''],
  ['\\evil', ''],
  ['/\\evil.example', ''],
  ['/%2f%2fevil', ''],
  ['/a b', ''],
  ['/"><script>', ''],
  ["/'+alert(1)+'", ''],
  ['/todo?x', ''],
  ['/todo#x', ''],
  ['todo', ''],
])('X-Forwarded-Prefix: %s is %j of one proxy, and nothing of none', (given, prefix) => {
  const headers = new Headers({ 'x-forwarded-prefix': given })

  expect(prefixReader('', 1)(headers)).toBe(prefix)
  expect(prefixReader('', 0)(headers)).toBe('')
  expect(prefixReader('/base', 1)(headers)).toBe('/base')
})

test.each([
  ['/outer, /inner', '/outer/inner'],
  ['/outer/,/inner/', '/outer/inner'],
  ['/theirs, /outer, /inner', '/outer/inner'],
  ['/outer, //inner', ''],
])('X-Forwarded-Prefix: %s is %j of two proxies', (given, prefix) => {
  expect(prefixReader('', 2)(new Headers({ 'x-forwarded-prefix': given }))).toBe(prefix)
})
