// States that one raw request takes the client's way: credentials, redirects, time limits, guards, and the pace that a server
// asks for. Its answer is given as it is, and holds its connection until the body has ended. RFC 9110, section 9.

import {
  basicAuth,
  DavClient,
  type DavClientOptions,
  type DavResponse,
  type Transport,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, NEVER, RESET, startFaultServer} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

async function textOf({body}: DavResponse): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_, makeTransport) => {
  const open = (options: Partial<DavClientOptions> = {}): DavClient =>
    new DavClient({url: `${server.url}files/`, transport: makeTransport(), ...options})

  it('sends the method, the headers, the Depth and the body', async () => {
    server.answers({status: 200})
    const dav = open({headers: {'x-client': '1', 'x-both': '1'}})
    await dav.request('report', 'a', {headers: {'X-Both': '2'}, depth: 1, body: '<x/>'})
    expect(server.requests).toMatchObject([
      {
        method: 'REPORT',
        url: '/files/a',
        headers: {'x-client': '1', 'x-both': '2', depth: '1'},
        body: '<x/>',
      },
    ])
  })

  it('sends no Depth and no body unless there is one', async () => {
    server.answers({status: 200})
    await open().request('GET', 'a')
    expect(server.requests[0]?.headers['depth']).toBeUndefined()
    expect(server.requests[0]?.body).toBe('')
  })

  it('gives the status, the headers and the bytes of the body', async () => {
    server.answers({status: 200, headers: {'x-a': 'b'}, body: [bytes('caf\u00e9'), 5, bytes(' 2')]})
    const response = await open().request('GET', 'a')
    expect(response.status).toBe(200)
    expect(response.headers.get('X-A')).toBe('b')
    expect(await textOf(response)).toBe('caf\u00e9 2')
  })

  it('has no body for a 204 and a HEAD', async () => {
    server.answers({status: 204}, {status: 200, headers: {'content-length': '5'}})
    const dav = open()
    expect(await textOf(await dav.request('OPTIONS', 'a'))).toBe('')
    expect(await textOf(await dav.request('HEAD', 'a'))).toBe('')
  })

  it.each([404, 423, 500, 503])('gives an answer of %i, and retries nothing', async (status) => {
    server.answers({status, headers: {'retry-after': '0'}, body: 'no'})
    const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
    const response = await open({retry}).request('GET', 'a')
    expect(response.status).toBe(status)
    expect(await textOf(response)).toBe('no')
    expect(server.requests).toHaveLength(1)
  })

  it('sends the credentials', async () => {
    server.answers({status: 200})
    await open({auth: basicAuth('ana', 'x')}).request('GET', 'a')
    expect(server.requests[0]?.headers.authorization).toBe('Basic YW5hOng=')
  })

  it('follows a redirect within the origin for a safe method, and tells the URL', async () => {
    server.answers({status: 302, headers: {location: '/other/b'}}, {status: 200, body: 'b'})
    const response = await open().request('GET', 'a')
    expect(response.url).toBe(`${server.url}other/b`)
    expect(await textOf(response)).toBe('b')
  })

  it('gives the redirect itself for a method that changes something', async () => {
    server.answers({status: 302, headers: {location: '/other/b'}})
    expect((await open().request('PUT', 'a', {body: 'x'})).status).toBe(302)
    expect(server.requests).toHaveLength(1)
  })

  it('rejects with a DavNetworkError for a connection that breaks before the answer', async () => {
    server.answers(RESET)
    await expect(open().request('POST', 'a')).rejects.toMatchObject({
      name: 'DavNetworkError',
      method: 'POST',
      url: `${server.url}files/a`,
    })
  })

  it('throws a DavNetworkError in a body that breaks', async () => {
    server.answers({status: 200, headers: {'content-length': '9'}, body: ['abc', 20, RESET]})
    const response = await open().request('GET', 'a')
    await expect(textOf(response)).rejects.toMatchObject({name: 'DavNetworkError', method: 'GET'})
  })

  it('rejects with a DavTimeoutError for an answer, or a body, that does not come in time', async () => {
    server.script(({url}) => (url === '/files/a' ? NEVER : {status: 200, body: ['abc', NEVER]}))
    const dav = open({timeout: 100})
    await expect(dav.request('GET', 'a')).rejects.toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'headers',
    })
    const response = await dav.request('GET', 'b')
    await expect(textOf(response)).rejects.toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'idle',
    })
  })

  it('ends with the signal: before the answer, and in its body', async () => {
    server.script(({url}) => (url === '/files/a' ? NEVER : {status: 200, body: ['abc', NEVER]}))
    const reason = new Error('enough')
    const abortSoon = (): AbortSignal => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(reason), 60)
      return controller.signal
    }
    const dav = open()
    await expect(dav.request('GET', 'a', {signal: abortSoon()})).rejects.toBe(reason)
    const response = await dav.request('GET', 'b', {signal: abortSoon()})
    await expect(textOf(response)).rejects.toBe(reason)
    expect(await server.requests[1]?.ended).toBe('closed')
  })

  it('sends nothing for a signal that is aborted already', async () => {
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(open().request('GET', 'a', {signal})).rejects.toBe(reason)
    expect(server.requests).toHaveLength(0)
  })

  it('frees the connection of a body that is given up', async () => {
    server.answers({status: 200, body: ['abc', NEVER]})
    const dav = open()
    const cancelled = await dav.request('GET', 'a')
    await cancelled.body?.cancel?.()
    expect(await server.requests[0]?.ended).toBe('closed')
    for await (const chunk of (await dav.request('GET', 'b')).body ?? [])
      if (chunk.length > 0) break
    expect(await server.requests[1]?.ended).toBe('closed')
  })

  it('keeps no other request from being sent while its body lies unread', async () => {
    server.answers({status: 200, body: 'x'.repeat(100_000)})
    const dav = open()
    const unread = await dav.request('GET', 'a')
    expect(await textOf(await dav.request('GET', 'b'))).toHaveLength(100_000)
    expect(await textOf(unread)).toHaveLength(100_000)
  })

  it('waits as long as a 503 asks', async () => {
    server.answers({status: 503, headers: {'retry-after': '1'}}, {status: 200})
    const dav = open({retry: {maxRetryAfter: 200}})
    await dav.request('GET', 'a')
    const began = performance.now()
    expect((await dav.request('GET', 'b')).status).toBe(200)
    expect(performance.now() - began).toBeGreaterThan(150)
  })
})

