// States the result of OPTIONS, and the requests that a client does not send because of it or of an earlier 501. RFC 4918,
// sections 10.1 and 18; RFC 9110, sections 9.3.7, 10.2.1 and 15.6.2.

import {DavClient, DavNetworkError} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  type Answer,
  answer207,
  type FaultServer,
  listing,
  NEVER,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Creates an answer to OPTIONS. */
function offering(allow: string, davHeader: string | string[] = '1'): Answer {
  return {status: 200, headers: {dav: davHeader, allow}}
}

/** Answers OPTIONS with this Allow header, and every other method with this status. */
function offer(allow: string, status = 204): void {
  server.script(({method}) => (method === 'OPTIONS' ? offering(allow) : {status}))
}

function methods(): readonly string[] {
  return server.requests.map(({method, url}) => `${method} ${url}`)
}

const READ_ONLY = 'OPTIONS, GET, HEAD, PROPFIND'

describe('options', () => {
  it('is one request without a body', async () => {
    offer('GET')
    await dav.options('a.txt')
    expect(server.requests).toMatchObject([{method: 'OPTIONS', url: '/a.txt', body: ''}])
    expect(server.requests[0]?.headers).not.toHaveProperty('depth')
  })

  it('gives classes, methods and extensions, each as a fact that the server said', async () => {
    server.answers({
      status: 200,
      headers: {dav: ['1, 3', 'extended-mkcol,<http://a/,b>'], allow: 'get, PROPFIND,,lock'},
    })
    expect(await dav.options('docs/')).toEqual({
      ok: true,
      href: '/docs/',
      url: `${server.url}docs/`,
      relation: 'self',
      status: 200,
      properties: {},
      missing: [],
      classes: ['1', '3'],
      methods: ['GET', 'PROPFIND', 'LOCK'],
      extensions: ['extended-mkcol', '<http://a/,b>'],
      facts: [
        {kind: 'class', name: '1', holds: true, source: 'said'},
        {kind: 'class', name: '3', holds: true, source: 'said'},
        {kind: 'extension', name: 'extended-mkcol', holds: true, source: 'said'},
        {kind: 'extension', name: '<http://a/,b>', holds: true, source: 'said'},
        {kind: 'method', name: 'GET', holds: true, source: 'said'},
        {kind: 'method', name: 'PROPFIND', holds: true, source: 'said'},
        {kind: 'method', name: 'LOCK', holds: true, source: 'said'},
      ],
    })
  })

  it('knows class 2 without class 1, and no class in "1 2"', async () => {
    server.answers(offering('GET', '2'), offering('GET', '1 2'))
    expect(await dav.options('')).toMatchObject({classes: ['2']})
    expect(await dav.options('')).toMatchObject({classes: [], extensions: ['1 2']})
  })

  it.each([200, 204, 207])('has empty lists without the headers, after a %i', async (status) => {
    server.answers({status})
    expect(await dav.options('')).toMatchObject({
      ok: true,
      status,
      classes: [],
      methods: [],
      extensions: [],
      facts: [],
    })
  })

  it.each([200, 500])('does not wait for the body of a %i, which never ends', async (status) => {
    server.answers({status, headers: {dav: '1'}, body: ['<html>', NEVER]})
    expect(await dav.options('')).toMatchObject({ok: status === 200, status})
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it.each([403, 404, 405, 501])('is a Failure for a %i', async (status) => {
    server.answers({status, headers: {allow: 'GET', dav: '1'}})
    expect(await dav.options('a')).toEqual({
      ok: false,
      href: '/a',
      url: `${server.url}a`,
      relation: 'self',
      status,
      reason: 'status',
      conditions: [],
      missing: [],
    })
  })

  it.each<[string, Answer, object]>([
    [
      'the conditions and words of an error',
      {
        status: 403,
        body: '<d:error xmlns:d="DAV:"><d:need-privileges/><s:message xmlns:s="http://sabredav.org/ns">no</s:message></d:error>',
      },
      {
        status: 403,
        conditions: ['need-privileges', '{http://sabredav.org/ns}message'],
        description: 'no',
      },
    ],
    [
      'a plain text',
      {status: 500, headers: {'content-type': 'text/plain'}, body: 'disk on fire\n'},
      {status: 500, conditions: [], description: 'disk on fire'},
    ],
    [
      'the missing credentials',
      {status: 401, headers: {'www-authenticate': 'Basic realm="a"'}},
      {status: 401, description: expect.stringContaining('the client sent no credentials')},
    ],
  ])('is a Failure with %s', async (_, answer, expected) => {
    server.answers(answer)
    expect(await dav.options('a')).toMatchObject({ok: false, reason: 'status', ...expected})
  })

  it('follows the redirect to the slash of a collection', async () => {
    server.script(({url}) =>
      url.endsWith('/') ? offering('GET') : {status: 301, headers: {location: '/docs/'}},
    )
    expect(await dav.options('docs')).toMatchObject({ok: true, href: '/docs', methods: ['GET']})
  })

  it('is refused after a redirect to another resource', async () => {
    server.script(({url}) =>
      url === '/b' ? offering('GET') : {status: 302, headers: {location: '/b'}},
    )
    expect(await dav.options('a')).toMatchObject({ok: false, reason: 'refused', status: 0})
    expect(await dav.delete('a')).toMatchObject({reason: 'status', status: 302})
  })

  it('is sent again by a policy', async () => {
    server.answers({status: 503}, RESET, offering('GET'))
    const retry = {attempts: 3, minDelay: 1}
    expect(await dav.options('', {retry})).toMatchObject({ok: true, attempts: 3})
  })

  it('rejects for a broken exchange', async () => {
    server.answers(RESET)
    await expect(dav.options('')).rejects.toThrow(DavNetworkError)
  })

  it('rejects with the reason of its signal', async () => {
    server.answers(NEVER)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(dav.options('', {signal})).rejects.toThrow('enough')
  })

  it('has a method that was answered with 501, although the server names it', async () => {
    offer('DELETE, GET', 501)
    await dav.delete('a')
    expect(await dav.options('b')).toMatchObject({
      methods: ['GET'],
      facts: [
        {kind: 'class', name: '1', holds: true, source: 'said'},
        {kind: 'method', name: 'GET', holds: true, source: 'said'},
        {kind: 'method', name: 'DELETE', holds: false, source: 'seen'},
      ],
    })
  })

  it('has a method that was answered with 2xx, although the server does not name it', async () => {
    offer('GET')
    await dav.delete('a')
    expect(await dav.options('b')).toMatchObject({methods: ['GET', 'DELETE']})
  })
})

describe('a method is seen', () => {
  it.each<[string, string, () => Promise<unknown>]>([
    ['by get', 'GET', () => dav.get('a.txt')],
    ['by a listing', 'PROPFIND', () => dav.propfind('docs/').collect()],
    ['by a raw request', 'REPORT', () => dav.request('report', 'docs/')],
  ])('%s', async (_, name, send) => {
    server.script(({method}) =>
      method === 'PROPFIND' ? answer207(listing('/docs/')) : {status: 200, body: 'a'},
    )
    await send()
    const capabilities = await dav.options('docs/')
    expect(capabilities).toMatchObject({methods: [name]})
    expect(capabilities).toMatchObject({facts: [{kind: 'method', name, source: 'seen'}]})
  })

  it('and a read leaves the methods that OPTIONS named for a resource', async () => {
    server.script(({method}) =>
      method === 'OPTIONS' ? offering(READ_ONLY) : {status: 200, body: 'a'},
    )
    await dav.options('a.txt')
    await dav.get('b.txt')
    expect(await dav.delete('a.txt')).toMatchObject({ok: false, reason: 'refused'})
  })
})

describe('a method that OPTIONS does not name', () => {
  it('is not sent to that resource', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    expect(await dav.delete('a')).toEqual({
      ok: false,
      href: '/a',
      url: `${server.url}a`,
      relation: 'self',
      status: 0,
      reason: 'refused',
      conditions: [],
      missing: [],
      description: `DELETE ${server.url}a is not sent: DELETE was not named in the answer to OPTIONS; say ignoreCapabilities: true if the server has it`,
    })
    expect(methods()).toEqual(['OPTIONS /a'])
  })

  it('is not sent to another spelling of the URL', async () => {
    offer(READ_ONLY)
    await dav.options('caf%c3%a9/')
    expect(await dav.delete('caf%C3%A9')).toMatchObject({reason: 'refused'})
  })

  it('is a refusal in a dry run too', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    expect(await dav.delete('a', {dryRun: true})).toMatchObject({ok: false, reason: 'refused'})
  })

  it('is sent to every other resource', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    const results = await Array.fromAsync(dav.deleteMany(['a', 'b', 'a2']))
    expect(results.map((result) => line(result)).toSorted()).toEqual([
      '0 refused self /a',
      '204 self /a2',
      '204 self /b',
    ])
  })

  it('is sent with ignoreCapabilities, and from then on without it', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    expect(await dav.delete('a', {ignoreCapabilities: true})).toMatchObject({status: 204})
    await dav.options('a')
    expect(await dav.delete('a')).toMatchObject({ok: true, status: 204})
  })

  it('is sent by another client', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    const other = new DavClient({url: server.url, transport})
    expect(await other.delete('a')).toMatchObject({status: 204})
  })

  it('counts by the newest answer', async () => {
    server.answers(offering(READ_ONLY), offering('DELETE'), {status: 403})
    await dav.options('a')
    await dav.options('a')
    expect(await dav.delete('a')).toMatchObject({status: 403, reason: 'status'})
  })

  it('is sent after a failed OPTIONS: nobody knows', async () => {
    server.script(({method}) =>
      method === 'OPTIONS' ? {...offering(READ_ONLY), status: 403} : {status: 204},
    )
    await dav.options('a')
    expect(await dav.delete('a')).toMatchObject({status: 204})
  })

  it('is sent if Allow is empty or missing', async () => {
    offer('')
    await dav.options('a')
    expect(await dav.delete('a')).toMatchObject({status: 204})
  })

  it('is sent if nothing was there at the time of OPTIONS', async () => {
    offer('OPTIONS, MKCOL, PUT, LOCK')
    await dav.options('a')
    expect(await dav.delete('a')).toMatchObject({status: 204})
  })

  it('is sent after it had a success at another resource', async () => {
    offer(READ_ONLY)
    await dav.options('a')
    server.answers({status: 403}, {status: 204}, {status: 403})
    await dav.delete('b')
    expect(await dav.delete('a')).toMatchObject({reason: 'refused'})
    await dav.delete('b')
    expect(await dav.delete('a')).toMatchObject({status: 403})
  })

  it('is forgotten of all but the last 100 resources', async () => {
    offer(READ_ONLY, 403)
    for (let number = 0; number <= 100; number++) await dav.options(`${number}`)
    expect(await dav.delete('0')).toMatchObject({status: 403})
    expect(await dav.delete('1')).toMatchObject({reason: 'refused'})
    expect(await dav.delete('100')).toMatchObject({reason: 'refused'})
  })
})

