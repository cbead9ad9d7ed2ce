// States the decoding of status lines, Retry-After, dates and depths without a parser around them, and the visible form of a server's
// text. RFC 4918, sections 10.2 and 14.28; RFC 9110, sections 5.6.7 and 10.2.3.

import {describe, expect, it} from 'vitest'

import {decodeDate} from '../../src/protocol/date.ts'
import {assertDepth, formatDepth} from '../../src/protocol/depth.ts'
import {visible} from '../../src/protocol/errors.ts'
import {decodeRetryAfter, readRetryAfter} from '../../src/protocol/retry-after.ts'
import {decodeStatusLine, isSuccessStatus} from '../../src/protocol/status.ts'

describe('decodeStatusLine', () => {
  it.each([
    ['HTTP/1.1 200', 200],
    ['HTTP/1.1 200 OK', 200],
    ['HTTP/1.1 200\tOK', 200],
    ['HTTP/2 404 Not Found', 404],
    ['HTTP/3 204', 204],
    ['http/1.1 423 locked', 423],
    ['HTTP 507 Insufficient Storage', 507],
    ['404 Not Found', 404],
    ['200', 200],
    ['\t HTTP/1.1\t 599 \r\n', 599],
    ['HTTP/1.1 100 Continue', 100],
    ['HTTP/1.1 999', 999],
  ])('%j is %i', (line, status) => {
    expect(decodeStatusLine(line)).toBe(status)
  })

  it.each([
    'ABC OK',
    'HTTP/1.1 -100',
    'HTTP/1.1 2000',
    'HTTP/1.1 2001 OK',
    'HTTP/1.1 20',
    'HTTP/1.1 099 x',
    'HTTP/1.1 000',
    'HTTP/1.1 200OK',
    'HTTP/1.1200 OK',
    'HTTP/1.1',
    'HTTP/1.1 OK 200',
    'HTTP/1.1 ２００ OK',
    'OK',
    '20.5',
    '1e2',
    '',
    ' ',
  ])('%j is 0', (line) => {
    expect(decodeStatusLine(line)).toBe(0)
  })
})

describe('isSuccessStatus', () => {
  it.each([200, 201, 204, 207, 226, 299])('%i is one', (status) => {
    expect(isSuccessStatus(status)).toBe(true)
  })

  it.each([0, 100, 199, 300, 304, 404, 424, 500])('%i is none', (status) => {
    expect(isSuccessStatus(status)).toBe(false)
  })
})

describe('decodeRetryAfter', () => {
  const now = Date.UTC(2026, 10, 22, 12, 0, 0)

  it.each([
    ['0', 0],
    ['1', 1000],
    ['120', 120_000],
    [' 120 ', 120_000],
    ['007', 7000],
    ['86400', 86_400_000],
    ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
    ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
    ['Sun Nov 22 12:00:30 2026', 30_000],
    ['Sun, 22 Nov 2026 12:00:00 GMT', 0],
    ['Sun, 22 Nov 2026 11:59:59 GMT', 0],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ])('%j is %i ms', (value, milliseconds) => {
    expect(decodeRetryAfter(value, now)).toBe(milliseconds)
  })

  it.each([
    null,
    undefined,
    '',
    ' ',
    '-1',
    '+1',
    '1.5',
    '1e3',
    '0x10',
    '1s',
    '1, 2',
    'soon',
    'tomorrow at noon',
    'Sun, 31 Feb 2026 12:00:30 GMT',
    '99999999999999999999',
  ])('%j is none', (value) => {
    expect(decodeRetryAfter(value, now)).toBeUndefined()
  })
})

