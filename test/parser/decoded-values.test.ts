// States the decoded values of the live properties. Undecodable ones are named in `missing`: rule 9.
// RFC 4918, section 15; RFC 4331; RFC 9110, section 5.6.7; RFC 3339.
import {describe, expect, it} from 'vitest'
import {found} from '../support/fixtures.ts'

function undecoded(name: string): unknown {
  return {name, status: 0, conditions: [], description: expect.stringMatching(/./)}
}

describe.each(['getlastmodified', 'creationdate'])('%s', (name) => {
  it.each([
    ['RFC 1123', 'Mon, 12 Jan 1998 09:25:56 GMT', '1998-01-12T09:25:56.000Z'],
    ['a day without its zero', 'Mon, 7 Sep 2020 01:02:03 GMT', '2020-09-07T01:02:03.000Z'],
    ['UTC', 'Mon, 12 Jan 1998 09:25:56 UTC', '1998-01-12T09:25:56.000Z'],
    ['+0000', 'Mon, 12 Jan 1998 09:25:56 +0000', '1998-01-12T09:25:56.000Z'],
    ['an offset', 'Mon, 12 Jan 1998 09:25:56 +0130', '1998-01-12T07:55:56.000Z'],
    ['GMT-00:00', 'Mon, 12 Jan 1998 09:25:56 GMT-00:00', '1998-01-12T09:25:56.000Z'],
    ['RFC 850', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06T08:49:37.000Z'],
    ['asctime, which is UTC by definition', 'Sun Nov  6 08:49:37 1994', '1994-11-06T08:49:37.000Z'],
    ['RFC 3339', '1997-12-01T17:42:21-08:00', '1997-12-02T01:42:21.000Z'],
    ['RFC 3339 with Z', '2026-11-22T12:41:50Z', '2026-11-22T12:41:50.000Z'],
    ['three digits of fraction', '2026-11-22T12:41:50.123Z', '2026-11-22T12:41:50.123Z'],
    ['six digits of fraction', '2026-11-22T12:41:50.123456+00:00', '2026-11-22T12:41:50.123Z'],
    ['basic ISO 8601', '20261122T124150Z', '2026-11-22T12:41:50.000Z'],
    ['Unix seconds', '1795351310', '2026-11-22T12:41:50.000Z'],
    ['Unix seconds of nine digits', '884597156', '1998-01-12T09:25:56.000Z'],
    ['white space around it', '\n  2026-11-22T12:41:50Z\n  ', '2026-11-22T12:41:50.000Z'],
    ['the epoch itself', 'Thu, 01 Jan 1970 00:00:00 GMT', '1970-01-01T00:00:00.000Z'],
  ])('is a Date from %s', (_, text, iso) => {
    const {properties, missing} = found(`<D:${name} x:dt="dateTime">${text}</D:${name}>`)
    expect(properties).toEqual({[name]: new Date(iso)})
    expect(missing).toEqual([])
  })

  it.each([
    'yesterday',
    '',
    ' ',
    '0',
    '1',
    '12345678',
    '123456789012',
    '2026',
    '2026-11-22',
    '2026-11-22T12:41:50',
    'Mon, 12 Jan 1998 09:25:56',
    '2026-13-22T12:41:50Z',
    '2026-02-30T12:41:50Z',
    '2026-11-22T25:41:50Z',
    'Mon, 32 Jan 1998 09:25:56 GMT',
    'Mon, 30 Feb 1998 09:25:56 GMT',
    'Invalid Date',
    'null',
  ])('is no date and never the epoch: "%s"', (text) => {
    const {properties, missing} = found(`<D:${name}>${text}</D:${name}><x:p>1</x:p>`)
    expect(properties).toEqual({'{urn:x}p': '1'})
    expect(missing).toEqual([undecoded(name)])
  })
})

describe('getcontentlength', () => {
  it.each([
    ['0', 0],
    ['4525', 4525],
    [' 4525\n', 4525],
    ['9007199254740991', 9007199254740991],
  ])('is a number: "%s"', (text, length) => {
    expect(found(`<D:getcontentlength>${text}</D:getcontentlength>`)).toMatchObject({
      properties: {getcontentlength: length},
      missing: [],
    })
  })

  it.each([
    '',
    ' ',
    '-1',
    '1e3',
    '0x10',
    '12.5',
    '1 024',
    '1,024',
    'NaN',
    'Infinity',
    '9007199254740992',
    '18446744073709551615',
  ])('is left out rather than guessed: "%s"', (text) => {
    const {properties, missing} = found(`<D:getcontentlength>${text}</D:getcontentlength>`)
    expect(properties).toEqual({})
    expect(missing).toEqual([undecoded('getcontentlength')])
  })

  it('is left out if child elements have all of its text', () => {
    const {properties, missing} = found('<D:getcontentlength><x:n>12</x:n></D:getcontentlength>')
    expect(properties).toEqual({})
    expect(missing).toEqual([undecoded('getcontentlength')])
  })
})

describe('a live property with elements in it that nobody knows', () => {
  const date = new Date('1994-11-06T08:49:37Z')
  it.each<[string, string, unknown]>([
    ['getcontentlength', '<x/>2', 2],
    ['getcontentlength', '\n<x:n>9</x:n> 1<D:y/>2 <!-- 3 -->', 12],
    ['getcontentlength', '<D:getcontentlength>7</D:getcontentlength>2', 2],
    ['getlastmodified', '<x:a/>Sun, 06 Nov 1994<x:b>x</x:b> 08:49:37 GMT', date],
    ['creationdate', '1994-11-06T08:49:37Z<x:a>1995</x:a>', date],
    ['quota-used-bytes', '<x:a/>-3', -3],
    ['quota-available-bytes', '1<x:a>2</x:a>3', 13],
    ['getetag', ' <x:a>b</x:a>"1&amp;2"', '"1&2"'],
    ['getetag', '<x:a/>', ''],
    ['getcontenttype', ' text/<x:a/>plain ', 'text/plain'],
    ['getcontentlanguage', '<x:a/>\nen ', 'en'],
    ['sync-token', ' urn:<x:a/>1 ', 'urn:1'],
    ['displayname', ' a <x:b>c</x:b> d ', ' a  d '],
  ])('is its own text: %s of %s', (name, markup, value) => {
    expect(found(`<D:${name}>${markup}</D:${name}>`)).toMatchObject({
      properties: {[name]: value},
      missing: [],
    })
  })

  it('is left out for an invalid text', () => {
    const {properties, missing} = found('<D:getcontentlength>1<x:a/>e3</D:getcontentlength>')
    expect(properties).toEqual({})
    expect(missing).toEqual([undecoded('getcontentlength')])
  })
})

describe.each(['quota-available-bytes', 'quota-used-bytes'])('%s', (name) => {
  it.each([
    ['84467605504', 84467605504],
    ['0', 0],
    ['-1', -1],
    ['-2', -2],
    ['-3', -3],
  ])('is the number %s, the negative ones of Nextcloud included', (text, bytes) => {
    expect(found(`<D:${name}>${text}</D:${name}>`).properties).toEqual({[name]: bytes})
  })

  it.each(['', 'unlimited', '-', '--1'])('is left out for "%s"', (text) => {
    const {properties, missing} = found(`<D:${name}>${text}</D:${name}>`)
    expect(properties).toEqual({})
    expect(missing).toEqual([undecoded(name)])
  })
})

describe('getetag', () => {
  it.each([
    ['"zzyzx"', '"zzyzx"'],
    ['W/"zzyzx"', 'W/"zzyzx"'],
    ['&quot;zzyzx&quot;', '"zzyzx"'],
    ['&#34;zzyzx&#34;', '"zzyzx"'],
    ['-498adc36', '-498adc36'],
    ['00123', '00123'],
    ['""zzyzx""', '""zzyzx""'],
    ['"a b"', '"a b"'],
    ['\n "zzyzx"\n ', '"zzyzx"'],
    ['', ''],
  ])('is verbatim: %s', (text, etag) => {
    expect(found(`<D:getetag>${text}</D:getetag>`)).toMatchObject({
      properties: {getetag: etag},
      missing: [],
    })
  })
})

describe('displayname', () => {
  it.each(['00123', '  a  b\n', '\n\t', ' ', ''])(
    'is as written, white space too: "%s"',
    (text) => {
      expect(found(`<D:displayname>${text}</D:displayname>`)).toMatchObject({
        properties: {displayname: text},
        missing: [],
      })
    },
  )
})

// Values of header fields, which have no white space around them.
describe.each(['getcontenttype', 'getcontentlanguage', 'sync-token'])('%s', (name) => {
  it.each([
    ['00123', '00123'],
    ['  a  b\n', 'a  b'],
    ['', ''],
  ])('is a string, trimmed: "%s"', (text, value) => {
    expect(found(`<D:${name}>${text}</D:${name}>`)).toMatchObject({
      properties: {[name]: value},
      missing: [],
    })
  })
})

describe('resourcetype', () => {
  it.each([
    ['a collection', '<D:collection/>', ['collection']],
    ['nothing', '', []],
    ['white space', '\n  ', []],
    ['pretty printing', '\n  <D:collection/>\n', ['collection']],
    ['an end tag of its own', '<D:collection></D:collection>', ['collection']],
    ['attributes', '<D:collection xml:lang="en"/>', ['collection']],
    ['another prefix', '<c:collection xmlns:c="DAV:"/>', ['collection']],
    [
      'several types',
      '<D:collection/><C:calendar xmlns:C="urn:ietf:params:xml:ns:caldav"/><D:principal/>',
      ['collection', '{urn:ietf:params:xml:ns:caldav}calendar', 'principal'],
    ],
    ['a type of no namespace', '<collection/>', ['{}collection']],
  ])('lists its types with %s', (_, markup, types) => {
    expect(found(`<D:resourcetype>${markup}</D:resourcetype>`).properties).toEqual({
      resourcetype: types,
    })
  })

  it('is not the same missing as empty', () => {
    expect(Object.hasOwn(found('<D:getetag/>').properties, 'resourcetype')).toBe(false)
    expect(found('<D:resourcetype/>').properties).toEqual({resourcetype: []})
  })
})