describe('a method that was answered with 501', () => {
  it('is not sent again', async () => {
    server.answers({status: 501})
    expect(await dav.delete('a')).toMatchObject({status: 501, reason: 'status'})
    expect(await dav.delete('b')).toMatchObject({
      status: 0,
      reason: 'refused',
      description: `DELETE ${server.url}b is not sent: DELETE was answered with 501 before; say ignoreCapabilities: true if the server has it`,
    })
    expect(methods()).toEqual(['DELETE /a'])
  })

  it('is a refusal of all further targets of the same call', async () => {
    server.answers({status: 501})
    const results = await Array.fromAsync(dav.deleteMany(['a', 'b', 'c'], {concurrency: 1}))
    expect(results.map((result) => line(result))).toEqual([
      '501 status self /a',
      '0 refused self /b',
      '0 refused self /c',
    ])
  })

  it('is sent with ignoreCapabilities, and from then on without it', async () => {
    server.answers({status: 501}, {status: 204})
    await dav.delete('a')
    expect(await dav.delete('a', {ignoreCapabilities: true})).toMatchObject({status: 204})
    expect(await dav.delete('b')).toMatchObject({status: 204})
    const [result] = await Array.fromAsync(dav.deleteMany(['c'], {ignoreCapabilities: true}))
    expect(result).toMatchObject({status: 204})
  })

  it('is sent if it had a success before', async () => {
    server.answers({status: 204}, {status: 501}, {status: 204})
    await dav.delete('a')
    expect(await dav.delete('b')).toMatchObject({status: 501})
    expect(await dav.delete('c')).toMatchObject({status: 204})
  })

  it('is sent by another client', async () => {
    server.answers({status: 501}, {status: 204})
    await dav.delete('a')
    const other = new DavClient({url: server.url, transport})
    expect(await other.delete('a')).toMatchObject({status: 204})
  })

  it('leaves other methods alone', async () => {
    server.answers({status: 501}, answer207(listing('/a')))
    await dav.delete('a')
    expect(await dav.exists('a')).toBe(true)
  })
})

it.each([403, 405])('a %i is of the resource, and no lack of the server', async (status) => {
  server.answers({status}, {status: 204})
  await dav.delete('a')
  expect(await dav.delete('b')).toMatchObject({status: 204})
})
