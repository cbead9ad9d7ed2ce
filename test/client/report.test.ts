// States REPORT with a body of the caller. A Multi-Status document is a listing of the matches, and any other answer one Success.
// A refusal is an error. RFC 3253, sections 3.6 and 3.8; RFC 4791, section 7; RFC 6352, section 8.6.

import {DavClient, DavHttpError, expandProperty, MultiStatusError} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {multistatus, propstat, response, verdict} from '../support/fixtures.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 4000})

const CALDAV = 'urn:ietf:params:xml:ns:caldav'
const data = `{${CALDAV}}calendar-data`
const transport = undiciTransport()
const query = {
  name: `{${CALDAV}}calendar-query`,
  children: [{name: 'prop', children: [{name: 'getetag'}]}],
}
let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const sent = (): (readonly unknown[])[] =>
  server.requests.map(({method, url, headers}) => [method, url, headers['depth']])

/** A calendar object as a server answers it. */
const event = (href: string): string =>
  `<D:response><D:href>${href}</D:href>${propstat('HTTP/1.1 200 OK', `<D:getetag>"${href}"</D:getetag><C:calendar-data xmlns:C="${CALDAV}">BEGIN:VCALENDAR\nEND:VCALENDAR\n</C:calendar-data>`)}</D:response>`