describe('decodeDate', () => {
  it.each([
    ['IMF-fixdate', 'Sun, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['a leap day', 'Thu, 29 Feb 2024 00:00:00 GMT', '2024-02-29T00:00:00.000Z'],
    ['a leap second', 'Sat, 31 Dec 2016 23:59:60 GMT', '2017-01-01T00:00:00.000Z'],
    ['a day without its zero', 'Mon, 7 Sep 2020 01:02:03 GMT', '2020-09-07T01:02:03.000Z'],
    ['a wrong day of the week', 'Mon, 06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['no day of the week', '06 Nov 1994 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['UTC', 'Sun, 06 Nov 1994 08:49:37 UTC', '1994-11-06T08:49:37.000Z'],
    ['+0000', 'Sun, 06 Nov 1994 08:49:37 +0000', '1994-11-06T08:49:37.000Z'],
    ['GMT-00:00', 'Sun, 06 Nov 1994 08:49:37 GMT-00:00', '1994-11-06T08:49:37.000Z'],
    ['an offset', 'Sun, 06 Nov 1994 08:49:37 -0130', '1994-11-06T10:19:37.000Z'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['asctime', 'Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['RFC 3339', '2026-11-22T12:41:50Z', '2026-11-22T12:41:50.000Z'],
    ['an offset of RFC 3339', '2026-11-22T12:41:50+05:30', '2026-11-22T07:11:50.000Z'],
    ['one digit of fraction', '2026-11-22T12:41:50.5Z', '2026-11-22T12:41:50.500Z'],
    ['nine digits of fraction', '2026-11-22T12:41:50.123456789Z', '2026-11-22T12:41:50.123Z'],
    ['a fraction just below a second', '2026-11-22T12:41:50.999999Z', '2026-11-22T12:41:50.999Z'],
    ['lower case', '2026-11-22t12:41:50z', '2026-11-22T12:41:50.000Z'],
    ['basic ISO 8601', '20261122T124150Z', '2026-11-22T12:41:50.000Z'],
    ['Unix seconds', '1795351310', '2026-11-22T12:41:50.000Z'],
  ])('reads %s', (_, text, iso) => {
    expect(decodeDate(text)?.toISOString()).toBe(iso)
  })

  it.each([
    'Thu, 29 Feb 2023 00:00:00 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 anF 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 0x:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 PST',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 GMT and more',
    '2026-00-22T12:41:50Z',
    '2026-11-00T12:41:50Z',
    '2026-11-31T12:41:50Z',
    '2026-11-22T12:41:50+25:00',
    '2026-11-22T12:41:50+00:60',
    '2026-11-22T12:41:50',
    '2026-11-22',
    '0',
    '-1',
    '1e12',
    'Infinity',
    'now',
    '',
  ])('%j is no date', (text) => {
    expect(decodeDate(text)).toBeUndefined()
  })
})

describe('Depth', () => {
  it.each([
    [0, '0'],
    [1, '1'],
    ['infinity', 'infinity'],
  ] as const)('%s is written %s', (depth, text) => {
    expect(() => assertDepth(depth)).not.toThrow()
    expect(formatDepth(depth)).toBe(text)
  })

  it.each([2, '0', 'Infinity', Number.POSITIVE_INFINITY, undefined, null, {}])(
    '%j is none',
    (depth) => {
      expect(() => assertDepth(depth)).toThrow(RangeError)
      expect(() => assertDepth(depth)).toThrow(/^depth is 0, 1 or 'infinity', not /)
    },
  )
})

describe('the visible form of a server’s text', () => {
  it('is one line of printable characters, and short', () => {
    expect(visible('a\r\nb\tc', 20)).toBe('a  b c')
    expect(visible('\u001b[31mred\u0000', 20)).toBe('\\u001b[31mred\\u0000')
    expect(visible('\u0085\u2028', 20)).toBe('\\u0085\\u2028')
    expect(visible('x'.repeat(30), 10)).toBe(`${'x'.repeat(10)}…`)
  })
})

describe('readRetryAfter', () => {
  const now = Date.UTC(2026, 10, 22, 12, 0, 0)
  const then = 'Sun, 22 Nov 2026 12:00:30 GMT'

  it.each([
    ['the same moment as ours', 'Sun, 22 Nov 2026 12:00:00 GMT', 30_000],
    ['an hour before ours', 'Sun, 22 Nov 2026 11:00:00 GMT', 3_630_000],
    ['ten seconds after ours', 'Sun, 22 Nov 2026 12:00:10 GMT', 20_000],
    ['after what it asks for', 'Sun, 22 Nov 2026 13:00:00 GMT', 0],
    ['with blanks', ' Sun, 22 Nov 2026 12:00:10 GMT ', 20_000],
    ['nonsense', 'now', 30_000],
    ['empty', '', 30_000],
    ['none', undefined, 30_000],
  ])("compares a date with the answer's own Date: %s", (_, date, milliseconds) => {
    const headers = new Headers({'retry-after': then, ...(date !== undefined && {date})})
    expect(readRetryAfter(headers, now)).toBe(milliseconds)
  })

  it.each([
    ['5', 5000],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['5, 5', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads seconds whatever the Date, and ignores nonsense: %s', (value, milliseconds) => {
    const date = 'Sun, 22 Nov 2026 11:00:00 GMT'
    const headers = new Headers({date, ...(value !== undefined && {'retry-after': value})})
    expect(readRetryAfter(headers, now)).toBe(milliseconds)
  })
})
