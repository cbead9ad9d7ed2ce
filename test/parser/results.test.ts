// States the results of one DAV:response: rules 1 to 5 and 7 of the contract.
// RFC 4918, sections 13, 14.16, 14.22 and 14.24.
import {describe, expect, it} from 'vitest'
import {multistatus, one, propstat, read, response, verdict} from '../support/fixtures.ts'

const a = {href: '/docs/a', url: 'https://dav.example/docs/a', relation: 'member'} as const
const b = {href: '/docs/b', url: 'https://dav.example/docs/b', relation: 'member'} as const
const nothing = {conditions: [], missing: []} as const
const resource = (...children: readonly string[]): string =>
  multistatus(`<D:response><D:href>/docs/a</D:href>${children.join('')}</D:response>`)

describe('rule 1: one result per DAV:href', () => {
  it('gives each href of one status its own result, in their order', () => {
    const body = multistatus(verdict('/docs/a', 'HTTP/1.1 423 Locked', '<D:href>/docs/b</D:href>'))
    expect(read(body).results).toEqual([
      {ok: false, ...a, status: 423, reason: 'status', ...nothing},
      {ok: false, ...b, status: 423, reason: 'status', ...nothing},
    ])
  })

  it('gives the same href twice if two responses name it', () => {
    const body = multistatus(response('/docs/a'), verdict('/docs/a', 'HTTP/1.1 404 Not Found'))
    expect(read(body).results).toEqual([
      {ok: true, ...a, status: 200, properties: {}, missing: []},
      {ok: false, ...a, status: 404, reason: 'status', ...nothing},
    ])
  })

  it('takes nothing over from the response before', () => {
    const full = resource(
      propstat('HTTP/1.1 200 OK', '<x:p>1</x:p><x:q>2</x:q>'),
      '<D:propstat><D:prop><x:r/></D:prop><D:status>HTTP/1.1 403 Forbidden</D:status>' +
        '<D:error><D:lock-token-submitted/></D:error><D:responsedescription>no</D:responsedescription></D:propstat>',
    )
    const body = full.replace(
      '</D:multistatus>',
      '<D:response><D:href>/docs/b</D:href><D:propstat><D:prop><x:q>3</x:q></D:prop></D:propstat>' +
        '<D:propstat><D:prop><x:s/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat></D:response></D:multistatus>',
    )
    const refused = {name: '{urn:x}r', status: 403, conditions: ['lock-token-submitted']}
    expect(read(body).results).toEqual([
      {
        ok: true,
        ...a,
        status: 200,
        properties: {'{urn:x}p': '1', '{urn:x}q': '2'},
        missing: [{...refused, description: 'no'}],
      },
      {
        ok: true,
        ...b,
        status: 200,
        properties: {'{urn:x}q': '3'},
        missing: [{name: '{urn:x}s', status: 404, conditions: []}],
      },
    ])
  })

  it('counts each of them in the summary', () => {
    const body = multistatus(
      response('/docs/a'),
      verdict('/docs/b', 'HTTP/1.1 404', '<D:href>/docs/c</D:href>'),
    )
    expect(read(body).summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 2,
      requests: 0,
    })
  })
})