describe('the request of a report', () => {
  it('has Depth 0, the type of XML and the element as its body', async () => {
    server.answers(answer207(multistatus()))
    await dav.report('cal/', {body: query}).collect()
    expect(sent()).toEqual([['REPORT', '/cal/', '0']])
    const [{headers, body} = {headers: {}, body: ''}] = server.requests
    expect(headers['content-type']).toBe('application/xml; charset=utf-8')
    expect(body).toBe(
      `<?xml version="1.0" encoding="utf-8"?>\n<n1:calendar-query xmlns:D="DAV:" xmlns:n1="${CALDAV}"><D:prop><D:getetag/></D:prop></n1:calendar-query>`,
    )
  })

  it.each([0, 1, 'infinity'] as const)('has the depth of the caller: %s', async (depth) => {
    server.answers(answer207(multistatus()))
    await dav.report('cal/', {body: query, depth}).collect()
    expect(sent()).toEqual([['REPORT', '/cal/', String(depth)]])
  })

  it('has a text of the caller as it is', async () => {
    server.answers(answer207(multistatus()))
    const body = '<x:log xmlns:x="urn:x"><x:limit>é</x:limit></x:log>'
    await dav.report('', {body}).collect()
    expect(server.requests[0]?.body).toBe(body)
  })

  it.each<[unknown, RegExp]>([
    [{}, /report: body is the text of an XML document, or its root element/],
    [{body: ''}, /body is the text/],
    [{body: ' \n'}, /body is the text/],
    [{body: null}, /body is the text/],
    [{body: 5}, /body is the text/],
    [{body: {children: []}}, /body is the text/],
    [{body: {name: 'x', children: [5]}}, /body is the text/],
    [{body: query, bodi: ''}, /no option "bodi"/],
    [{body: query, depth: 2}, /depth is 0, 1/],
    [{body: query, depth: {walk: true}}, /depth is 0, 1 or 'infinity', not /],
  ])('is refused before it is sent: %o', (options, message) => {
    expect(() => dav.report('cal/', options as never)).toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('a Multi-Status answer to a report', () => {
  it('gives the results and their values in the order of the server', async () => {
    server.answers(answer207(multistatus(event('/cal/b.ics'), event('/cal/a.ics'))))
    const {successes, summary} = await dav.report('cal/', {body: query, depth: 1}).collect()
    expect(successes.map(line)).toEqual(['200 member /cal/b.ics', '200 member /cal/a.ics'])
    expect(successes[0]?.properties).toEqual({
      getetag: '"/cal/b.ics"',
      [data]: 'BEGIN:VCALENDAR\nEND:VCALENDAR\n',
    })
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 0,
      requests: 1,
    })
  })

  it('may match nothing: an empty document is complete', async () => {
    // As Radicale 3.1 answers expand-property.
    server.answers(answer207('<multistatus xmlns="DAV:"/>'))
    const {successes, failures, summary} = await dav.report('cal/', {body: query}).collect()
    expect([successes, failures]).toEqual([[], []])
    expect(summary).toMatchObject({complete: true, incomplete: []})
  })

  it('names a collection without members, and no further request follows', async () => {
    server.answers(
      answer207(
        multistatus(response('/cal/sub/', '<D:resourcetype><D:collection/></D:resourcetype>')),
      ),
    )
    const {summary} = await dav.report('cal/', {body: query, depth: 'infinity'}).collect()
    expect(summary).toMatchObject({complete: true, requests: 1})
  })

  it('may name resources elsewhere, as a search for principals does', async () => {
    server.answers(answer207(multistatus(response('/principals/ana/'))))
    const {successes, summary} = await dav.report('cal/', {body: query}).collect()
    expect(successes.map(line)).toEqual(['200 outside /principals/ana/'])
    expect(summary.complete).toBe(true)
  })

  it('has a sync-token', async () => {
    server.answers(
      answer207(
        multistatus(
          verdict('/cal/gone.ics', 'HTTP/1.1 404 Not Found'),
          '<D:sync-token> urn:t:2\n</D:sync-token>',
        ),
      ),
    )
    const {failures, summary} = await dav.report('cal/', {body: query}).collect()
    expect(failures.map(line)).toEqual(['404 status member /cal/gone.ics'])
    expect(summary).toMatchObject({complete: true, syncToken: 'urn:t:2'})
  })

  it.each([
    ['the collection', '/cal/', 'self'],
    ['a resource in it', '/cal/sub/', 'member'],
    ['a resource elsewhere', '/', 'outside'],
  ])('is cut short by a 507 of %s', async (_, href, relation) => {
    // RFC 6352, section 8.6.5.
    const more =
      '<D:error><D:number-of-matches-within-limits/></D:error><D:responsedescription>Only two matching records were returned</D:responsedescription>'
    server.answers(
      answer207(
        multistatus(event('/cal/a.ics'), verdict(href, 'HTTP/1.1 507 Insufficient Storage', more)),
      ),
    )
    const {failures, summary} = await dav.report('cal/', {body: query, depth: 1}).collect()
    expect(failures).toMatchObject([
      {
        relation,
        status: 507,
        conditions: ['number-of-matches-within-limits'],
        description: 'Only two matching records were returned',
      },
    ])
    const url = server.url.slice(0, -1) + href
    expect(summary.complete).toBe(false)
    expect(summary.incomplete).toEqual([{href: url, reason: 'storage', status: 507}])
  })

  it('has Failures for bare hrefs, with which Radicale 3.1 answers an unknown report', async () => {
    const bare = (href: string): string => `<D:response><D:href>${href}</D:href></D:response>`
    server.answers(answer207(multistatus(bare('/cal/a.ics'), bare('/cal/b.ics'))))
    const {successes, failures, summary} = await dav.report('cal/', {body: query}).collect()
    expect(successes).toEqual([])
    expect(failures.map(line)).toEqual([
      '0 malformed member /cal/a.ics',
      '0 malformed member /cal/b.ics',
    ])
    expect(summary.complete).toBe(false)
    expect(summary.incomplete).toEqual([{href: `${server.url}cal/`, reason: 'malformed'}])
  })

  it('refuses a report for the collection in a 207, as xandikos 0.2 does', async () => {
    server.answers(
      answer207(
        multistatus(
          verdict('/cal/', 'HTTP/1.1 403 Forbidden', '<D:error><D:supported-report/></D:error>'),
        ),
      ),
    )
    const {failures, summary} = await dav.report('cal/', {body: query}).collect()
    expect(failures).toMatchObject([
      {relation: 'self', status: 403, conditions: ['supported-report']},
    ])
    expect(summary.incomplete).toEqual([{href: `${server.url}cal/`, reason: 'self', status: 403}])
  })

  it('keeps nested responses as values: they are no results', async () => {
    // RFC 3253, section 3.8.1, shortened.
    const version = (name: string, creator: string): string =>
      response(`/his/23/ver/${name}`, `<D:creator-displayname>${creator}</D:creator-displayname>`)
    const set = `<D:version-set>${version('V1', 'Bob')}${version('V2', 'Fred')}</D:version-set>`
    server.answers(
      answer207(
        multistatus(
          response(
            '/foo.html',
            `<D:version-history>${response('/his/23', set)}</D:version-history>`,
          ),
        ),
      ),
    )
    const body = expandProperty({'version-history': {'version-set': {'creator-displayname': {}}}})
    const {successes, failures} = await dav.report('foo.html', {body}).collect()
    expect(failures).toEqual([])
    expect(successes.map(line)).toEqual(['200 self /foo.html'])
    expect(successes[0]?.properties['version-history']).toMatchObject({
      name: 'version-history',
      children: [
        {name: 'response', children: [{name: 'href', children: ['/his/23']}, {name: 'propstat'}]},
      ],
    })
  })

  it('has further pages, each asked for with the same body', async () => {
    const link = {link: '</cal/?page=2>; rel="next"'}
    server.answers(
      answer207(multistatus(event('/cal/a.ics')), link),
      answer207(multistatus(event('/cal/b.ics'))),
    )
    const {successes, summary} = await dav.report('cal/', {body: query, depth: 1}).collect()
    expect(successes.map(({href}) => href)).toEqual(['/cal/a.ics', '/cal/b.ics'])
    expect(summary).toMatchObject({complete: true, requests: 2})
    expect(sent()).toEqual([
      ['REPORT', '/cal/', '1'],
      ['REPORT', '/cal/?page=2', '1'],
    ])
    expect(server.requests[1]?.body).toBe(server.requests[0]?.body)
  })

  it('types its properties by decoders', async () => {
    server.answers(answer207(multistatus(event('/cal/a.ics'))))
    const decoders = {[data]: (value: unknown) => String(value).split('\n')[0]}
    const {successes} = await dav.report('cal/', {body: query, decoders}).collect()
    expect(successes[0]?.properties[data]).toBe('BEGIN:VCALENDAR')
  })

  it('that breaks off gives its results and then the error', async () => {
    server.answers(answer207(['<D:multistatus xmlns:D="DAV:">', event('/cal/a.ics'), 20, RESET]))
    const {results, error} = await readToEnd(dav.report('cal/', {body: query}))
    expect(results.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(error).toMatchObject({name: 'DavNetworkError', method: 'REPORT'})
  })
})

describe('a refused report', () => {
  it.each([
    [403, '<D:error xmlns:D="DAV:"><D:supported-report/></D:error>', ['supported-report']],
    // DAViCal 1.1 writes a text beside the condition.
    [
      403,
      '<error xmlns="DAV:"><supported-report/>That REPORT is unknown</error>',
      ['supported-report'],
    ],
    [501, '<html><body>Not implemented</body></html>', []],
    [400, '', []],
    [405, '', []],
    [415, '', []],
  ])('is an error with its conditions: %i %s', async (status, body, conditions) => {
    server.answers({status, body})
    const {error} = await readToEnd(dav.report('cal/', {body: query}))
    expect(error).toBeInstanceOf(DavHttpError)
    expect(error).toMatchObject({method: 'REPORT', status, conditions, url: `${server.url}cal/`})
  })

  it('tells the method and the depth', async () => {
    server.answers({status: 501})
    const {error} = await readToEnd(dav.report('cal/', {body: query, depth: 1}))
    expect(String(error)).toBe(`DavHttpError: REPORT ${server.url}cal/ (Depth: 1) answered 501`)
  })

  it('is no refusal of the depth: no walk follows Depth infinity', async () => {
    server.answers({status: 403})
    const {error} = await readToEnd(dav.report('cal/', {body: query, depth: 'infinity'}))
    expect(error).toMatchObject({status: 403})
    expect(sent()).toEqual([['REPORT', '/cal/', 'infinity']])
  })

  it('is sent again by a policy', async () => {
    server.answers({status: 503}, RESET, answer207(multistatus(event('/cal/a.ics'))))
    const retry = {attempts: 3, minDelay: 1, maxDelay: 2}
    const {successes, summary} = await dav
      .report('cal/', {body: query, depth: 'infinity', retry})
      .collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(summary.requests).toBe(3)
  })

  it('follows a redirect to the slash with its method and body', async () => {
    server.script(({url}) =>
      url === '/cal'
        ? {status: 301, headers: {location: '/cal/'}}
        : answer207(multistatus(event('/cal/a.ics'))),
    )
    const {successes} = await dav.report('cal', {body: query}).collect()
    expect(successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(sent()).toEqual([
      ['REPORT', '/cal', '0'],
      ['REPORT', '/cal/', '0'],
    ])
    expect(server.requests[1]?.body).toBe(server.requests[0]?.body)
  })

  it('answered by another resource is incomplete', async () => {
    server.script(({url}) =>
      url === '/cal/'
        ? {status: 307, headers: {location: '/other/'}}
        : answer207(multistatus(event('/other/a.ics'))),
    )
    const {successes, summary} = await dav.report('cal/', {body: query}).collect()
    expect(successes.map(line)).toEqual(['200 outside /other/a.ics'])
    expect(summary.incomplete).toEqual([{href: `${server.url}cal/`, reason: 'self'}])
  })
})

describe('an answer that is no Multi-Status document', () => {
  // RFC 4791, section 7.10.1, shortened.
  const freeBusy = 'BEGIN:VCALENDAR\r\nBEGIN:VFREEBUSY\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n'

  it('is one Success for the target, with its text and type', async () => {
    server.answers({status: 200, headers: {'content-type': 'text/calendar'}, body: freeBusy})
    const {successes, summary} = await dav.report('cal/', {body: query, depth: 1}).collect()
    expect(successes).toEqual([
      {
        ok: true,
        href: '/cal/',
        url: `${server.url}cal/`,
        relation: 'self',
        status: 200,
        properties: {},
        missing: [],
        content: {type: 'text/calendar', text: freeBusy},
      },
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 1,
      failures: 0,
      requests: 1,
    })
  })

  it('has the root element of another document', async () => {
    // RFC 3744, section 9.5.1, shortened.
    const body =
      '<D:principal-search-property-set xmlns:D="DAV:"><D:principal-search-property><D:prop><D:displayname/></D:prop></D:principal-search-property></D:principal-search-property-set>'
    server.answers({status: 200, headers: {'content-type': 'text/xml'}, body})
    const {successes} = await dav
      .report('', {body: {name: 'principal-search-property-set'}})
      .collect()
    expect(successes[0]?.content).toMatchObject({
      type: 'text/xml',
      text: body,
      root: {
        name: 'principal-search-property-set',
        children: [{name: 'principal-search-property'}],
      },
    })
  })

  it('is read in its own encoding', async () => {
    const body = Buffer.from('SUMMARY:Café', 'latin1')
    server.answers({
      status: 200,
      headers: {'content-type': 'text/calendar; charset=iso-8859-1'},
      body,
    })
    const {successes} = await dav.report('cal/', {body: query}).collect()
    expect(successes[0]?.content?.text).toBe('SUMMARY:Café')
  })

  it('is whole, however long and in however many chunks', async () => {
    const text = 'FREEBUSY:19980101T050000Z/PT1H\r\n'.repeat(10_000)
    server.answers({
      status: 200,
      headers: {'content-type': 'text/calendar'},
      body: [text.slice(0, 99_999), 1, text.slice(99_999)],
    })
    const {successes} = await dav.report('cal/', {body: query}).collect()
    expect(successes[0]?.content?.text).toBe(text)
  })

  it.each(['value', 'bytes'] as const)('has the limit of a %s', async (limit) => {
    const client = new DavClient({url: server.url, transport, limits: {[limit]: 1000}})
    const answer = {status: 200, headers: {'content-type': 'text/calendar'}}
    server.answers(
      {...answer, body: 'x'.repeat(1000)},
      {...answer, body: ['x'.repeat(1000), 'y'.repeat(100_000)]},
    )
    const {successes} = await client.report('cal/', {body: query}).collect()
    expect(successes[0]?.content?.text).toBe('x'.repeat(1000))
    const {results, error} = await readToEnd(client.report('cal/', {body: query}))
    expect(results).toEqual([])
    expect(error).toBeInstanceOf(MultiStatusError)
    expect(error).toMatchObject({reason: 'limit-exceeded', limit, method: 'REPORT'})
  })

  it.each([
    ['an empty body', 200, 'text/calendar', ''],
    ['no body', 204, '', ''],
    ['a login form', 200, 'text/html', '<form>Please log in</form>'],
    ['a page', 200, '', '<!DOCTYPE html><html><body>Welcome</body></html>'],
    ['an error', 200, 'application/xml', '<D:error xmlns:D="DAV:"><D:supported-report/></D:error>'],
    ['a cut document', 200, 'application/xml', '<S:log-report xmlns:S="svn:"><S:log-item>'],
    ['a cut Multi-Status', 200, 'application/xml', '<D:multistatus xmlns:D="DAV:"'],
    ['a text under 207', 207, 'text/calendar', 'BEGIN:VCALENDAR'],
  ])('is an error: %s', async (_, status, type, body) => {
    server.answers({status, headers: {'content-type': type}, body})
    const {results, error} = await readToEnd(dav.report('cal/', {body: query}))
    expect(results).toEqual([])
    expect(error).toMatchObject({
      name: expect.stringMatching(/^(?:MultiStatusError|DavError)$/),
      method: 'REPORT',
    })
  })

  it('is an error where it breaks off, because a part looks like the whole', async () => {
    server.answers({
      status: 200,
      headers: {'content-type': 'text/calendar', 'content-length': '1000'},
      body: [freeBusy, 20, CLOSE],
    })
    const {results, error} = await readToEnd(dav.report('cal/', {body: query}))
    expect(results).toEqual([])
    expect(error).toMatchObject({name: 'DavNetworkError'})
  })
})

describe('a failure of a report', () => {
  const busy = multistatus(
    event('/cal/a.ics'),
    verdict('/cal/b.ics', 'HTTP/1.1 503 Service Unavailable'),
  )

  it('has the whole report as its request, and retry sends that once', async () => {
    server.answers(
      answer207(
        multistatus(
          verdict('/cal/b.ics', 'HTTP/1.1 503 Busy'),
          verdict('/cal/c.ics', 'HTTP/1.1 503 Busy'),
        ),
      ),
      answer207(multistatus(event('/cal/b.ics'), event('/cal/c.ics'))),
    )
    const {failures} = await dav.report('cal/', {body: query, depth: 1}).collect()
    const body = server.requests[0]?.body
    const request = {method: 'REPORT', url: `${server.url}cal/`, depth: 1, body, attempts: 1}
    expect(failures.map((failure) => failure.request)).toEqual([request, request])
    const again = JSON.parse(JSON.stringify(failures)) as typeof failures
    const {successes, summary} = await dav.retry(again, {attempts: 2, minDelay: 1}).collect()
    expect(successes.map(line)).toEqual(['200 member /cal/b.ics', '200 member /cal/c.ics'])
    expect(summary).toMatchObject({complete: true, requests: 1})
    expect(sent()).toEqual([
      ['REPORT', '/cal/', '1'],
      ['REPORT', '/cal/', '1'],
    ])
    expect(server.requests[1]?.body).toBe(body)
  })

  it('comes out unchanged where retry is ended before it is sent, each of two', async () => {
    server.answers(
      answer207(
        multistatus(
          verdict('/cal/b.ics', 'HTTP/1.1 503 Busy'),
          verdict('/cal/c.ics', 'HTTP/1.1 503 Busy'),
        ),
      ),
    )
    const {failures} = await dav.report('cal/', {body: query, depth: 1}).collect()
    const signal = AbortSignal.abort(new Error('enough'))
    const {results, error} = await readToEnd(dav.retry(failures, {attempts: 2, signal}))
    expect(error).toEqual(new Error('enough'))
    expect(results).toEqual(failures)
  })

  it('is a gap of retry if the report is refused', async () => {
    server.answers(answer207(busy), {status: 503})
    const {failures} = await dav.report('cal/', {body: query}).collect()
    const again = await dav.retry(failures, {attempts: 1}).collect()
    expect(again.failures.map(line)).toEqual(['503 status self /cal/'])
    expect(again.failures[0]?.request).toMatchObject({method: 'REPORT', attempts: 2})
    expect(again.summary.incomplete).toEqual([
      {href: `${server.url}cal/`, reason: 'refused', status: 503},
    ])
  })

  it('without its body cannot be sent again', async () => {
    server.answers(answer207(busy))
    const [failure] = (await dav.report('cal/', {body: query}).collect()).failures
    if (failure?.request === undefined) throw new Error('no request')
    const {body: _, ...request} = failure.request
    const {error} = await readToEnd(dav.retry([{...failure, request}]))
    expect(error).toEqual(new TypeError('retry: a REPORT needs its body'))
  })

  it('is no target of a DELETE: nobody knows what would go with it', async () => {
    server.answers(answer207(busy))
    const {failures} = await dav.report('cal/', {body: query}).collect()
    server.forget()
    const verdicts = await dav.deleteMany(failures).collect()
    expect(verdicts.failures.map(line)).toEqual(['0 refused self /cal/b.ics'])
    expect(server.requests).toEqual([])
  })
})

describe('the checkpoint of a report', () => {
  it('sends it again after a break, and not after its end', async () => {
    server.answers(
      answer207(['<D:multistatus xmlns:D="DAV:">', event('/cal/a.ics'), 10, RESET]),
      answer207(multistatus(event('/cal/a.ics'))),
    )
    const first = dav.report('cal/', {body: query, depth: 1})
    await readToEnd(first)
    const checkpoint = first.checkpoint()
    expect(checkpoint.left).toEqual([{url: `${server.url}cal/`, depth: 1}])
    const second = dav.report('cal/', {body: query, resume: checkpoint})
    expect((await second.collect()).successes.map(line)).toEqual(['200 member /cal/a.ics'])
    expect(sent()[1]).toEqual(['REPORT', '/cal/', '1'])
    const third = await dav.report('cal/', {body: query, resume: second.checkpoint()}).collect()
    expect(third.summary).toMatchObject({successes: 0, requests: 0})
  })
})

describe('expandProperty', () => {
  it('names properties by attributes, with a namespace other than DAV:', () => {
    expect(
      expandProperty({
        'group-membership': {displayname: {}},
        '{urn:x}friend': {},
        '{DAV:}owner': {},
      }),
    ).toEqual({
      name: 'expand-property',
      attributes: {},
      children: [
        {
          name: 'property',
          attributes: {name: 'group-membership'},
          children: [{name: 'property', attributes: {name: 'displayname'}, children: []}],
        },
        {name: 'property', attributes: {name: 'friend', namespace: 'urn:x'}, children: []},
        {name: 'property', attributes: {name: 'owner'}, children: []},
      ],
    })
  })

  it('is sent as the example of RFC 3253', async () => {
    server.answers(answer207(multistatus()))
    const body = expandProperty({
      'version-history': {'version-set': {'creator-displayname': {}, 'activity-set': {}}},
    })
    await dav.report('foo.html', {body}).collect()
    expect(server.requests[0]?.body).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n<D:expand-property xmlns:D="DAV:"><D:property name="version-history"><D:property name="version-set"><D:property name="creator-displayname"/><D:property name="activity-set"/></D:property></D:property></D:expand-property>',
    )
  })

  it.each([
    ['a list of names', {'group-membership': ['displayname']}],
    ['a name', {'group-membership': 'displayname'}],
    ['no value', {'group-membership': null}],
  ])('refuses %s in the place of an object', (_, tree) => {
    // @ts-expect-error A program in plain JavaScript may give it.
    expect(() => expandProperty(tree)).toThrow(
      new TypeError('expandProperty: give each name an object of names'),
    )
  })

  it('refuses an empty tree', () => {
    expect(() => expandProperty({})).toThrow(
      new TypeError('expandProperty: name at least one property'),
    )
  })
})
