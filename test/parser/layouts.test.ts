// States that a remembered layout changes nothing but the time. Each body is read as a whole, where layouts are taken, and byte by
// byte, where none can be: both readings are equal, with their errors and offsets. The first responses of a body teach a layout, and
// the last ones tempt it.

import {MultiStatusError, MultiStatusParser} from 'multistatus/parser'
import type {DavResult, ParserOptions} from 'multistatus/parser'
import {describe, expect, it, vi} from 'vitest'

import type {Reading} from '../fuzz/reading.ts'
import {read} from '../fuzz/reading.ts'
import {bytes} from '../support/fixtures.ts'

const classes = {MultiStatusParser, MultiStatusError}
const HEAD = '<D:multistatus xmlns:D="DAV:" xmlns:x="urn:x">'

/** A response like those that taught the layout. */
function plain(name: string | number, etag = `"${name}"`): string {
  return `<D:response><D:href>/docs/${name}</D:href><D:propstat><D:prop><D:getetag>${etag}</D:getetag><D:resourcetype/><x:p>v${name}</x:p></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat><D:propstat><D:prop><D:displayname/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response>`
}

function listing(...last: readonly string[]): string {
  return `${HEAD}${Array.from({length: 8}, (_, index) => plain(index)).join('\n')}${last.join('')}</D:multistatus>`
}

/** Reads a body as a whole and byte by byte. */
function readBoth(body: string, options: ParserOptions = {}): {whole: Reading; bytewise: Reading} {
  const all = bytes(body)
  const given: ParserOptions = {url: 'http://localhost/docs/', ...options}
  const whole = read(classes, [all], given)
  const bytewise = read(
    classes,
    Array.from(all, (byte) => Uint8Array.of(byte)),
    given,
  )
  return {whole, bytewise}
}

function outcomeOf({lines, error, summary}: Reading): unknown {
  return {lines, summary, error: error && {...error, message: error.message}}
}

/** Reads a body both ways, expects equal outcomes, and returns one. */
function readAlike(body: string, options: ParserOptions = {}): Reading {
  const {whole, bytewise} = readBoth(body, options)
  expect(outcomeOf(whole)).toEqual(outcomeOf(bytewise))
  return whole
}

/** The properties of the last result of a listing that ends with this response. */
function lastOf(...last: readonly string[]): DavResult | undefined {
  return readAlike(listing(...last, plain('end'))).results.at(-2)
}

