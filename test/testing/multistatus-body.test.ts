// States the bodies that `multistatusBody` builds, and that the parser reads each of them back as it was given.
// RFC 4918, sections 13 and 14.

import fc from 'fast-check'
import {type DavResult, MultiStatusParser, type Summary, type XmlElement} from 'multistatus/parser'
import {
  type ElementToWrite,
  multistatusBody,
  type MultiStatusBodyOptions,
  type MultiStatusResponse,
} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

const url = 'https://dav.example/files/'

function built(
  responses: readonly MultiStatusResponse[],
  options?: MultiStatusBodyOptions,
): string {
  const [declaration, ...lines] = multistatusBody(responses, options).split('\n')
  expect(declaration).toBe('<?xml version="1.0" encoding="utf-8"?>')
  return lines.join('\n')
}

function readBack(
  responses: readonly MultiStatusResponse[],
  options?: MultiStatusBodyOptions,
): {results: DavResult[]; summary: Summary} {
  const parser = new MultiStatusParser({url})
  const results = parser.write(new TextEncoder().encode(multistatusBody(responses, options)))
  return {results, summary: parser.end()}
}

describe('multistatusBody', () => {
  it('writes properties with status 200', () => {
    const properties = {getetag: '"1"', '{http://owncloud.org/ns}fileid': '7'}
    expect(built([{href: '/files/a.txt', properties}])).toBe(
      '<D:multistatus xmlns:D="DAV:" xmlns:n1="http://owncloud.org/ns"><D:response><D:href>/files/a.txt</D:href>' +
        '<D:propstat><D:prop><D:getetag>"1"</D:getetag><n1:fileid>7</n1:fileid></D:prop>' +
        '<D:status>HTTP/1.1 200 </D:status></D:propstat></D:response></D:multistatus>',
    )
  })

  it('writes the status, conditions, words and location of a response in the order of the RFC', () => {
    const response = {
      hrefs: ['/a', '/b'],
      status: 301,
      conditions: ['lock-token-submitted'],
      description: 'moved',
      location: '/c',
    }
    expect(built([response])).toBe(
      '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href><D:href>/b</D:href>' +
        '<D:status>HTTP/1.1 301 </D:status><D:error><D:lock-token-submitted/></D:error>' +
        '<D:responsedescription>moved</D:responsedescription><D:location><D:href>/c</D:href></D:location>' +
        '</D:response></D:multistatus>',
    )
  })

  it('writes propstats behind the properties, and names alone as empty properties', () => {
    const propstats = [{status: 404, properties: ['quota-used-bytes'], description: 'unknown'}]
    expect(built([{href: '/a', properties: {displayname: 'A'}, propstats}])).toBe(
      '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/a</D:href>' +
        '<D:propstat><D:prop><D:displayname>A</D:displayname></D:prop><D:status>HTTP/1.1 200 </D:status></D:propstat>' +
        '<D:propstat><D:prop><D:quota-used-bytes/></D:prop><D:status>HTTP/1.1 404 </D:status>' +
        '<D:responsedescription>unknown</D:responsedescription></D:propstat></D:response></D:multistatus>',
    )
  })

  it('writes a status line as it is given', () => {
    expect(built([{href: '/a', status: 'ABC OK'}])).toContain('<D:status>ABC OK</D:status>')
  })

  it('writes the description and the sync token of the whole answer', () => {
    const options = {description: 'two & more', syncToken: 'http://dav.example/sync/7'}
    expect(built([], options)).toBe(
      '<D:multistatus xmlns:D="DAV:"><D:responsedescription>two &amp; more</D:responsedescription>' +
        '<D:sync-token>http://dav.example/sync/7</D:sync-token></D:multistatus>',
    )
  })

  it('writes another prefix, or none', () => {
    const responses = [{href: '/a', status: 200}]
    expect(built(responses, {prefix: 'lp1'})).toContain('<lp1:multistatus xmlns:lp1="DAV:">')
    expect(built(responses, {prefix: ''})).toBe(
      '<multistatus xmlns="DAV:"><response><href>/a</href><status>HTTP/1.1 200 </status></response></multistatus>',
    )
  })

  it('is read back with decoded values', () => {
    const properties = {
      creationdate: new Date('2026-11-29T10:00:00.000Z'),
      getcontentlength: 7,
      getlastmodified: new Date('2026-11-29T12:00:00.000Z'),
      resourcetype: ['collection', '{urn:x}calendar'],
    }
    expect(readBack([{href: '/files/a/', properties}]).results).toMatchObject([
      {ok: true, status: 200, relation: 'member', properties},
    ])
  })

  it('writes creationdate in ISO 8601, and other dates in the format of HTTP', () => {
    const date = new Date('2026-11-29T12:00:00.000Z')
    const properties = {creationdate: date, getlastmodified: date, '{urn:x}seen': date}
    expect(built([{href: '/a', properties}])).toContain(
      '<D:creationdate>2026-11-29T12:00:00.000Z</D:creationdate>' +
        '<D:getlastmodified>Sun, 29 Nov 2026 12:00:00 GMT</D:getlastmodified>' +
        '<n1:seen>Sun, 29 Nov 2026 12:00:00 GMT</n1:seen>',
    )
  })

  it('writes a value of 200 levels', () => {
    let element: ElementToWrite = {name: '{}x'}
    for (let level = 1; level < 200; level++) element = {name: '{}x', children: [element]}
    const body = built([{href: '/a', properties: {owner: [element]}}])
    expect(body.match(/<x\/?>/g)).toHaveLength(200)
  })

  it('leaves out a property whose value is undefined', () => {
    expect(built([{href: '/a', properties: {getetag: undefined}}])).toContain('<D:prop/>')
  })

  it('is read back with the elements that a value or a condition has', () => {
    const href = {name: 'href', children: ['/files/locked']}
    const {results} = readBack([
      {
        href: '/files/a',
        propstats: [
          {properties: {owner: [href], '{urn:x}p': {name: '{urn:x}p', children: ['a', href]}}},
        ],
      },
      {
        href: '/files/b',
        status: 423,
        conditions: [{name: 'lock-token-submitted', children: [href]}],
      },
    ])
    const read = {...href, attributes: {}}
    expect(results).toMatchObject([
      {
        properties: {
          owner: {name: 'owner', attributes: {}, children: [read]},
          '{urn:x}p': {name: '{urn:x}p', attributes: {}, children: ['a', read]},
        },
      },
      {status: 423, conditions: ['lock-token-submitted']},
    ])
  })

  it('is read back as a malformed response without an href, or without a status and a property', () => {
    const responses = [{href: '/files/a'}, {status: 200}, {href: '/files/b', status: 204}]
    expect(readBack(responses).results).toMatchObject([
      {ok: false, reason: 'malformed', href: '/files/a'},
      {ok: false, reason: 'malformed', href: ''},
      {ok: true, status: 204, href: '/files/b'},
    ])
  })

  it.each<[string, () => string]>([
    // @ts-expect-error -- what a caller without types may write
    ['a misspelt member', () => multistatusBody([{href: '/a', statsu: 200}])],
    // @ts-expect-error -- what a caller without types may write
    ['a misspelt option', () => multistatusBody([], {synctoken: 'a'})],
    ['a name with a prefix', () => multistatusBody([{href: '/a', properties: ['oc:fileid']}])],
    ['U+0001 in an href', () => multistatusBody([{href: '/\u0001', status: 200}])],
    [
      'an invalid date',
      () => multistatusBody([{properties: {getlastmodified: new Date(Number.NaN)}}]),
    ],
    [
      'a number that is none',
      () => multistatusBody([{properties: {getcontentlength: Number.NaN}}]),
    ],
    // @ts-expect-error -- what a caller without types may write
    ['a text in the place of responses', () => multistatusBody('abc')],
    ['a prefix that XML reserves', () => multistatusBody([], {prefix: 'xml'})],
    ['a prefix that begins with a digit', () => multistatusBody([], {prefix: '1'})],
    ['a prefix with markup', () => multistatusBody([], {prefix: 'D="">'})],
  ])('refuses %s by a TypeError', (_, build) => {
    expect(build).toThrow(TypeError)
  })
})

