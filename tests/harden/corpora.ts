import { naughtyTags, naughtyTexts } from '../support/tasks.ts'

// Inputs that programs have been seen to fail at, made here.

/** Texts for every place that takes text. */
export const texts: string[] = [
  naughtyTexts.map(([, text]) => text),
  naughtyTags,
  [0, 1, 49, 50, 51, 200, 201, 499, 500, 501, 20_000, 20_001].map((length) => 'a'.repeat(length)),
  ['\0', 'a\0b', '\ud800', 'a\udfffb', '\ufeff', '\u202e', 'é'.repeat(500), '𝒳'.repeat(250)],
  ['0', '-1', '1.5', '1e309', '9007199254740993', '0x10', 'NaN', 'Infinity', '١٢', '½'],
  ['2026-02-31', '0000-01-01', '9999-12-31', '10000-01-01', '-0001-01-01', '2026-1-1', '20260101'],
  ['24:00', '23:60', '23:59:60', '12:00Z', '12:00+02:00', '00:00:00.5', '1:00'],
  ['Europe/Berlin', 'Europe/Nowhere', 'UTC', '+02:00', 'EST5EDT', '../etc/localtime', 'utc\0'],
  [
    '../../../etc/passwd',
    '..%2f..%2f',
    '%',
    '%zz',
    '%00',
    '%c0%af',
    'file:///etc/passwd',
    '//evil.example',
  ],
  ["' or 1=1 --", '"; select pg_sleep(10); --', '$1', '$$', ':user_id', '{id}', '${id}', "\\'; --"],
  ['__proto__', 'constructor', 'toString', '[object Object]', 'undefined', 'null', 'true', 'me'],
  ['\r\nX-Injected: 1', 'a\r\n\r\nGET / HTTP/1.1', '<svg onload=alert(1)>', '=cmd|calc', '{{7*7}}'],
  Array.from({ length: 64 }, (_, index) => String.fromCodePoint(index * 0x400 + 0x20)),
].flat()

const nested = (open: string, close: string, depth: number) =>
  open.repeat(depth) + close.repeat(depth)

/** Not JSON: each is 400. */
export const malformed: string[] = [
  [
    '{',
    '}',
    '[',
    ']',
    '{]',
    '[}',
    '{"a"}',
    '{"a":}',
    '{:1}',
    '{a:1}',
    "{'a':1}",
    '{"a":1,}',
    '{,}',
  ],
  [
    '[1,]',
    '[,1]',
    '[1 2]',
    '[1,,2]',
    '{"a":1 "b":2}',
    '{"a":1}}',
    '{"a":1}{',
    '1 2',
    '""x',
    'nul',
    'tru',
  ],
  ['NaN', 'Infinity', '-', '-a', '+1', '01', '1.', '.5', '1e', '1e+', '0x1', '1_000', '--1', '[-]'],
  ['"', '"\\"', '"\\x"', '"\\u12"', '"\\u{41}"', '"\n"', '"\t"', '"\0"', "'a'", '`a`', '"a\\'],
  [
    '// comment\n{}',
    '/**/{}',
    '{}//',
    '#{}',
    '<json/>',
    'title=x',

    '\u00a0{}',
    '\v{}',
    '{}\0',
  ],
  ['{"title":undefined}', '{"title":x}', '{"title":function(){}}', '{"title":1n}', '{"title":"x"'],
  [100, 1000, 30_000].flatMap((depth) => [
    '['.repeat(depth),
    '{"a":'.repeat(Math.min(depth, 10_000)),
  ]),
].flat()

/** JSON, but no task: each is 400 or 422. */
export const unfitting: string[] = [
  [
    '\ufeff{}',
    'null',
    'true',
    '0',
    '-0',
    '1e5',
    '""',
    '"title"',
    '[]',
    '[{}]',
    '{}',
    '[null]',
    '{"":""}',
  ],
  [
    '{"title":null}',
    '{"title":1}',
    '{"title":[]}',
    '{"title":{}}',
    '{"title":true}',
    '{"title":""}',
  ],
  ['{"title":"a","title":"b"}', '{"__proto__":{"title":"a"}}', '{"constructor":{"prototype":{}}}'],
  [
    '{"title":"a","id":1}',
    '{"title":"a","id":""}',
    '{"title":"a","user_id":"bob"}',
    '{"title":"a","version":9}',
  ],
  [
    '{"title":"\\u0000"}',
    '{"title":"\\ud800"}',
    '{"title":"a","tags":["\\udc00"]}',
    '{"title":"a","tags":[null]}',
  ],
  [
    '{"title":"a","tags":"b"}',
    '{"title":"a","tags":{"0":"b"}}',
    '{"title":"a","completed":"true"}',
  ],
  [
    '{"title":"a","completed":1}',
    '{"title":"a","priority":3}',
    '{"title":"a","priority":"urgent"}',
  ],
  [
    '{"title":"a","due_time":"12:00"}',
    '{"title":"a","time_zone":"UTC"}',
    '{"title":"a","due_date":20260101}',
  ],
  [
    '{"title":"a","tags":["b","b"]}',
    `{"title":"a","tags":${JSON.stringify(Array.from({ length: 21 }, String))}}`,
  ],
  [9, 100, 10_000].map((depth) => `{"title":${nested('[', ']', depth)}}`),
  `{${Array.from({ length: 2000 }, (_, index) => `"f${index}":0`).join()}}`,
].flat()
