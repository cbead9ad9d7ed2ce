// States SEARCH: the caller's document as it is, or a basic search of its parts. The answer is a listing of the matches, which a 507
// cuts short. RFC 5323.

import {DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {multistatus, response, verdict} from '../support/fixtures.ts'
import {line, readToEnd} from '../support/results.ts'

vi.setConfig({testTimeout: 4000})

const transport = undiciTransport()
const where = {name: 'is-collection'}
let server: FaultServer
let dav: DavClient

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: `${server.url}files/`, transport})
  server.answers(answer207(multistatus()))
})

afterEach(() => server.close())

/** The document of the last request, without its declaration. */
const document = (): string | undefined =>
  server.requests.at(-1)?.body.replace('<?xml version="1.0" encoding="utf-8"?>\n', '')

describe('the request of a search', () => {
  it('has no Depth header, because its depth is in the body', async () => {
    await dav.search('/dav/', {where}).collect()
    const [request] = server.requests
    expect([
      request?.method,
      request?.url,
      request?.headers['depth'],
      request?.headers['content-type'],
    ]).toEqual(['SEARCH', '/dav/', undefined, 'application/xml; charset=utf-8'])
  })

  it('has the document of the caller as it is', async () => {
    // RFC 5323, section 2.2.1.
    const body =
      '<?xml version="1.0"?>\n<D:searchrequest xmlns:D="DAV:" xmlns:F="http://example.com/foo"><F:natural-language-query>Find the locations of good Thai restaurants</F:natural-language-query></D:searchrequest>'
    await dav.search('', {body}).collect()
    expect(server.requests[0]?.body).toBe(body)
    expect(server.requests[0]?.url).toBe('/files/')
  })

  it('has the element of the caller as its document', async () => {
    await dav
      .search('', {
        body: {name: 'searchrequest', children: [{name: '{urn:x}query', children: ['a < b']}]},
      })
      .collect()
    expect(document()).toBe(
      '<D:searchrequest xmlns:D="DAV:" xmlns:n1="urn:x"><n1:query>a &lt; b</n1:query></D:searchrequest>',
    )
  })

  it('is a basic search of the target with everything below it', async () => {
    await dav.search('photos/', {where, properties: ['getetag', '{urn:x}size']}).collect()
    expect(document()).toBe(
      `<D:searchrequest xmlns:D="DAV:" xmlns:n1="urn:x"><D:basicsearch><D:select><D:prop><D:getetag/><n1:size/></D:prop></D:select><D:from><D:scope><D:href>${server.url}files/photos/</D:href><D:depth>infinity</D:depth></D:scope></D:from><D:where><D:is-collection/></D:where></D:basicsearch></D:searchrequest>`,
    )
  })

  it('has the scope, the depth, the order and the limit of the caller', async () => {
    const like = {
      name: 'like',
      children: [
        {name: 'prop', children: [{name: 'displayname'}]},
        {name: 'literal', children: ['%.jpg']},
      ],
    }
    const orderBy = [{property: 'getlastmodified', descending: true}, {property: 'displayname'}]
    await dav
      .search('/dav/', {
        where: like,
        properties: ['getetag'],
        scope: 'a b/',
        depth: 1,
        limit: 20,
        orderBy,
      })
      .collect()
    expect(document()).toBe(
      `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select><D:prop><D:getetag/></D:prop></D:select><D:from><D:scope><D:href>${server.url}files/a%20b/</D:href><D:depth>1</D:depth></D:scope></D:from><D:where><D:like><D:prop><D:displayname/></D:prop><D:literal>%.jpg</D:literal></D:like></D:where><D:orderby><D:order><D:prop><D:getlastmodified/></D:prop><D:descending/></D:order><D:order><D:prop><D:displayname/></D:prop></D:order></D:orderby><D:limit><D:nresults>20</D:nresults></D:limit></D:basicsearch></D:searchrequest>`,
    )
  })

  it('asks for the properties of a file listing by default', async () => {
    await dav.search('', {where}).collect()
    expect(document()).toContain(
      '<D:select><D:prop><D:getcontentlength/><D:getcontenttype/><D:getetag/><D:getlastmodified/><D:resourcetype/></D:prop></D:select>',
    )
  })

  it.each<[unknown, RegExp]>([
    [{}, /search: give body, or else where/],
    [{body: '<x/>', where}, /give body, or else where/],
    [{body: '<x/>', limit: 1}, /give body, or else where/],
    [{limit: 1}, /search: where is missing/],
    [{where: 'displayname'}, /search: where is an element such as/],
    [{where: {name: 'eq', children: 'x'}}, /search: where is an element such as/],
    [{body: ''}, /search: body is the text/],
    [{where, limit: 0}, /limit is a whole number above zero, not 0/],
    [{where, limit: 1.5}, /limit is a whole number above zero, not 1.5/],
    [{where, depth: 2}, /depth is 0, 1/],
    [{where, properties: []}, /name at least one property/],
    [{where, scope: 'https://other.example/'}, /other\.example/],
    [{where, orderBy: 'getetag'}, /orderBy is an array/],
    [{where, order: []}, /no option "order"; the nearest is orderBy/],
    [{where, orderBy: ['getetag']}, /orderBy: give an object with property, descending/],
    [{where, orderBy: [{descending: true}]}, /"" is not a name/],
    [{where, orderBy: [{property: 'getetag', desc: true}]}, /the nearest is descending/],
  ])('is refused before it is sent: %o', (options, message) => {
    expect(() => dav.search('', options as never)).toThrow(message)
    expect(server.requests).toEqual([])
  })
})