describe('rule 2: the response’s own status decides alone', () => {
  it('makes a Failure of 423 beside a 200 propstat', () => {
    const body = resource(
      propstat('HTTP/1.1 200 OK', '<D:getetag>"1"</D:getetag>'),
      '<D:status>HTTP/1.1 423 Locked</D:status>',
    )
    expect(one(body)).toMatchObject({ok: false, status: 423, reason: 'status'})
  })

  it('makes a Success of 204 beside a 404 propstat', () => {
    const body = resource(
      '<D:status>HTTP/1.1 204 No Content</D:status>',
      propstat('HTTP/1.1 404 Not Found', '<D:getetag/>'),
    )
    expect(one(body)).toEqual({
      ok: true,
      ...a,
      status: 204,
      properties: {},
      missing: [{name: 'getetag', status: 404, conditions: []}],
    })
  })

  it.each([200, 201, 204, 226])('makes a Success of %i', (status) => {
    expect(one(multistatus(verdict('/docs/a', `HTTP/1.1 ${status} x`)))).toEqual({
      ok: true,
      ...a,
      status,
      properties: {},
      missing: [],
    })
  })

  it.each([102, 301, 404, 418, 425, 507, 599])('makes a Failure of %i', (status) => {
    expect(one(multistatus(verdict('/docs/a', `HTTP/1.1 ${status} x`)))).toEqual({
      ok: false,
      ...a,
      status,
      reason: 'status',
      ...nothing,
    })
  })

  it('takes the status of the 2xx propstat if the response has none', () => {
    const body = resource(
      propstat('HTTP/1.1 404 Not Found', '<D:getetag/>'),
      propstat('HTTP/1.1 201 Created', '<D:displayname>A</D:displayname>'),
    )
    expect(one(body)).toEqual({
      ok: true,
      ...a,
      status: 201,
      properties: {displayname: 'A'},
      missing: [{name: 'getetag', status: 404, conditions: []}],
    })
  })

  it('takes an empty 2xx propstat as a Success', () => {
    expect(
      one(resource('<D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat>')),
    ).toEqual({
      ok: true,
      ...a,
      status: 200,
      properties: {},
      missing: [],
    })
  })

  it('makes a Failure with the first status if every propstat failed', () => {
    const body = resource(
      propstat('HTTP/1.1 321 x', '<D:getetag/>'),
      propstat('HTTP/1.1 432 x', '<x:one/><x:two/>'),
      propstat('HTTP/1.1 543 x', '<D:displayname/>'),
    )
    expect(one(body)).toEqual({
      ok: false,
      ...a,
      status: 321,
      reason: 'propstat',
      conditions: [],
      missing: [
        {name: 'getetag', status: 321, conditions: []},
        {name: '{urn:x}one', status: 432, conditions: []},
        {name: '{urn:x}two', status: 432, conditions: []},
        {name: 'displayname', status: 543, conditions: []},
      ],
    })
  })

  it.each([403, 418, 425])('makes a Failure of propstats that are all %i', (status) => {
    const body = resource(
      propstat(`HTTP/1.1 ${status} x`, '<D:getetag/>'),
      propstat(`HTTP/1.1 ${status} x`, '<D:displayname/>'),
    )
    expect(one(body)).toMatchObject({ok: false, status, reason: 'propstat'})
  })

  const none = (status: number, ...names: readonly string[]): string =>
    propstat(`HTTP/1.1 ${status} x`, names.map((name) => `<D:${name}/>`).join(''))

  it('makes a Success of 404 propstats that name properties: the resource lacks them', () => {
    const missing = [
      {name: 'getetag', status: 404, conditions: []},
      {name: 'getcontentlength', status: 404, conditions: []},
    ]
    const expected = {ok: true, ...a, status: 200, properties: {}, missing}
    expect(one(resource(none(404, 'getetag', 'getcontentlength')))).toEqual(expected)
    expect(one(resource(none(404, 'getetag'), none(404, 'getcontentlength')))).toEqual(expected)
    expect(one(resource(none(404), none(404, 'getetag', 'getcontentlength')))).toEqual(expected)
  })

  it.each<[string, string, number]>([
    ['a 404 that names no property', none(404), 404],
    ['a 404 without DAV:prop', '<D:propstat><D:status>HTTP/1.1 404</D:status></D:propstat>', 404],
    ['several of these', none(404) + none(404), 404],
    ['a 404 of resourcetype', none(404, 'resourcetype'), 404],
    ['a 404 of resourcetype among others', none(404, 'getetag', 'resourcetype'), 404],
    [
      'a 404 of resourcetype beside another one',
      none(404, 'getetag') + none(404, 'resourcetype'),
      404,
    ],
    ['a 410 that names no property', none(410), 410],
    ['a 410 of resourcetype', none(410, 'resourcetype'), 410],
    ['a 410 beside a 404 of nothing', none(410) + none(404), 410],
    ['a 404 beside a 410 of the type', none(404, 'getetag') + none(410, 'resourcetype'), 404],
  ])('says that the resource is not there: %s', (_, markup, status) => {
    expect(one(resource(markup))).toMatchObject({ok: false, ...a, status, reason: 'status'})
  })

  it.each<[string, string, number]>([
    ['a 410 of a property', none(410, 'getetag'), 410],
    ['404 beside 403', none(404, 'getetag') + none(403, 'displayname'), 404],
    ['403 beside 404', none(403, 'displayname') + none(404, 'getetag'), 403],
    ['404 beside 403 of the type', none(404, 'getetag') + none(403, 'resourcetype'), 404],
    ['404 of the type beside 403', none(404, 'resourcetype') + none(403, 'getetag'), 404],
    ['404 of nothing beside 500', none(404) + none(500, 'getetag'), 404],
    ['404 beside 410 of another property', none(404, 'getetag') + none(410, 'displayname'), 404],
    ['404 beside an unreadable status', none(404, 'getetag') + propstat('x', '<x:p/>'), 404],
    ['403 of nothing', none(403), 403],
  ])('makes a Failure propstat of %s', (_, markup, status) => {
    expect(one(resource(markup))).toMatchObject({ok: false, ...a, status, reason: 'propstat'})
  })

  it('takes resourcetype of another namespace for any other property', () => {
    const body = resource(propstat('HTTP/1.1 404 x', '<x:resourcetype/>'))
    expect(one(body)).toMatchObject({
      ok: true,
      status: 200,
      missing: [{name: '{urn:x}resourcetype'}],
    })
  })

  it('has the conditions and the words of a failed propstat that names no property', () => {
    const words =
      '<D:propstat><D:prop/><D:status>HTTP/1.1 403 x</D:status><D:error><D:need-privileges/></D:error>' +
      '<D:responsedescription>Ask Ana.</D:responsedescription></D:propstat>'
    const said = {conditions: ['need-privileges'], description: 'Ask Ana.'}
    expect(one(resource(words))).toMatchObject({ok: false, status: 403, missing: [], ...said})
    expect(one(resource(none(403, 'getetag'), words))).toMatchObject({status: 403, ...said})
    const own = '<D:error><x:own/></D:error><D:responsedescription>Own.</D:responsedescription>'
    expect(one(resource(words, own))).toMatchObject({
      conditions: ['{urn:x}own'],
      description: 'Own.',
    })
  })

  describe.each(['PROPPATCH', 'MKCOL', 'proppatch'])('with the method %s', (method) => {
    const only = (...parts: readonly string[]): unknown =>
      read(resource(...parts), {method}).results.at(0)

    it('makes a Success if every propstat is 2xx', () => {
      const body = [none(200, 'getetag'), none(201, 'displayname')]
      expect(only(...body)).toMatchObject({ok: true, status: 200, missing: []})
      expect(only('<D:propstat><D:prop><D:getetag/></D:prop></D:propstat>')).toMatchObject({
        ok: true,
        status: 200,
      })
    })

    it.each<[string, readonly string[], number]>([
      ['the only one', [none(403, 'getetag')], 403],
      ['the second one', [none(200, 'displayname'), none(403, 'getetag')], 403],
      ['two of three', [none(424, 'x'), none(200, 'y'), none(409, 'z')], 424],
      ['all, with 404', [none(404, 'getetag')], 404],
      ['one that names no property', [none(200, 'getetag'), none(404)], 404],
      ['one whose status is unreadable', [none(200, 'getetag'), propstat('x', '<x:p/>')], 0],
    ])('makes a Failure propstat if %s is not', (_, parts, status) => {
      expect(only(...parts)).toMatchObject({ok: false, ...a, status, reason: 'propstat'})
    })

    it('lists the properties that failed, and no others', () => {
      expect(only(none(200, 'displayname'), none(403, 'getetag'), none(424, 'x'))).toMatchObject({
        missing: [
          {name: 'getetag', status: 403},
          {name: 'x', status: 424},
        ],
      })
    })

    it('goes by the status of the response if it has one', () => {
      const status = '<D:status>HTTP/1.1 201 Created</D:status>'
      expect(only(status, none(403, 'getetag'))).toMatchObject({ok: true, status: 201})
    })
  })

  it('needs one 2xx propstat only with any other method', () => {
    const body = resource(none(403, 'getetag'), none(200, 'displayname'))
    for (const method of ['PROPFIND', 'REPORT', 'SEARCH', 'COPY', undefined])
      expect(read(body, {method}).results).toMatchObject([{ok: true, status: 200}])
  })

  it('cannot understand two statuses that contradict each other', () => {
    const body = resource(
      '<D:status>HTTP/1.1 200 OK</D:status><D:status>HTTP/1.1 423 Locked</D:status>',
    )
    expect(one(body)).toMatchObject({ok: false, ...a, status: 0, reason: 'malformed'})
  })
})

