// States the redirects that are followed: with the same method and body, within the client's own origin. A DELETE follows
// only the one to the slash of a collection. RFC 9110, section 15.4; RFC 4918, section 5.2.

import {basicAuth, DavClient, partition, unwrap} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {answer207, type FaultServer, listing, startFaultServer} from '../support/fault-server.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let other: FaultServer

beforeEach(async () => {
  server = await startFaultServer()
  other = await startFaultServer()
  other.answers(answer207(listing('/docs/')))
})

afterEach(() => Promise.all([server.close(), other.close()]))

/** Answers the URL with a redirect, and everything else with a listing of itself. */
function redirect(from: string, status: number, location: string): void {
  server.script(({url}) =>
    url === from ? {status, headers: {location}, body: 'Moved'} : answer207(listing(url)),
  )
}

/** Answers the URL with a redirect without a body: only then does Node write the characters of a header as bytes. */
function redirectRaw(from: string, location: Buffer): void {
  const headers = {location: location.toString('latin1')}
  server.script(({url}) => (url === from ? {status: 302, headers} : answer207(listing(url))))
}

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport) => {
  const open = (): DavClient =>
    new DavClient({url: server.url, transport, auth: basicAuth('ana', 'secret')})

  describe.each([301, 302, 307, 308])('%i', (status) => {
    it('for a missing slash is followed once, with method, Depth, body and credentials', async () => {
      redirect('/docs', status, '/docs/')
      const {successes, summary} = await open().propfind('docs', {depth: 'infinity'}).collect()
      expect(successes).toMatchObject([{href: '/docs/', relation: 'self'}])
      // It showed no member, so the URL that answered is asked for its members once more.
      expect(summary).toMatchObject({complete: true, requests: 3})
      expect(server.requests.map(({url}) => url)).toEqual(['/docs', '/docs/', '/docs/'])
      const [first, second] = server.requests
      expect(second).toMatchObject({method: 'PROPFIND', body: first?.body})
      expect(second?.body).toContain('<D:prop>')
      expect(second?.headers).toMatchObject({
        depth: 'infinity',
        authorization: first?.headers.authorization,
        'content-type': first?.headers['content-type'],
      })
    })

    it('for a missing slash is followed by DELETE', async () => {
      server.script(({url}) =>
        url === '/docs' ? {status, headers: {location: `${server.url}docs/`}} : {status: 204},
      )
      const {successes} = partition(resultsOf(await open().delete('docs')))
      expect(successes).toMatchObject([{relation: 'self', status: 204}])
      expect(server.requests).toMatchObject([
        {method: 'DELETE', url: '/docs', headers: {depth: 'infinity'}},
        {method: 'DELETE', url: '/docs/', headers: {depth: 'infinity'}},
      ])
    })

    it('to another path of the origin is followed by PROPFIND', async () => {
      redirect('/docs/', status, '/archive/')
      const {successes} = await open().propfind('docs/').collect()
      // It is another resource than the one that was asked for.
      expect(successes).toMatchObject([{href: '/archive/', relation: 'outside'}])
      expect(server.requests.map(({url}) => url)).toEqual(['/docs/', '/archive/'])
    })

    it('to another path is not followed by DELETE: it would delete a resource that nobody named', async () => {
      server.script(() => ({status, headers: {location: '/archive/'}}))
      const {failures} = partition(resultsOf(await open().delete('docs/')))
      expect(failures).toMatchObject([
        {relation: 'self', status, reason: 'status', location: '/archive/'},
      ])
      expect(server.requests).toHaveLength(1)
    })

    it('to another origin is a DavHttpError with its location, and nothing is sent there', async () => {
      redirect('/docs/', status, `${other.url}docs/`)
      await expect(open().propfind('docs/').collect()).rejects.toMatchObject({
        name: 'DavHttpError',
        status,
        location: `${other.url}docs/`,
        message: `PROPFIND ${server.url}docs/ (Depth: 1) answered ${status} (Location: ${other.url}docs/)`,
      })
      expect(server.requests).toHaveLength(1)
      expect(other.requests).toEqual([])
    })
  })

  it.each([
    ['another host', 'http://inner.example/docs/'],
    ['another port', 'http://127.0.0.1:1/docs/'],
    ['https', 'https://127.0.0.1/docs/'],
    ['no scheme', '//inner.example/docs/'],
    ['credentials', 'http://eve:evil@inner.example/docs/'],
    ['a query and a fragment', 'http://inner.example/docs/?x=1#top'],
    ['no path before it', 'docs/'],
  ])('stays on its own origin if the slash is on %s', async (_what, location) => {
    redirect('/docs', 301, location)
    const {successes} = await open().propfind('docs').collect()
    expect(successes).toMatchObject([{url: `${server.url}docs/`, relation: 'self'}])
    expect(server.requests.map(({url}) => url)).toEqual(['/docs', '/docs/'])
  })

  it.each([
    ['/d%C3%B6cs', '/d%c3%b6cs/'],
    ['/%7Eana', '/~ana/'],
    ["/it's", '/it%27s/'],
  ])('knows the slash under another escaping: %s, %s', async (path, location) => {
    // Apache writes lower-case hex, whatever it was asked with.
    const proxied = `http://inner.example${location}`
    server.script(({url, method}) => {
      if (url === path) return {status: 301, headers: {location: proxied}}
      return method === 'DELETE' ? {status: 204} : answer207(listing(url))
    })
    expect((await open().propfind(path).collect()).successes).toMatchObject([{relation: 'self'}])
    expect(partition(resultsOf(await open().delete(path))).successes).toMatchObject([{status: 204}])
    expect(server.requests).toHaveLength(4)
  })

  it.each([
    ['UTF-8', 'utf8', '/d%C3%A9/'],
    ['bytes that are not UTF-8', 'latin1', '/d%E9/'],
  ] as const)(
    'follows a Location in raw %s to the path of its bytes',
    async (_what, encoding, path) => {
      redirectRaw('/docs', Buffer.from('/dé/', encoding))
      const {successes} = await open().propfind('docs').collect()
      expect(successes).toMatchObject([{url: `${server.url}${path.slice(1)}`}])
      expect(server.requests.map(({url}) => url)).toEqual(['/docs', path])
    },
  )

  it('follows the slash in a Location with a raw comma and blank', async () => {
    redirectRaw('/Smith,%20Ana', Buffer.from('/Smith, Ana/'))
    await open().propfind('Smith,%20Ana').collect()
    expect(server.requests.map(({url}) => url)).toEqual(['/Smith,%20Ana', '/Smith,%20Ana/'])
  })

  it('decodes a Location in raw UTF-8', async () => {
    redirectRaw('/docs/', Buffer.from('http://b.example/é/😀'))
    await expect(open().propfind('docs/').collect()).rejects.toMatchObject({
      location: 'http://b.example/é/😀',
    })
  })

  it('leaves other headers that are no UTF-8 as they are', async () => {
    const headers = {server: 'caf\u00e9', 'x-utf8': 'caf\u00c3\u00a9', 'x-plain': 'cafe'}
    server.answers({status: 204, headers})
    const response = await open().request('DELETE', 'a')
    expect(
      ['server', 'X-UTF8', 'x-plain', 'x-none'].map((name) => response.headers.get(name)),
    ).toEqual(['café', 'café', 'cafe', null])
  })

  it('follows a 303 to a GET', async () => {
    server.answers({status: 303, headers: {location: '/b'}}, {status: 200, body: 'text'})
    const found = unwrap(await open().get('a'))
    expect(await found.text()).toBe('text')
    expect(server.requests.map(({method, url}) => `${method} ${url}`)).toEqual(['GET /a', 'GET /b'])
  })

  it.each([300, 303, 304, 305])('does not follow %i', async (status) => {
    redirect('/docs/', status, '/archive/')
    await expect(open().propfind('docs/').collect()).rejects.toMatchObject({status})
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['is missing', {}],
    ['is nonsense', {location: 'http://['}],
    ['is the same URL', {location: '/docs/'}],
    ['is there twice', {location: '/b/, /b/'}],
  ])('does not follow a 301 whose Location %s', async (_what, headers) => {
    server.answers({status: 301, headers})
    await expect(open().propfind('docs/').collect()).rejects.toMatchObject({status: 301})
    expect(server.requests).toHaveLength(1)
  })

  it.each([
    ['between two URLs', ({url}: {url: string}) => (url === '/a/' ? '/b/' : '/a/')],
    ['that always adds a slash', ({url}: {url: string}) => `${url}/`],
    ['that never ends', ({url}: {url: string}) => `${url}x/`],
  ])('gives up a circle %s', async (_what, next) => {
    server.script((request) => ({status: 302, headers: {location: next(request)}}))
    await expect(open().propfind('a/').collect()).rejects.toMatchObject({
      name: 'DavHttpError',
      status: 302,
    })
    expect(server.requests.length).toBeLessThanOrEqual(10)
  })

  it('gives up a DELETE that is led from slash to slash', async () => {
    server.script(({url}) => ({status: 301, headers: {location: `${url}/`}}))
    const {failures} = partition(resultsOf(await open().delete('a')))
    expect(failures).toMatchObject([{relation: 'self', status: 301}])
    expect(server.requests.length).toBeLessThanOrEqual(10)
  })

  it('never leads a DELETE from the base to elsewhere, or from elsewhere to the base', async () => {
    server.script(() => ({status: 301, headers: {location: '/'}}))
    const {failures} = partition(resultsOf(await open().delete('docs/')))
    expect(failures).toMatchObject([{status: 301, location: '/'}])
    expect(server.requests).toHaveLength(1)
  })

  it('keeps the relation of members to the URL that answered', async () => {
    server.script(({url}) =>
      url === '/docs'
        ? {status: 301, headers: {location: '/docs/'}}
        : answer207(listing('/docs/', '/docs/a', '/docs/b/c')),
    )
    const {successes} = await open().propfind('docs').collect()
    expect(successes.map(({relation}) => relation)).toEqual(['self', 'member', 'descendant'])
  })
})
