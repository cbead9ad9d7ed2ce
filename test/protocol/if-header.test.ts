// States the grammar of the If header: every example of the RFC, formatted and parsed, and texts that are no If header. RFC 4918,
// sections 7.5, 9.9.6, 9.10.8 and 10.4.

import {formatIf, type IfList, parseIf} from 'multistatus'
import {describe, expect, it} from 'vitest'

const token = 'urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2'

const examples: readonly [string, string, readonly IfList[]][] = [
  [
    '7.5.1',
    '<http://www.example.com/users/f/fielding/index.html> (<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>)',
    [
      {
        resource: 'http://www.example.com/users/f/fielding/index.html',
        conditions: [{token: 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'}],
      },
    ],
  ],
  [
    '7.5.2, the request for the collection',
    '(<urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf>)',
    [{conditions: [{token: 'urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf'}]}],
  ],
  [
    '7.5.2, the collection',
    '<http://example.com/locked/> (<urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf>)',
    [
      {
        resource: 'http://example.com/locked/',
        conditions: [{token: 'urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf'}],
      },
    ],
  ],
  [
    '7.5.2, the member',
    '<http://example.com/locked/member> (<urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf>)',
    [
      {
        resource: 'http://example.com/locked/member',
        conditions: [{token: 'urn:uuid:150852e2-3847-42d5-8cbe-0f4f296f26cf'}],
      },
    ],
  ],
  [
    '9.9.6',
    '(<urn:uuid:fe184f2e-6eec-41d0-c765-01adc56e6bb4>) (<urn:uuid:e454f3f3-acdc-452a-56c7-00a5c91e4b77>)',
    [
      {conditions: [{token: 'urn:uuid:fe184f2e-6eec-41d0-c765-01adc56e6bb4'}]},
      {conditions: [{token: 'urn:uuid:e454f3f3-acdc-452a-56c7-00a5c91e4b77'}]},
    ],
  ],
  [
    '9.10.8',
    '(<urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4>)',
    [{conditions: [{token: 'urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4'}]}],
  ],
  [
    '10.4.6',
    `(<${token}> ["I am an ETag"]) (["I am another ETag"])`,
    [
      {conditions: [{token}, {etag: '"I am an ETag"'}]},
      {conditions: [{etag: '"I am another ETag"'}]},
    ],
  ],
  [
    '10.4.7',
    `(Not <${token}> <urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092>)`,
    [
      {
        conditions: [{not: true, token}, {token: 'urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092'}],
      },
    ],
  ],
  [
    '10.4.8, with the case of DAV:no-lock',
    `(<${token}>) (Not <DAV:no-lock>)`,
    [{conditions: [{token}]}, {conditions: [{not: true, token: 'DAV:no-lock'}]}],
  ],
  [
    '10.4.9, two lists for one resource, and a weak ETag',
    `</resource1> (<${token}> [W/"A weak ETag"]) (["strong ETag"])`,
    [
      {resource: '/resource1', conditions: [{token}, {etag: 'W/"A weak ETag"'}]},
      {resource: '/resource1', conditions: [{etag: '"strong ETag"'}]},
    ],
  ],
  [
    '10.4.10',
    `<http://www.example.com/specs/> (<${token}>)`,
    [{resource: 'http://www.example.com/specs/', conditions: [{token}]}],
  ],
  [
    '10.4.11, true for a missing resource',
    '</specs/rfc2518.doc> (Not ["4217"])',
    [{resource: '/specs/rfc2518.doc', conditions: [{not: true, etag: '"4217"'}]}],
  ],
  [
    '10.4.11, false for a missing resource',
    '</specs/rfc2518.doc> (["4217"])',
    [{resource: '/specs/rfc2518.doc', conditions: [{etag: '"4217"'}]}],
  ],
  [
    '10.4.2, two resources',
    '</a> (<urn:a>) </b> (<urn:b>)',
    [
      {resource: '/a', conditions: [{token: 'urn:a'}]},
      {resource: '/b', conditions: [{token: 'urn:b'}]},
    ],
  ],
]

describe('the If header of section', () => {
  it.each(examples)('%s is formatted', (_, text, lists) => {
    expect(formatIf(lists)).toBe(text)
  })

  it.each(examples)('%s is parsed', (_, text, lists) => {
    expect(parseIf(text)).toEqual(lists)
  })

  it.each(examples)('%s is parsed with other white space, and with none', (_, text, lists) => {
    const folded = text.replaceAll('> (', '>\r\n\t(').replaceAll(') (', ')(').replaceAll('(', '( ')
    expect(parseIf(` ${folded} `)).toEqual(lists)
  })
})

it('the tag of another resource ends the lists of the first', () => {
  expect(
    formatIf([
      {resource: '/a', conditions: [{token: 'urn:a'}]},
      {resource: '/b', conditions: [{token: 'urn:b'}]},
      {resource: '/a', conditions: [{token: 'urn:c'}]},
    ]),
  ).toBe('</a> (<urn:a>) </b> (<urn:b>) </a> (<urn:c>)')
})

it('Not is a word in any case', () => {
  expect(parseIf('(not<urn:a>NOT ["b"])')).toEqual([
    {
      conditions: [
        {not: true, token: 'urn:a'},
        {not: true, etag: '"b"'},
      ],
    },
  ])
})

describe('no If header', () => {
  it.each([
    '',
    ' ',
    'foobar',
    '()',
    '(a) (b c) () (d)',
    '<foo>',
    '<foo> <bar> (a)',
    '<foo> (a) (b) <bar>',
    '(a) (b) <foo> (c)',
    '(a',
    '([b',
    '(Not a',
    '(Not Not a)',
    // The same faults around valid conditions.
    '(<a>) (<b> <c>) () (<d>)',
    '<foo> <bar> (<a>)',
    '<foo> (<a>) (<b>) <bar>',
    '(<a>) (<b>) <foo> (<c>)',
    '(<a>',
    '(["b"',
    '(Not <a>',
    '(Not Not <a>)',
    '(Not)',
    '(["b]) (<a>)',
    '([b])',
    '([w/"b"])',
    '(<>)',
    '(<a b>)',
    '(<a>) foobar',
  ])('is parsed from %j', (text) => {
    expect(() => parseIf(text)).toThrow(SyntaxError)
  })

  it.each<[string, readonly IfList[]]>([
    ['no list', []],
    ['an empty list', [{conditions: []}]],
    [
      'lists with and without a resource',
      [{resource: '/a', conditions: [{token: 'urn:a'}]}, {conditions: [{token: 'urn:b'}]}],
    ],
    [
      'lists without and with a resource',
      [{conditions: [{token: 'urn:b'}]}, {resource: '/a', conditions: [{token: 'urn:a'}]}],
    ],
    ['a token that ends the brackets', [{conditions: [{token: 'urn:a>)'}]}]],
    ['a token with a line break', [{conditions: [{token: 'urn:a\r\nx: y'}]}]],
    ['an empty token', [{conditions: [{token: ''}]}]],
    ['a resource beyond ASCII', [{resource: '/ä', conditions: [{token: 'urn:a'}]}]],
    ['an ETag without quotes', [{conditions: [{etag: 'a'}]}]],
    ['an ETag that ends its quotes', [{conditions: [{etag: '"a"] <b> ["c"'}]}]],
  ])('is formatted from %s', (_, lists) => {
    expect(() => formatIf(lists)).toThrow(TypeError)
  })
})
