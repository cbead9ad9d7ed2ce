// States the form of a PROPFIND on the wire: its Depth, its body, its headers; and the options that are refused before.
// RFC 4918, sections 9.1, 10.2 and 14.20.

import {DavClient, DEFAULT_PROPERTIES, type PropfindOptions} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'

import {answer207, type FaultServer, startFaultServer, verdicts} from '../support/fault-server.ts'

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers(answer207(verdicts({'/docs/': '200 OK'})))
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Returns the only request of a PROPFIND. After Depth infinity, further requests list collections without members. */
async function sent(options?: PropfindOptions): Promise<FaultServer['requests'][number]> {
  await dav.propfind('docs/', options ?? {}).collect()
  const [request, ...others] = server.requests
  const most = options?.depth === 'infinity' ? 1 : 0
  if (request === undefined || others.length > most)
    throw new Error(`${others.length + 1} requests`)
  return request
}

describe('the Depth of a PROPFIND', () => {
  it.each([
    [0, '0'],
    [1, '1'],
    ['infinity', 'infinity'],
  ] as const)('%s is always sent as a header', async (depth, header) => {
    expect((await sent({depth})).headers['depth']).toBe(header)
  })

  it('is 1 by default', async () => {
    expect((await sent()).headers['depth']).toBe('1')
  })

  it('is 0 for stat', async () => {
    await dav.stat('docs/')
    expect(server.requests.map(({headers}) => headers['depth'])).toEqual(['0'])
  })

  it.each([2, -1, Number.NaN, Number.POSITIVE_INFINITY, '1', 'Infinity', true, null])(
    '%s is a RangeError before anything is sent',
    (depth) => {
      // @ts-expect-error -- a caller without types may write it
      expect(() => dav.propfind('docs/', {depth})).toThrow(RangeError)
      expect(server.requests).toEqual([])
    },
  )
})

describe('the body of a PROPFIND', () => {
  const xml = (prop: string, more = ''): RegExp =>
    new RegExp(
      `^<\\?xml version="1.0" encoding="utf-8"\\?>\\s*<D:propfind xmlns:D="DAV:"${more}>${prop}</D:propfind>\\s*$`,
      'i',
    )

  it('names the properties that are asked for', async () => {
    const {body} = await sent({properties: ['getetag', 'getcontentlength']})
    expect(body).toMatch(xml('<D:prop><D:getetag/><D:getcontentlength/></D:prop>'))
  })

  it('names a small set by default, never nothing: an empty body means all', async () => {
    const names = DEFAULT_PROPERTIES.map((name) => `<D:${name}/>`).join('')
    expect((await sent()).body).toMatch(xml(`<D:prop>${names}</D:prop>`))
  })

  it('declares the namespace of a foreign property', async () => {
    const {body} = await sent({
      properties: ['getetag', '{http://owncloud.org/ns}fileid', '{urn:x}a', '{urn:x}b'],
    })
    expect(body).toMatch(
      xml(
        '<D:prop><D:getetag/><n1:fileid/><n2:a/><n2:b/></D:prop>',
        ' xmlns:n1="http://owncloud.org/ns" xmlns:n2="urn:x"',
      ),
    )
  })

  it('escapes a namespace', async () => {
    const {body} = await sent({properties: ['{urn:a?b=1&c="<d>}p']})
    expect(body).toContain('="urn:a?b=1&amp;c=&quot;&lt;d')
  })

  it('writes a property of no namespace without a prefix', async () => {
    expect((await sent({properties: ['{}x']})).body).toMatch(xml('<D:prop><x/></D:prop>'))
  })

  it('names a property once', async () => {
    const {body} = await sent({properties: ['getetag', '{urn:x}p', 'getetag', '{urn:x}p']})
    expect(body).toMatch(xml('<D:prop><D:getetag/><n1:p/></D:prop>', ' xmlns:n1="urn:x"'))
  })

  it('names a property once, in either notation', async () => {
    const properties = ['{DAV:}getetag', 'getetag', 'toString', '{DAV:}toString', '{urn:x}p']
    const {body} = await sent({properties})
    expect(body).toMatch(
      xml('<D:prop><D:getetag/><D:toString/><n1:p/></D:prop>', ' xmlns:n1="urn:x"'),
    )
  })

  it.each(['constructor', '{DAV:}constructor'])('asks for DAV:constructor as %s', async (name) => {
    expect((await sent({properties: [name]})).body).toMatch(
      xml('<D:prop><D:constructor/></D:prop>'),
    )
  })

  it('asks for allprop', async () => {
    expect((await sent({allprop: true})).body).toMatch(xml('<D:allprop/>'))
  })

  it('asks for allprop and includes properties that it leaves out', async () => {
    const {body} = await sent({allprop: true, include: ['quota-used-bytes', '{urn:x}p']})
    expect(body).toMatch(
      xml('<D:allprop/><D:include><D:quota-used-bytes/><n1:p/></D:include>', ' xmlns:n1="urn:x"'),
    )
  })

  it('asks for propname', async () => {
    expect((await sent({propname: true})).body).toMatch(xml('<D:propname/>'))
  })

  it('includes resourcetype at Depth infinity, to recognize collections', async () => {
    const {body} = await sent({depth: 'infinity', properties: ['getetag']})
    expect(body).toMatch(xml('<D:prop><D:getetag/><D:resourcetype/></D:prop>'))
  })

  it('is XML by its Content-Type', async () => {
    const {headers, body} = await sent()
    expect(headers['content-type']).toMatch(/^(?:application|text)\/xml; charset="?utf-8"?$/i)
    expect(headers['content-length']).toBe(`${Buffer.byteLength(body)}`)
  })
})

describe('a selection that contradicts itself', () => {
  it.each<[string, PropfindOptions]>([
    ['properties and allprop', {properties: ['getetag'], allprop: true}],
    ['properties and propname', {properties: ['getetag'], propname: true}],
    ['allprop and propname', {allprop: true, propname: true}],
    ['include without allprop', {include: ['getetag']}],
    ['include and properties', {include: ['getetag'], properties: ['getetag']}],
    ['no property', {properties: []}],
    ['nothing to include', {allprop: true, include: []}],
    ['an empty name', {properties: ['']}],
    ['a name with a prefix', {properties: ['D:getetag']}],
    ['a name with markup', {properties: ['getetag/><D:evil']}],
    ['a name with a space', {properties: ['get etag']}],
    ['a namespace that is not closed', {properties: ['{urn:x']}],
    ['a namespace without a name', {properties: ['{urn:x}']}],
  ])('is a TypeError before anything is sent: %s', (_, options) => {
    expect(() => dav.propfind('docs/', options)).toThrow(TypeError)
    expect(server.requests).toEqual([])
  })
})

describe('the headers of the client', () => {
  it('go with every request', async () => {
    dav = new DavClient({url: server.url, transport, headers: {'X-Trace': 'abc'}})
    expect((await sent()).headers['x-trace']).toBe('abc')
  })

  it('do not replace those that the verb sets', async () => {
    dav = new DavClient({
      url: server.url,
      transport,
      headers: {Depth: 'infinity', 'Content-Type': 'text/plain'},
    })
    const {headers} = await sent({depth: 0})
    expect(headers['depth']).toBe('0')
    expect(headers['content-type']).toMatch(/xml/)
  })
})
