// States the recognition of elements: in any order, each on its own level. Unknown elements are ignored.
// RFC 4918, sections 14 and 17; RFC 6578, section 6.
import {describe, expect, it} from 'vitest'
import {multistatus, one, propstat, read, response, verdict} from '../support/fixtures.ts'

const ok = '<D:status>HTTP/1.1 200 OK</D:status>'
const locked = 'HTTP/1.1 423 Locked'
const hrefs = (body: string): readonly string[] => read(body).results.map((result) => result.href)

describe('an empty multistatus', () => {
  it.each([
    '<D:multistatus xmlns:D="DAV:"/>',
    '<D:multistatus xmlns:D="DAV:"></D:multistatus>',
    multistatus('\n'),
  ])('is complete and has no results: %s', (body) => {
    expect(read(body)).toEqual({
      results: [],
      summary: {complete: true, incomplete: [], successes: 0, failures: 0, requests: 0},
    })
  })
})

describe('order', () => {
  it('makes no difference inside a response', () => {
    const body = multistatus(
      '<D:response><D:responsedescription>why</D:responsedescription>',
      '<D:error><D:lock-token-submitted/></D:error>',
      `<D:status>${locked}</D:status><D:href>/docs/a</D:href></D:response>`,
    )
    expect(one(body)).toEqual({
      ok: false,
      href: '/docs/a',
      url: 'https://dav.example/docs/a',
      relation: 'member',
      status: 423,
      reason: 'status',
      conditions: ['lock-token-submitted'],
      missing: [],
      description: 'why',
    })
  })

  it('makes no difference inside a propstat', () => {
    const body = multistatus(
      `<D:response><D:propstat>${ok}<D:prop><D:displayname>A</D:displayname></D:prop></D:propstat>`,
      '<D:href>/docs/a</D:href></D:response>',
    )
    expect(one(body)).toMatchObject({ok: true, href: '/docs/a', properties: {displayname: 'A'}})
  })
})

describe('unknown elements', () => {
  const stranger = '<x:any>text<D:href>/no</D:href><D:status>HTTP/1.1 500</D:status></x:any>'

  it.each([
    ['in the multistatus', multistatus(stranger, response('/docs/a', '<x:p>1</x:p>'), stranger)],
    [
      'in a response',
      multistatus(
        `<D:response>stray${stranger}<D:href>/docs/a</D:href>stray`,
        `${propstat('HTTP/1.1 200 OK', '<x:p>1</x:p>')}${stranger}</D:response>`,
      ),
    ],
    [
      'in a propstat',
      multistatus(
        `<D:response><D:href>/docs/a</D:href><D:propstat>stray${stranger}<D:prop><x:p>1</x:p></D:prop>`,
        `${stranger}${ok}stray</D:propstat></D:response>`,
      ),
    ],
    [
      'in a status',
      multistatus(
        '<D:response><D:href>/docs/a</D:href><D:propstat><D:prop><x:p>1</x:p></D:prop>',
        `<D:status>HTTP/1.1 <x:any>500</x:any>200 OK</D:status></D:propstat></D:response>`,
      ),
    ],
    ['as text in a prop', multistatus(response('/docs/a', 'stray<x:p>1</x:p>stray'))],
    ['in an href', multistatus(response('/docs<x:any>/no</x:any>/a', '<x:p>1</x:p>'))],
  ])('are ignored with their content %s', (_, body) => {
    expect(read(body).results).toEqual([
      {
        ok: true,
        href: '/docs/a',
        url: 'https://dav.example/docs/a',
        relation: 'member',
        status: 200,
        properties: {'{urn:x}p': '1'},
        missing: [],
      },
    ])
  })

  it('include a response of another namespace', () => {
    expect(
      hrefs(multistatus('<x:response><D:href>/no</D:href></x:response>', response('/docs/a'))),
    ).toEqual(['/docs/a'])
    expect(hrefs('<D:multistatus xmlns:D="DAV:"><response/></D:multistatus>')).toEqual([])
  })

  it('include a DAV:response inside one of them', () => {
    expect(hrefs(multistatus(`<x:any>${response('/no')}</x:any>`, response('/docs/a')))).toEqual([
      '/docs/a',
    ])
  })

  it('do not include a DAV:response in the value of a property', () => {
    const body = multistatus(response('/docs/a', `<x:log>${verdict('/no', locked)}</x:log>`))
    expect(one(body)).toMatchObject({
      ok: true,
      href: '/docs/a',
      status: 200,
      properties: {
        '{urn:x}log': {
          name: '{urn:x}log',
          attributes: {},
          children: [
            {
              name: 'response',
              attributes: {},
              children: [
                {name: 'href', attributes: {}, children: ['/no']},
                {name: 'status', attributes: {}, children: [locked]},
              ],
            },
          ],
        },
      },
    })
  })

  it('in values, conditions and locations do not change the href', () => {
    const owner = '<D:owner><D:href>/principals/ana</D:href></D:owner>'
    const submitted = '<D:lock-token-submitted><D:href>/docs/lock</D:href></D:lock-token-submitted>'
    const location = '<D:location><D:href>/docs/new</D:href></D:location>'
    const body = multistatus(
      `<D:response>${propstat('HTTP/1.1 200 OK', owner)}<D:href>/docs/a</D:href></D:response>`,
      `<D:response><D:error>${submitted}</D:error><D:href>/docs/b</D:href><D:status>${locked}</D:status></D:response>`,
      `<D:response>${location}<D:href>/docs/c</D:href><D:status>HTTP/1.1 301</D:status></D:response>`,
    )
    expect(hrefs(body)).toEqual(['/docs/a', '/docs/b', '/docs/c'])
  })
})

