// States the whole results of the RFC's own examples.
// RFC 4918, sections 4.3.1, 9.1.3 to 9.1.6, 9.2.2, 9.6.2, 9.10.9, 13 and 15.8.1.
import {describe, expect, it} from 'vitest'
import type {XmlElement} from 'multistatus/parser'
import {readFixture} from '../support/fixtures.ts'

const element = (name: string, ...children: XmlElement['children']): XmlElement => ({
  name,
  attributes: {},
  children,
})
const box = (name: string): string => `{http://ns.example.com/boxschema/}${name}`

function isElement(value: unknown): value is XmlElement {
  return typeof value === 'object' && value !== null && 'children' in value
}

/** A copy without the white space that stands alone, as pretty printing leaves it. */
function compact(node: unknown): XmlElement {
  if (!isElement(node)) throw new TypeError(`no XmlElement: ${JSON.stringify(node)}`)
  const children = node.children.filter((child) => typeof child !== 'string' || child.trim() !== '')
  return {
    ...node,
    children: children.map((child) => (typeof child === 'string' ? child : compact(child))),
  }
}

const complete = {complete: true, incomplete: [], requests: 0} as const

describe('RFC 4918', () => {
  it('4.3.1: a property with mixed content', () => {
    const [result] = readFixture('rfc4918-4.3.1').results
    const author = result?.ok ? result.properties['{http://example.com/ns}author'] : undefined
    const x = (name: string): string => `{http://example.com/ns}${name}`
    expect(compact(author)).toEqual(
      element(
        x('author'),
        element(x('name'), 'Jane Doe'),
        {
          name: x('uri'),
          attributes: {type: 'email', added: '2005-11-26'},
          children: ['mailto:jane.doe@example.com'],
        },
        {
          name: x('uri'),
          attributes: {type: 'web', added: '2005-11-27'},
          children: ['http://www.example.com'],
        },
        element(
          x('notes'),
          '\n            Jane has been working way ',
          element('{http://www.w3.org/1999/xhtml}em', 'too'),
          ' long on the\n            long-awaited revision of <RFC2518>.\n          ',
        ),
      ),
    )
  })

  it('9.1.3: two properties found and two forbidden', () => {
    const {results, summary} = readFixture('rfc4918-9.1.3')
    const description = 'The user does not have access to the\nDingALing property.'
    expect(results).toEqual([
      {
        ok: true,
        href: 'http://www.example.com/file',
        url: 'http://www.example.com/file',
        relation: 'self',
        status: 200,
        properties: {
          [box('bigbox')]: element(
            box('bigbox'),
            '\n          ',
            element(box('BoxType'), 'Box type A'),
            '\n        ',
          ),
          [box('author')]: element(
            box('author'),
            '\n          ',
            element(box('Name'), 'J.J. Johnson'),
            '\n        ',
          ),
        },
        missing: [
          {name: box('DingALing'), status: 403, conditions: [], description},
          {name: box('Random'), status: 403, conditions: [], description},
        ],
      },
    ])
    expect(summary).toEqual({
      ...complete,
      successes: 1,
      failures: 0,
      description: 'There has been an access violation error.',
    })
  })

  it('9.1.4: the names of all properties', () => {
    const {results} = readFixture('rfc4918-9.1.4')
    const names = results.map((result) => [
      result.href,
      result.relation,
      [
        ...(result.ok ? Object.keys(result.properties) : []),
        ...result.missing.map(({name}) => name),
      ].toSorted(),
    ])
    expect(names).toEqual([
      [
        'http://www.example.com/container/',
        'self',
        [
          'creationdate',
          'displayname',
          'resourcetype',
          'supportedlock',
          box('author'),
          box('bigbox'),
        ],
      ],
      [
        'http://www.example.com/container/front.html',
        'member',
        [
          'creationdate',
          'displayname',
          'getcontentlength',
          'getcontenttype',
          'getetag',
          'getlastmodified',
          'resourcetype',
          'supportedlock',
          box('bigbox'),
        ],
      ],
    ])
  })

  it('9.1.5: allprop', () => {
    const {results, summary} = readFixture('rfc4918-9.1.5')
    const lock = (scope: string): XmlElement =>
      element(
        'lockentry',
        element('lockscope', element(scope)),
        element('locktype', element('write')),
      )
    const [container, front] = results
    expect(container).toMatchObject({
      ok: true,
      href: '/container/',
      url: 'http://www.example.com/container/',
      relation: 'self',
      status: 200,
      properties: {
        [box('bigbox')]: element(box('bigbox'), element(box('BoxType'), 'Box type A')),
        [box('author')]: element(box('author'), element(box('Name'), 'Hadrian')),
        creationdate: new Date('1997-12-02T01:42:21Z'),
        displayname: 'Example collection',
        resourcetype: ['collection'],
      },
      missing: [],
    })
    expect(front).toMatchObject({
      ok: true,
      href: '/container/front.html',
      url: 'http://www.example.com/container/front.html',
      relation: 'member',
      status: 200,
      properties: {
        [box('bigbox')]: element(box('bigbox'), element(box('BoxType'), 'Box type B')),
        creationdate: new Date('1997-12-02T02:27:21Z'),
        displayname: 'Example HTML resource',
        getcontentlength: 4525,
        getcontenttype: 'text/html',
        getetag: '"zzyzx"',
        getlastmodified: new Date('1998-01-12T09:25:56Z'),
        resourcetype: [],
      },
      missing: [],
    })
    for (const result of results) {
      const supported = result.ok ? result.properties['supportedlock'] : undefined
      expect(compact(supported)).toEqual(
        element('supportedlock', lock('exclusive'), lock('shared')),
      )
    }
    expect(summary).toEqual({...complete, successes: 2, failures: 0})
  })

  it('9.1.6: allprop with include', () => {
    const [result] = readFixture('rfc4918-9.1.6').results
    expect(result).toMatchObject({
      ok: true,
      relation: 'self',
      properties: {resourcetype: ['collection']},
      missing: [],
    })
    const set = result?.ok ? result.properties['supported-live-property-set'] : undefined
    expect(compact(set)).toEqual(
      element(
        'supported-live-property-set',
        element('supported-live-property', element('prop', element('getetag'))),
      ),
    )
  })

  it('9.2.2: a PROPPATCH that failed', () => {
    const z = (name: string): string => `{http://ns.example.com/standards/z39.50/}${name}`
    expect(readFixture('rfc4918-9.2.2').results).toEqual([
      {
        ok: false,
        href: 'http://www.example.com/bar.html',
        url: 'http://www.example.com/bar.html',
        relation: 'self',
        status: 424,
        reason: 'propstat',
        conditions: [],
        missing: [
          {name: z('Authors'), status: 424, conditions: []},
          {name: z('Copyright-Owner'), status: 409, conditions: []},
        ],
        description: 'Copyright Owner cannot be deleted or\naltered.',
      },
    ])
  })

  it('9.6.2: a DELETE that left a locked member standing', () => {
    expect(readFixture('rfc4918-9.6.2')).toEqual({
      results: [
        {
          ok: false,
          href: 'http://www.example.com/container/resource3',
          url: 'http://www.example.com/container/resource3',
          relation: 'member',
          status: 423,
          reason: 'status',
          conditions: ['lock-token-submitted'],
          missing: [],
        },
      ],
      summary: {...complete, successes: 0, failures: 1},
    })
  })

  it('9.10.9: a LOCK that failed for one member and so for all', () => {
    const results = readFixture('rfc4918-9.10.9').results.map(({url, relation, status}) => ({
      url,
      relation,
      status,
    }))
    expect(results).toEqual([
      {url: 'http://example.com/webdav/secret', relation: 'member', status: 403},
      {url: 'http://example.com/webdav/', relation: 'self', status: 424},
    ])
  })

  it('13: a redirected member, and one verdict on two', () => {
    const member = (name: string): object => ({
      href: `/container/${name}`,
      url: `http://www.example.com/container/${name}`,
      relation: 'member',
    })
    const failed = {ok: false, reason: 'status', conditions: [], missing: []} as const
    expect(readFixture('rfc4918-13').results).toEqual([
      {...failed, ...member('moved'), status: 301, location: 'http://www.example.com/elsewhere/'},
      {...failed, ...member('a'), status: 423, description: 'Both are locked.'},
      {...failed, ...member('b'), status: 423, description: 'Both are locked.'},
      {ok: true, ...member('c'), status: 200, properties: {displayname: 'C'}, missing: []},
    ])
  })

  it('15.8.1: the locks of a resource', () => {
    const [result] = readFixture('rfc4918-15.8.1').results
    const locks = result?.ok ? result.properties['lockdiscovery'] : undefined
    expect(compact(locks)).toEqual(
      element(
        'lockdiscovery',
        element(
          'activelock',
          element('locktype', element('write')),
          element('lockscope', element('exclusive')),
          element('depth', '0'),
          element('owner', 'Jane Smith'),
          element('timeout', 'Infinite'),
          element('locktoken', element('href', 'urn:uuid:f81de2ad-7f3d-a1b2-4f3c-00a0c91a9d76')),
          element('lockroot', element('href', 'http://www.example.com/container/')),
        ),
      ),
    )
  })
})