describe('rule 3: a value comes from a 2xx propstat and from no other', () => {
  it('keeps a 2xx value whatever the order of the propstats', () => {
    const good = propstat('HTTP/1.1 200 OK', '<D:displayname>A</D:displayname>')
    const bad = propstat('HTTP/1.1 404 Not Found', '<D:displayname/>')
    const expected = {
      ok: true,
      ...a,
      status: 200,
      properties: {displayname: 'A'},
      missing: [{name: 'displayname', status: 404, conditions: []}],
    }
    expect(one(resource(good, bad))).toEqual(expected)
    expect(one(resource(bad, good))).toEqual(expected)
  })

  it('never takes the value of a non-2xx propstat', () => {
    const body = resource(
      propstat('HTTP/1.1 403 Forbidden', '<D:displayname>secret</D:displayname>'),
      propstat('HTTP/1.1 200 OK', '<D:getetag>"1"</D:getetag>'),
    )
    expect(one(body)).toMatchObject({
      properties: {getetag: '"1"'},
      missing: [{name: 'displayname', status: 403}],
    })
    expect(JSON.stringify(one(body))).not.toContain('secret')
  })

  it('keeps a value that an empty element of another 2xx propstat names again', () => {
    const full = propstat('HTTP/1.1 200 OK', '<D:displayname>A</D:displayname>')
    const empty = propstat('HTTP/1.1 200 OK', '<D:displayname/>')
    expect(one(resource(full, empty))).toMatchObject({properties: {displayname: 'A'}})
    expect(one(resource(empty, full))).toMatchObject({properties: {displayname: 'A'}})
  })
})