// Any text that XML can hold, with those characters often that need escaping.
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('&', '<', '>', '"', "'", '\r', '\n', '\t', ' ', ']]>', '&amp;', 'é', '😀'),
    fc
      .string({unit: 'binary', minLength: 1, maxLength: 1})
      .filter((character) => !/[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/.test(character)),
  ),
})
const trimmed = text
  .map((value) => value.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''))
  .filter((value) => value !== '')
const local = fc.stringMatching(/^[a-zA-Z_é][a-zA-Z0-9._é-]{0,8}$/)
const namespace = text.filter((value) => value !== 'DAV:' && value.length > 0)
const foreignName = fc.tuple(namespace, local).map(([ns, name]) => `{${ns}}${name}`)
const name = fc.oneof(
  foreignName,
  local.map((value) => `{}${value}`),
  local,
)
const attributes = fc.dictionary(fc.oneof(local, foreignName), text, {
  maxKeys: 3,
  noNullPrototype: true,
})
const {element} = fc.letrec<{element: XmlElement; children: (XmlElement | string)[]}>((tie) => ({
  element: fc.record({name, attributes, children: tie('children')}),
  children: fc.oneof(
    {maxDepth: 3, depthSize: 'small'},
    text.map((value) => (value === '' ? [] : [value])),
    fc.array(tie('element'), {maxLength: 3}),
    fc
      .tuple(trimmed, tie('element'), trimmed)
      .map(([before, child, after]) => [before, child, after]),
  ),
}))
// A value without a child element is text, so the element of a property has one.
const structured = fc.tuple(attributes, element, text).map(([own, child, after]) => ({
  attributes: own,
  children: after === '' ? [child] : [child, after],
}))
const properties = fc.dictionary(foreignName, fc.oneof(text, structured), {
  maxKeys: 4,
  noNullPrototype: true,
})
const status = fc.integer({min: 200, max: 599})