describe('descriptions', () => {
  it('stay on their level: multistatus, response, propstat', () => {
    const says = (text: string): string => `<D:responsedescription>${text}</D:responsedescription>`
    const body = multistatus(
      `<D:response><D:href>/docs/a</D:href><D:propstat>${says('of the propstat')}<D:prop><x:p/></D:prop>`,
      `<D:status>HTTP/1.1 403</D:status></D:propstat>${says('of the response')}</D:response>`,
      says('of the whole'),
    )
    const {results, summary} = read(body)
    expect(results).toMatchObject([
      {
        description: 'of the response',
        missing: [{name: '{urn:x}p', status: 403, description: 'of the propstat'}],
      },
    ])
    expect(summary.description).toBe('of the whole')
  })

  it.each(['', ' \n '])('are left out if they are empty: "%s"', (text) => {
    const says = `<D:responsedescription>${text}</D:responsedescription>`
    const {results, summary} = read(multistatus(verdict('/docs/a', locked, says), says))
    expect(results.map((result) => Object.hasOwn(result, 'description'))).toEqual([false])
    expect(Object.hasOwn(summary, 'description')).toBe(false)
  })

  it('are trimmed outside and kept inside', () => {
    const says = '<D:responsedescription>\n  one\n  two  </D:responsedescription>'
    expect(one(multistatus(verdict('/docs/a', locked, says)))).toMatchObject({
      description: 'one\n  two',
    })
  })

  it('belong to a Success too', () => {
    const says = '<D:responsedescription>created</D:responsedescription>'
    expect(one(multistatus(verdict('/docs/a', 'HTTP/1.1 201', says)))).toMatchObject({
      ok: true,
      description: 'created',
    })
  })
})

describe('conditions', () => {
  it('are named in their order, those of other namespaces in Clark notation', () => {
    const error =
      '<D:error>\n <D:lock-token-submitted><D:href>/l</D:href></D:lock-token-submitted> <x:quota>1</x:quota></D:error>'
    expect(one(multistatus(verdict('/docs/a', locked, error)))).toMatchObject({
      conditions: ['lock-token-submitted', '{urn:x}quota'],
    })
  })

  it('of a propstat belong to its properties', () => {
    const error = '<D:error><D:cannot-modify-protected-property/></D:error>'
    const body = multistatus(
      `<D:response><D:href>/docs/a</D:href>${propstat('HTTP/1.1 200 OK', '<x:p>1</x:p>')}`,
      `<D:propstat>${error}<D:prop><D:getetag/><x:q/></D:prop><D:status>HTTP/1.1 403</D:status></D:propstat></D:response>`,
    )
    expect(one(body)).toMatchObject({
      ok: true,
      missing: [
        {name: 'getetag', status: 403, conditions: ['cannot-modify-protected-property']},
        {name: '{urn:x}q', status: 403, conditions: ['cannot-modify-protected-property']},
      ],
    })
  })

  it('are an empty list for an empty DAV:error', () => {
    expect(one(multistatus(verdict('/docs/a', locked, '<D:error/>')))).toMatchObject({
      conditions: [],
    })
  })
})

describe('location', () => {
  it('is the href of DAV:location, trimmed', () => {
    const location = '<D:location>\n<D:href>\n http://www.example.com/new </D:href></D:location>'
    expect(
      one(multistatus(verdict('/docs/a', 'HTTP/1.1 301 Moved Permanently', location))),
    ).toEqual({
      ok: false,
      href: '/docs/a',
      url: 'https://dav.example/docs/a',
      relation: 'member',
      status: 301,
      reason: 'status',
      conditions: [],
      missing: [],
      location: 'http://www.example.com/new',
    })
  })
})

describe('sync-token', () => {
  const token = '<D:sync-token>\n http://example.com/ns/sync/1234 </D:sync-token>'

  it.each([
    ['first', multistatus(token, response('/docs/a'))],
    ['last', multistatus(response('/docs/a'), token)],
  ])('is part of the summary if it comes %s', (_, body) => {
    expect(read(body).summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 0,
      requests: 0,
      syncToken: 'http://example.com/ns/sync/1234',
    })
  })

  it('is left out if the server wrote none', () => {
    expect(Object.hasOwn(read(multistatus(response('/docs/a'))).summary, 'syncToken')).toBe(false)
  })

  it('inside a property is that property’s', () => {
    const {results, summary} = read(
      multistatus(response('/docs/a', '<D:sync-token>t</D:sync-token>')),
    )
    expect(results).toMatchObject([{properties: {'sync-token': 't'}}])
    expect(Object.hasOwn(summary, 'syncToken')).toBe(false)
  })
})