describe('rule 4: the status of a propstat', () => {
  it('counts as 200 if it is missing', () => {
    expect(
      one(resource('<D:propstat><D:prop><D:displayname>A</D:displayname></D:prop></D:propstat>')),
    ).toEqual({
      ok: true,
      ...a,
      status: 200,
      properties: {displayname: 'A'},
      missing: [],
    })
  })

  it.each(['ABC OK', 'HTTP/1.1 -100', ''])('counts as failed if it is "%s"', (line) => {
    expect(one(resource(propstat(line, '<D:displayname>A</D:displayname>')))).toEqual({
      ok: false,
      ...a,
      status: 0,
      reason: 'propstat',
      conditions: [],
      missing: [{name: 'displayname', status: 0, conditions: []}],
    })
  })
})

describe('rule 5: nothing is dropped', () => {
  const broken = {
    ok: false,
    status: 0,
    reason: 'malformed',
    ...nothing,
    description: expect.stringMatching(/./),
  }
  const nameless = {...broken, href: '', url: 'https://dav.example/docs/', relation: 'outside'}

  it.each([
    ['without an href', '<D:response><D:status>HTTP/1.1 200 OK</D:status></D:response>', nameless],
    ['with an empty href', verdict('', 'HTTP/1.1 200 OK'), nameless],
    ['with a blank href', verdict(' \n ', 'HTTP/1.1 200 OK'), nameless],
    ['without anything', '<D:response/>', nameless],
    [
      'with neither status nor propstat',
      '<D:response><D:href>/docs/b</D:href></D:response>',
      {...broken, ...b},
    ],
  ])('reports a response %s in its place', (_, markup, expected) => {
    const body = multistatus(response('/docs/a'), markup, response('/docs/c'))
    expect(read(body).results).toEqual([
      {ok: true, ...a, status: 200, properties: {}, missing: []},
      expected,
      {
        ok: true,
        href: '/docs/c',
        url: 'https://dav.example/docs/c',
        relation: 'member',
        status: 200,
        properties: {},
        missing: [],
      },
    ])
  })

  it('reports each href of a response with neither status nor propstat', () => {
    const body = multistatus(
      '<D:response><D:href>/docs/a</D:href><D:href>/docs/b</D:href></D:response>',
    )
    expect(read(body).results).toEqual([
      {...broken, ...a},
      {...broken, ...b},
    ])
  })

  it('counts them as failures', () => {
    expect(read(multistatus('<D:response/>', response('/docs/a'))).summary).toMatchObject({
      successes: 1,
      failures: 1,
    })
  })
})

describe('rule 7: a Failure is plain data', () => {
  const body = multistatus(
    verdict('/docs/a', 'HTTP/1.1 423 Locked', '<D:error><D:lock-token-submitted/></D:error>'),
    verdict('/docs/b', 'HTTP/1.1 301', '<D:location><D:href>/docs/c</D:href></D:location>'),
    `<D:response><D:href>/docs/d</D:href>${propstat('HTTP/1.1 403', '<D:getetag/>')}</D:response>`,
    '<D:response/>',
  )

  it('survives structuredClone and JSON unchanged', () => {
    const {results} = read(body)
    expect(results.map((result) => result.ok)).toEqual([false, false, false, false])
    expect(structuredClone(results)).toEqual(results)
    expect(JSON.parse(JSON.stringify(results))).toStrictEqual(results)
  })
})