describe('a pool with one connection', () => {
  it('lets the next request through while a body lies unread', async () => {
    server.answers({status: 200, body: 'x'.repeat(500_000)})
    const transport = undiciTransport({connections: 1})
    const dav = new DavClient({url: server.url, transport})
    const unread = await dav.request('GET', 'a')
    expect((await dav.request('GET', 'b')).status).toBe(200)
    expect(await textOf(unread)).toHaveLength(500_000)
    expect(server.connections).toBe(1)
  })
})

describe('the guards', () => {
  const sent: string[] = []
  const dav = new DavClient({
    url: 'https://dav.example/files/ana/',
    transport: async ({method, url, headers}) => {
      const {destination} = headers
      sent.push([method, url, ...(destination === undefined ? [] : [destination])].join(' '))
      return {status: 204, headers: new Headers(), body: null}
    },
  })
  beforeEach(() => {
    sent.length = 0
  })

  it.each([
    ['DELETE', ''],
    ['delete', ''],
    ['DELETE', '../'],
    ['DELETE', '/files/bob/a'],
    ['DELETE', '%2e%2e/'],
    ['MOVE', ''],
    ['PUT', '/files/bob/a'],
    ['PATCH', '/files/bob/a'],
    ['X-UNKNOWN', ''],
    ['DELETE', 'a%00'],
    ['DELETE', 'a/..%2f'],
  ])('refuse %s %j, and allow it unguarded', async (method, href) => {
    await expect(dav.request(method, href)).rejects.toThrow(TypeError)
    expect(sent).toEqual([])
    expect((await dav.request(method, href, {unguarded: true})).status).toBe(204)
    expect(sent).toHaveLength(1)
  })

  it.each([
    ['GET', '/files/bob/a'],
    ['PROPFIND', ''],
    ['MKCOL', '/files/bob/'],
    ['PROPPATCH', ''],
    ['LOCK', ''],
    ['POST', ''],
    ['DELETE', 'a'],
    ['PUT', 'b/c'],
  ])('allow %s %j', async (method, href) => {
    expect((await dav.request(method, href)).status).toBe(204)
  })

  it('refuse a Destination that is the base, outside it or on another origin', async () => {
    for (const destination of ['', '/files/bob/a', 'https://other.example/a', 'a#b'])
      await expect(dav.request('COPY', 'a', {headers: {destination}})).rejects.toThrow(TypeError)
    expect(sent).toEqual([])
  })

  it('refuse a Destination that is the source, in it or around it', async () => {
    const pairs = [
      ['a', '%61'],
      ['a', 'a/b'],
      ['a/b', 'a'],
    ] as const
    for (const [from, destination] of pairs) {
      const options = {headers: {destination}, unguarded: true}
      await expect(dav.request('MOVE', from, options)).rejects.toThrow(/is refused: the/)
    }
    // Without the header, Overwrite is T. RFC 4918, section 10.6.
    const renamed = {destination: 'A'}
    await expect(dav.request('MOVE', 'a', {headers: renamed})).rejects.toThrow(/some servers/)
    expect(sent).toEqual([])
    await dav.request('MOVE', 'a', {headers: {...renamed, overwrite: 'F'}})
    expect(sent).toHaveLength(1)
  })

  it('send a Destination as an absolute URL', async () => {
    await dav.request('MOVE', 'a', {headers: {Destination: 'b c/'}})
    await dav.request('COPY', 'a', {headers: {Destination: '/files/bob/a'}, unguarded: true})
    expect(sent).toEqual([
      'MOVE https://dav.example/files/ana/a https://dav.example/files/ana/b%20c/',
      'COPY https://dav.example/files/ana/a https://dav.example/files/bob/a',
    ])
  })

  it.each(['https://other.example/a', 'a#b', 'a?b', 'a%'])(
    'refuse the target %j for every method',
    async (target) => {
      await expect(dav.request('GET', target, {unguarded: true})).rejects.toThrow(TypeError)
    },
  )
})