interface Given {
  readonly path: string
  readonly status: number
  readonly values: Readonly<Record<string, string | Omit<XmlElement, 'name'>>>
  readonly refused: readonly string[]
  readonly condition: string
  readonly description: string
}

const given: fc.Arbitrary<Given> = fc.record({
  path: trimmed,
  status,
  values: properties,
  refused: fc.uniqueArray(foreignName, {maxLength: 2}),
  condition: fc.oneof(local, foreignName),
  description: trimmed,
})

describe('what multistatusBody builds', () => {
  it('is read back as responses with the same status, condition, words and location', () => {
    fc.assert(
      fc.property(
        fc.array(given),
        fc.constantFrom('D', '', 'n1'),
        trimmed,
        (all, prefix, words) => {
          const responses = all.map(({path, status: code, condition, description}) => ({
            href: path,
            status: code,
            conditions: [condition],
            description,
            location: path,
          }))
          const {results, summary} = readBack(responses, {prefix, description: words})
          expect(summary.description).toBe(words)
          expect(results).toHaveLength(all.length)
          for (const [index, {path, status: code, condition, description}] of all.entries()) {
            const facts = {href: path, ok: code < 300, status: code, description}
            expect(results[index]).toMatchObject(
              code < 300 ? facts : {...facts, conditions: [condition], location: path},
            )
          }
        },
      ),
    )
  })

  it('is read back as properties with the same names and values', () => {
    fc.assert(
      fc.property(fc.array(given), fc.constantFrom('D', '', 'n1'), (all, prefix) => {
        const responses = all.map(({path, values, refused}) => ({
          href: path,
          properties: Object.fromEntries(
            Object.entries(values).map(([key, value]) => [
              key,
              typeof value === 'string' ? value : {...value, name: key},
            ]),
          ),
          propstats: [{status: 403, properties: refused}],
        }))
        const {results} = readBack(responses, {prefix})
        expect(results).toHaveLength(all.length)
        for (const [index, {path, values, refused}] of all.entries()) {
          const result = results[index]
          expect(result).toMatchObject({ok: true, href: path, status: 200})
          expect(Object.keys(result?.ok === true ? result.properties : {})).toEqual(
            Object.keys(values),
          )
          for (const [key, value] of Object.entries(values)) {
            const read = result?.ok === true ? result.properties[key] : undefined
            expect(read).toEqual(typeof value === 'string' ? value : {...value, name: key})
          }
          expect(result?.missing.map((missing) => [missing.name, missing.status])).toEqual(
            refused.map((missing) => [missing, 403]),
          )
        }
      }),
    )
  })
})
