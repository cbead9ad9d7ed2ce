// States the result of stat: the one of the resource itself, at any place of the answer. Without one, stat throws.
// RFC 4918, section 9.1.

import {DavClient, type Failure, isRetryable} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  OPEN,
  SHUT,
  startFaultServer,
} from '../support/fault-server.ts'
import {propstat, verdict} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

describe('stat', () => {
  it('is the result of the resource', async () => {
    const prop = '<D:getcontentlength>5</D:getcontentlength><D:getetag>"1"</D:getetag>'
    server.answers(
      answer207(
        `${OPEN}<D:response><D:href>/docs/a</D:href>${propstat('HTTP/1.1 200 OK', prop)}</D:response>${SHUT}`,
      ),
    )
    expect(await dav.stat('docs/a')).toEqual({
      ok: true,
      href: '/docs/a',
      url: `${server.url}docs/a`,
      relation: 'self',
      status: 200,
      properties: {getcontentlength: 5, getetag: '"1"'},
      missing: [],
    })
  })

  it('finds it among members: a server may ignore the Depth', async () => {
    server.answers(answer207(listing('/docs/a.txt', '/docs', '/docs/b.txt')))
    expect(await dav.stat('docs/')).toMatchObject({href: '/docs', relation: 'self'})
  })

  it('is the only result of the answer: a proxy may have another path', async () => {
    server.answers(answer207(listing('/inner/docs/')))
    expect(await dav.stat('docs/')).toMatchObject({ok: true, href: '/inner/docs/'})
  })

  it('is a Failure if the answer has one for the resource', async () => {
    server.answers(answer207(OPEN + verdict('/docs/a', 'HTTP/1.1 403 Forbidden') + SHUT))
    expect(await dav.stat('docs/a')).toMatchObject({ok: false, status: 403, reason: 'status'})
  })

  it('is a Success if the resource has none of the properties', async () => {
    const none = propstat('HTTP/1.1 404 Not Found', '<D:getetag/>')
    server.answers(answer207(`${OPEN}<D:response><D:href>/a</D:href>${none}</D:response>${SHUT}`))
    expect(await dav.stat('a', {properties: ['getetag']})).toMatchObject({
      ok: true,
      status: 200,
      properties: {},
      missing: [{name: 'getetag', status: 404}],
    })
  })

  it.each([404, 410])(
    'is a Failure for a plain %d, with its words and the request',
    async (status) => {
      const body =
        '<D:error xmlns:D="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>File with name a could not be located</s:message></D:error>'
      server.answers({status, body})
      expect(await dav.stat('docs/a', {properties: ['getetag']})).toEqual({
        ok: false,
        href: '/docs/a',
        url: `${server.url}docs/a`,
        relation: 'self',
        status,
        reason: 'status',
        conditions: ['{http://sabredav.org/ns}message'],
        missing: [],
        description: 'File with name a could not be located',
        request: {
          method: 'PROPFIND',
          url: `${server.url}docs/a`,
          depth: 0,
          body: expect.stringContaining('getetag'),
          attempts: 1,
        },
      })
    },
  )

  it.each([401, 403, 405, 423, 500, 503])(
    'gives a Failure for a refusal with %s',
    async (status) => {
      server.answers({status})
      expect(await dav.stat('docs/a')).toMatchObject({
        ok: false,
        url: `${server.url}docs/a`,
        relation: 'self',
        status,
        reason: 'status',
        request: {method: 'PROPFIND', url: `${server.url}docs/a`, depth: 0, attempts: 1},
      })
    },
  )

  it('gives the number of attempts of a Success that was sent again', async () => {
    server.answers({status: 503}, answer207(listing('/docs/a')))
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    expect(await dav.stat('docs/a', {retry})).toMatchObject({ok: true, status: 200, attempts: 2})
  })

  it('gives a Failure whose retry tells the attempts of both calls', async () => {
    server.answers({status: 503}, answer207(listing('/docs/a')))
    const failure = await dav.stat('docs/a')
    const {successes} = await dav.retry([failure as Failure]).collect()
    expect(successes).toMatchObject([{url: `${server.url}docs/a`, status: 200, attempts: 2}])
  })

  it('is no 404, but a refusal, if a redirect led to another resource that is missing', async () => {
    server.answers({status: 302, headers: {location: '/elsewhere'}}, {status: 404})
    const result = await dav.stat('docs/a')
    expect(result).toMatchObject({
      ok: false,
      url: `${server.url}docs/a`,
      status: 0,
      reason: 'refused',
      location: `${server.url}elsewhere`,
      description: expect.stringContaining('404'),
    })
    expect(isRetryable(result as Failure)).toBe(false)
  })

  it.each([
    ['nothing', []],
    ['only members', ['/docs/a', '/docs/b']],
  ])('does not tell if the answer names %s', async (_, hrefs) => {
    server.answers(answer207(listing(...hrefs)))
    expect(await dav.stat('docs/')).toMatchObject({
      ok: false,
      url: `${server.url}docs/`,
      relation: 'self',
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      description: expect.stringContaining(`${server.url}docs/`),
      request: {method: 'PROPFIND', depth: 0, attempts: 1},
    })
  })
})

describe('exists', () => {
  it('asks for the type with Depth 0', async () => {
    server.answers(answer207(listing('/docs/a')))
    expect(await dav.exists('docs/a')).toBe(true)
    const [request] = server.requests
    expect(request).toMatchObject({method: 'PROPFIND', url: '/docs/a', headers: {depth: '0'}})
    expect(request?.body).toMatch(/prop>\s*<D:resourcetype\/>\s*<\/D:prop>/)
  })

  it.each([401, 403, 500])('throws for a %d: nobody knows', async (status) => {
    server.answers({status})
    await expect(dav.exists('docs/a')).rejects.toMatchObject({name: 'DavHttpError', status})
  })

  it('throws for a redirect to another resource', async () => {
    const found = {status: 302, headers: {location: '/elsewhere'}}
    server.answers(found, answer207(listing('/elsewhere')), found, {status: 404})
    await expect(dav.exists('docs/a')).rejects.toMatchObject({
      name: 'DavError',
      message: `PROPFIND ${server.url}docs/a was redirected to ${server.url}elsewhere, which is another resource`,
    })
    await expect(dav.exists('docs/a')).rejects.toMatchObject({name: 'DavHttpError', status: 404})
  })

  it('is true of the collection to which the slash redirects', async () => {
    const location = {status: 301, headers: {location: '/docs/'}}
    server.answers(location, answer207(listing('/docs/')))
    expect(await dav.exists('docs')).toBe(true)
  })

  it('asks again by its policy', async () => {
    server.answers({status: 503}, {status: 404})
    expect(await dav.exists('docs/a', {retry: {attempts: 2, minDelay: 1}})).toBe(false)
  })

  it('rejects with the reason of its signal', async () => {
    const reason = new Error('enough')
    await expect(dav.exists('a', {signal: AbortSignal.abort(reason)})).rejects.toBe(reason)
  })

  it('rejects with a TypeError for an unknown option and an invalid target', async () => {
    const options: object = {depth: 1}
    await expect(dav.exists('a', options)).rejects.toBeInstanceOf(TypeError)
    await expect(dav.exists('a#b')).rejects.toBeInstanceOf(TypeError)
    expect(server.requests).toEqual([])
  })
})