const base = plain('a')
const property = '<D:getetag>"a"</D:getetag>'
const odd: readonly (readonly [string, string])[] = [
  ['one byte of a start tag differs', base.replace('<x:p>', '<x:q>').replace('</x:p>', '</x:q>')],
  ['one byte of an end tag differs', base.replace('</x:p>', '</x:q>')],
  ['another prefix, not declared', base.replaceAll('x:p>', 'y:p>')],
  ['an attribute in other quotes', base.replace('<D:response>', `<D:response a='"'>`)],
  ['a tag with white space', base.replace('<D:getetag>', '<D:getetag >')],
  ['another binding of a prefix', base.replace('<D:response>', '<D:response xmlns:x="urn:y">')],
  ['another binding inside', base.replace('<D:prop>', '<D:prop xmlns:D="urn:y">')],
  ['a value that is markup as text', base.replace('va', '&lt;/x:p&gt;&lt;x:p&gt;')],
  ['a value that is markup in CDATA', base.replace('va', '<![CDATA[</x:p><x:p>]]>')],
  ['a comment in a value', base.replace('va', 'v<!-- </x:p> -->a')],
  ['an element in a value', base.replace('va', '<x:e>v</x:e>')],
  ['an empty value', base.replace('va', '')],
  ['references in a value', base.replace('"a"', '&quot;a&quot;&#x41;&amp;')],
  ['two references for one character', base.replace('va', '&#xD83D;&#xDE00;')],
  ['line ends in a value', base.replace('va', 'a\r\nb\rc')],
  ['characters beyond ASCII', base.replace('va', 'é€😀\u{FF08}')],
  ['brackets in a value', base.replace('va', 'a]]b]')],
  ['a href with white space', base.replace('/docs/a<', ' \n/docs/a <')],
  ['an empty href', base.replace('/docs/a<', '<')],
  ['a href of white space', base.replace('/docs/a<', ' <')],
  ['a href to unescape', base.replace('/docs/a<', '/docs/../é &amp;<')],
  ['two hrefs', base.replace('<D:propstat>', '<D:href>/docs/b</D:href><D:propstat>')],
  ['a property twice', base.replace(property, property + property)],
  ['a property twice, one empty', base.replace(property, `${property}<D:getetag></D:getetag>`)],
  ['a property in two propstats', base.replace('<D:displayname/>', '<D:getetag/>')],
  ['another status', base.replace('200 OK', '507 Full')],
  [
    'a status of the response',
    base.replace('<D:propstat>', '<D:status>HTTP/1.1 423</D:status><D:propstat>'),
  ],
  ['an undecodable value', base.replace(property, '<D:getcontentlength>x</D:getcontentlength>')],
  ['an error', base.replace('</D:response>', '<D:error><D:no-lock/></D:error></D:response>')],
  [
    'a description',
    base.replace('</D:response>', '<D:responsedescription>a</D:responsedescription></D:response>'),
  ],
  [
    'a location',
    base.replace('</D:response>', '<D:location><D:href>/b</D:href></D:location></D:response>'),
  ],
  ['no propstat', '<D:response><D:href>/docs/a</D:href></D:response>'],
  ['a response in no namespace', '<response xmlns=""><href>/docs/a</href></response>'],
  ['an empty response', '<D:response/>'],
]
const broken: readonly (readonly [string, string])[] = [
  ['a value with a forbidden reference', base.replace('va', '&nbsp;')],
  ['a value with the end of a section', base.replace('va', 'a]]>b')],
  ['a value with a forbidden character', base.replace('va', 'a\u0001')],
  ['a value with U+FFFF', base.replace('va', 'a\uFFFF')],
  ['a href with a fault', base.replace('/docs/a<', '/docs/&a<')],
  [
    'a fault in a value that nobody reads',
    base.replaceAll('200 OK', '403 No').replace('va', '&no;'),
  ],
  ['a lost end tag', base.replace('</x:p>', '')],
  ['a DOCTYPE', `<!DOCTYPE x>${base}`],
]

describe('a layout is not taken for', () => {
  it.each(odd)('%s', (_, response) => {
    expect(readAlike(listing(response)).results.length).toBeGreaterThanOrEqual(8)
    readAlike(listing(response, response, response, plain('end'), response))
    readAlike(listing(response, plain('end'), response), {malformed: 'skip'})
  })

  it.each(broken)('%s: the same error at the same byte', (_, response) => {
    expect(readAlike(listing(response)).error).toBeInstanceOf(MultiStatusError)
    readAlike(listing(response, response, plain('end')), {malformed: 'skip'})
  })

  it('the end of the input, wherever it is', () => {
    const body = listing(plain('end'))
    const begin = body.lastIndexOf('<D:response>')
    for (let length = begin; length < body.length; length += 3) {
      const {whole, bytewise} = readBoth(body.slice(0, length))
      expect(outcomeOf(whole)).toEqual(outcomeOf(bytewise))
      expect(whole.error).toMatchObject({reason: 'truncated'})
    }
  })
})