describe('an argument that makes no sense', () => {
  const dav = new DavClient({
    url: 'https://dav.example/',
    transport: () => Promise.reject(new Error('sent')),
  })
  const request = (...given: readonly unknown[]): Promise<unknown> =>
    Reflect.apply(dav.request.bind(dav), undefined, given)

  it.each<[string, readonly unknown[], RegExp]>([
    [
      'an unknown option',
      ['GET', 'a', {header: {}}],
      /request: there is no option "header"; the nearest is headers/,
    ],
    ['a limit of the client', ['GET', 'a', {timeout: {connect: 5}}], /timeout: .*"connect"/],
    ['a depth of 2', ['GET', 'a', {depth: 2}], /depth is 0, 1/],
    ['a walk', ['GET', 'a', {depth: {walk: true}}], /depth is 0, 1/],
    ['no method', [undefined, 'a'], /method is a string/],
    ['CONNECT', ['connect', 'a'], /"CONNECT" is no method that can be sent/],
    ['a header with a line feed', ['GET', 'a', {headers: {a: 'b\nc'}}], /the value of a/],
    ['no target', ['GET'], /target/],
    [
      'Overwrite: f, which servers take for T',
      ['MOVE', 'a', {headers: {destination: '/b', overwrite: 'f'}}],
      /MOVE .* is not sent: Overwrite is T or F/,
    ],
    [
      'a part of a file, which servers take for the whole',
      ['PUT', 'a', {headers: {'Content-Range': 'bytes 0-3/17'}, body: 'abcd'}],
      /PUT .* is not sent: .*Content-Range/,
    ],
  ])('is refused before anything is sent: %s', async (_, given, message) => {
    await expect(request(...given)).rejects.toThrow(message)
  })
})

it('sends a part of a file, if told so', async () => {
  const sent: unknown[] = []
  const transport: Transport = async ({method, headers}) => {
    sent.push([method, headers['content-range']])
    return {status: 204, headers: new Headers(), body: null}
  }
  const dav = new DavClient({url: 'https://dav.example/', transport})
  const headers = {'content-range': 'bytes 0-3/17'}
  await dav.request('PUT', 'a', {headers, body: 'abcd', unguarded: true})
  expect(sent).toEqual([['PUT', 'bytes 0-3/17']])
})

describe('an error', () => {
  it('has the line of the call in its stack', async () => {
    const dav = new DavClient({
      url: 'https://dav.example/',
      transport: () => Promise.reject(new Error('cut')),
    })
    const error = await dav.request('GET', 'a').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(String(error instanceof Error && error.stack)).toMatch(
      /called from ---\n.*(?:request\.test|dav-client)/,
    )
  })
})