describe('the answer to a search', () => {
  it('is a listing of the matches, in the order of the server', async () => {
    server.answers(answer207(multistatus(response('/dav/files/b'), response('/dav/files/a/1'))))
    const {successes, summary} = await dav.search('/dav/', {where}).collect()
    expect(successes.map(line)).toEqual([
      '200 descendant /dav/files/b',
      '200 descendant /dav/files/a/1',
    ])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 0,
      requests: 1,
    })
  })

  it.each([
    ['the target', '/dav/'],
    ['the scope', '/files/'],
  ])('is cut short by a 507 of %s', async (_, href) => {
    // RFC 5323, section 2.3.2.
    const words =
      '<D:responsedescription>Only first two matching records were returned</D:responsedescription>'
    server.answers(
      answer207(
        multistatus(
          response('/files/a'),
          verdict(href, 'HTTP/1.1 507 Insufficient Storage', words),
        ),
      ),
    )
    const {successes, failures, summary} = await dav
      .search('/dav/', {where, scope: '/files/'})
      .collect()
    expect(successes.map(({href: found}) => found)).toEqual(['/files/a'])
    expect(failures).toMatchObject([
      {status: 507, description: 'Only first two matching records were returned'},
    ])
    expect(summary.incomplete).toEqual([
      {href: server.url.slice(0, -1) + href, reason: 'storage', status: 507},
    ])
  })

  it('that refuses the search is an error', async () => {
    server.answers({
      status: 422,
      body: '<D:error xmlns:D="DAV:"><D:search-grammar-supported/></D:error>',
    })
    const {error} = await readToEnd(dav.search('/dav/', {where}))
    expect(error).toMatchObject({
      name: 'DavHttpError',
      status: 422,
      conditions: ['search-grammar-supported'],
    })
    expect(String(error)).toBe(
      `DavHttpError: SEARCH ${server.url}dav/ answered 422: search-grammar-supported`,
    )
  })

  it('is no text: only a report may have one', async () => {
    server.answers({status: 200, headers: {'content-type': 'text/plain'}, body: 'found nothing'})
    const {results, error} = await readToEnd(dav.search('/dav/', {where}))
    expect(results).toEqual([])
    expect(error).toMatchObject({
      name: 'MultiStatusError',
      method: 'SEARCH',
      reason: 'not-multistatus',
    })
  })
})

describe('retry of a search', () => {
  it('sends the same document again', async () => {
    server.answers(
      answer207(multistatus(verdict('/files/a', 'HTTP/1.1 503 Busy'))),
      answer207(multistatus(response('/files/a'))),
    )
    const {failures} = await dav.search('/dav/', {where}).collect()
    const body = server.requests[0]?.body
    expect(failures[0]?.request).toEqual({
      method: 'SEARCH',
      url: `${server.url}dav/`,
      body,
      attempts: 1,
    })
    const {successes} = await dav.retry(failures, {attempts: 2, minDelay: 1}).collect()
    expect(successes.map(({href}) => href)).toEqual(['/files/a'])
    expect(server.requests[1]).toMatchObject({method: 'SEARCH', url: '/dav/', body})
  })
})