describe('a listing has the same results', () => {
  it('with two layouts that take turns', () => {
    const other = base.replace(
      '<D:resourcetype/>',
      '<D:resourcetype><D:collection/></D:resourcetype>',
    )
    const pairs = Array.from({length: 40}, (_, index) => plain(index) + other)
    expect(readAlike(listing(...pairs)).results).toHaveLength(88)
  })

  it('with a thousand layouts', () => {
    const all = Array.from({length: 1000}, (_, index) =>
      base.replace('<x:p>', `<x:p${index}>1</x:p${index}><x:p>`),
    )
    const {results} = readAlike(listing(...all, plain('end')))
    expect(results).toHaveLength(1009)
  })

  it('with failures of one layout', () => {
    const locked = (name: number): string =>
      `<D:response><D:href>/docs/${name}</D:href><D:status>HTTP/1.1 423 Locked</D:status><D:error><D:lock-token-submitted/></D:error></D:response>`
    const body = `${HEAD}${Array.from({length: 9}, (_, index) => locked(index)).join('')}</D:multistatus>`
    const {results, summary} = readAlike(body, {method: 'DELETE'})
    expect(summary).toMatchObject({failures: 9})
    expect(results.at(-1)).toEqual({
      ok: false,
      href: '/docs/8',
      url: 'http://localhost/docs/8',
      relation: 'member',
      status: 423,
      reason: 'status',
      conditions: ['lock-token-submitted'],
      missing: [],
    })
  })

  it('with an undecodable value among good ones', () => {
    const sized = (size: string): string =>
      base.replace(property, `<D:getcontentlength>${size}</D:getcontentlength>`)
    const sizes = ['1', '2', '3', 'x', '4'].map(sized)
    const {results} = readAlike(listing(...sizes))
    expect(results.at(-2)).toMatchObject({
      properties: {'{urn:x}p': 'va', resourcetype: []},
      missing: [
        {name: 'displayname', status: 404},
        {name: 'getcontentlength', status: 0},
      ],
    })
    expect(Object.keys(Reflect.get(results.at(-2) ?? {}, 'properties') ?? {})).not.toContain(
      'getcontentlength',
    )
    expect(results.at(-1)).toMatchObject({properties: {getcontentlength: 4}})
  })

  it('with the values of a prefix that means something else', () => {
    expect(lastOf(base.replace('<D:response>', '<D:response xmlns:x="urn:y">'))).toMatchObject({
      properties: {'{urn:y}p': 'va'},
    })
  })

  it.each([
    ['responses', {responses: 9}],
    ['response', {response: 360}],
    ['value', {value: 40}],
    ['properties', {properties: 3}],
  ] as const)('up to the limit of %s', (limit, limits) => {
    const long = plain(`a${'x'.repeat(60)}`)
    const {whole, bytewise} = readBoth(listing(plain('b'), long), {limits})
    expect(whole.error?.limit).toBe(bytewise.error?.limit)
    expect(whole.lines).toEqual(bytewise.lines)
    expect(whole.error?.limit ?? limit).toBe(limit)
  })

  it.each(['&bad;', ']]>'])('with a fault in a value of another status: %s', (value) => {
    const refused = (text: string): string =>
      base.replace('200 OK', '403 Forbidden').replace('va', text)
    const {results, error} = readAlike(
      listing(refused('a'), refused('b'), refused('c'), refused(value)),
    )
    expect(results).toHaveLength(11)
    expect(error).toMatchObject({reason: 'not-well-formed'})
  })

  it('behind one that was no example: the first of a document, or one with very many properties', () => {
    const many = (value: string): string =>
      base.replace(
        '<x:p>va</x:p>',
        Array.from({length: 257}, (_, index) => `<x:q${index}>${value}</x:q${index}>`).join(''),
      )
    const body = `${HEAD}${base}${many('1')}${many('2')}${many('3')}</D:multistatus>`
    const {results} = readAlike(body)
    expect(results.at(-1)).toMatchObject({properties: {'{urn:x}q0': '3', '{urn:x}q256': '3'}})
  })

  it('with two spellings of one property, past the room for names', () => {
    const long = Array.from({length: 1000}, (_, index) => `<x:${'p'.repeat(990)}${index}/>`).join(
      '',
    )
    const twice = (one: string, other: string): string =>
      base.replace(
        '<x:p>va</x:p>',
        `<y:z xmlns:y="urn:y">${one}</y:z><z:z xmlns:z="urn:y">${other}</z:z>`,
      )
    const body = `${HEAD}${base.replace('<x:p>va</x:p>', long)}${twice('1', '2')}${twice('3', '4')}${twice('5', '')}</D:multistatus>`
    const results = new MultiStatusParser().write(body)
    expect(results.slice(1).map((result) => result.ok && result.properties['{urn:y}z'])).toEqual([
      '1',
      '3',
      '5',
    ])
  })

  it('whatever a caller does to the results', () => {
    const changing = (text: string): DavResult[] => {
      const parser = new MultiStatusParser({url: 'http://localhost/docs/'})
      const all: DavResult[] = []
      for (const piece of [HEAD, ...Array.from({length: 6}, () => text)])
        for (const result of parser.write(piece)) {
          all.push(structuredClone(result))
          Object.assign(result, {status: 999, more: 1})
          for (const missing of result.missing) Object.assign(missing, {status: 7})
          if (result.missing.length > 0) Array.prototype.push.call(result.missing, 'x')
          if (!result.ok && result.conditions.length > 0)
            Array.prototype.push.call(result.conditions, 'x')
          if (result.ok && result.properties.getlastmodified instanceof Date)
            result.properties.getlastmodified.setTime(0)
        }
      return all
    }
    const date = '<D:getlastmodified><![CDATA[Sun, 06 Nov 1994 08:49:37 GMT]]></D:getlastmodified>'
    const words = '<D:responsedescription>words</D:responsedescription></D:response>'
    const failure = base
      .replace(
        /<D:propstat>.*<\/D:propstat>/,
        '<D:status>HTTP/1.1 423 Locked</D:status><D:error><D:lock/></D:error>',
      )
      .replace('</D:response>', words)
    for (const text of [base.replace(property, date), failure]) {
      const [first, ...others] = changing(text)
      expect(others).toHaveLength(5)
      for (const other of others) expect(other).toEqual(first)
    }
  })

  it('and no decoder is called for a response that has a fault', () => {
    const decoder = vi.fn<(raw: unknown) => unknown>((raw) => raw)
    const parser = new MultiStatusParser({decoders: {'{urn:x}p': decoder}})
    parser.write(`${HEAD}${plain(0)}${plain(1)}${plain(2)}${base.replace('/docs/a', '/docs/&a')}`)
    expect(parser.error).toBeInstanceOf(MultiStatusError)
    expect(decoder.mock.calls).toEqual([['v0'], ['v1'], ['v2']])
  })

  it.each([
    [
      'lengths',
      'getcontentlength',
      [
        '1',
        '0',
        '007',
        '-1',
        '+1',
        '1e3',
        ' 12 ',
        '123456789012345',
        '9007199254740992',
        '',
        '&#49;',
      ],
    ],
    [
      'dates',
      'getlastmodified',
      [
        'Sun, 06 Nov 1994 08:49:37 GMT',
        '1994-11-06T08:49:37Z',
        ' 1994-11-06T08:49:37Z',
        'sun, 06 nov 1994 08:49:37 gmt',
        'S1n, 06 Nov 1994 08:49:37 GMT',
        '1994-02-30T08:49:37Z',
        '&#49;994-11-06T08:49:37Z',
      ],
    ],
    [
      'texts with references',
      'getetag',
      [
        '&quot;a&quot;',
        '&lt;&gt;&apos;&amp;',
        'a&amp;',
        '&amp;&#x41;',
        '&amp;]',
        '&amp;\r',
        '&amp;amp;',
      ],
    ],
  ])('for %s of any form', (_, name, texts) => {
    const response = (text: string): string =>
      plain('a').replace('<D:getetag>"a"</D:getetag>', `<D:${name}>${text}</D:${name}>`)
    const [first = ''] = texts
    const all = response(first).repeat(4) + texts.map((text) => response(text)).join('')
    expect(readAlike(`${HEAD}${all}</D:multistatus>`).results).toHaveLength(texts.length + 4)
  })

  it('and a text in the markup is decoded for each response', () => {
    const decoder = vi.fn<(raw: unknown) => unknown>(() => ({}))
    const parser = new MultiStatusParser({decoders: {'{urn:x}p': decoder}})
    const text = base.replace('va', '<![CDATA[a]]>')
    const results = parser.write(HEAD + text.repeat(5))
    expect(decoder).toHaveBeenCalledTimes(5)
    expect(new Set(results.map((result) => result.ok && result.properties['{urn:x}p'])).size).toBe(
      5,
    )
  })

  it('whatever a caller does to the first ones', () => {
    const parser = new MultiStatusParser({url: 'http://localhost/docs/'})
    const [first] = parser.write(bytes(`${HEAD}${plain(0)}${plain(1)}${plain(2)}`)).slice(-1)
    if (first?.ok !== true) throw new TypeError('it is a success')
    Object.assign(first.properties, {getetag: 'changed', more: 1})
    const results = parser.write(bytes(`${plain(3)}${plain(4)}`))
    expect(results.map((result) => result.ok && result.properties)).toEqual([
      {getetag: '"3"', resourcetype: [], '{urn:x}p': 'v3'},
      {getetag: '"4"', resourcetype: [], '{urn:x}p': 'v4'},
    ])
  })

  it('and each value is decoded once', () => {
    const decoder = vi.fn<(raw: unknown) => unknown>((raw) => raw)
    const parser = new MultiStatusParser({decoders: {'{urn:x}p': decoder}})
    parser.write(bytes(listing()))
    expect(decoder.mock.calls).toEqual(Array.from({length: 8}, (_, index) => [`v${index}`]))
  })
})
