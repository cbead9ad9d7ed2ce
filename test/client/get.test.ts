// States that GET gives a resource with its content, counted and unread, or the Failure that the server told. A collection has
// no content, however the server answers for it. RFC 9110, sections 8.6, 9.3.1, 13.1 and 15.4.5.

import {setFlagsFromString} from 'node:v8'
import {runInNewContext} from 'node:vm'
import {gzipSync} from 'node:zlib'

import {unwrap, DavClient, type DavClientOptions, type Download, type Failure} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  CLOSE,
  type FaultServer,
  listing,
  NEVER,
  RESET,
  startFaultServer,
  type Answer,
} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'
import {refusalOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
})
afterEach(() => server.close())

/** Expects a Download, and returns it. */
function found(result: Download | Failure): Download {
  if (!result.ok) throw new Error(`${result.status} ${result.reason} ${result.description}`)
  return result
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const asked = (): string[] => server.requests.map(({method, url}) => `${method} ${url}`)

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
  ['fetch', fetchTransport],
] as const)('over %s', (_, makeTransport) => {
  const open = (options: Partial<DavClientOptions> = {}): DavClient =>
    new DavClient({url: `${server.url}files/`, transport: makeTransport(), ...options})

  describe('a resource', () => {
    const headers = {
      'content-length': '5',
      'content-type': 'text/plain; charset=utf-8',
      etag: 'W/"7-a"',
      'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT',
    }

    it('is a Success with its ETag, length, type and date', async () => {
      server.answers({status: 200, headers, body: 'hello'})
      const download = found(await open().get('a.txt'))
      expect(download).toEqual({
        ok: true,
        href: '/files/a.txt',
        url: `${server.url}files/a.txt`,
        relation: 'self',
        status: 200,
        properties: {},
        missing: [],
        etag: 'W/"7-a"',
        length: 5,
        type: 'text/plain; charset=utf-8',
        lastModified: new Date('1994-11-06T08:49:37Z'),
        body: expect.any(ReadableStream),
        bytes: expect.any(Function),
        text: expect.any(Function),
      })
      expect(await textOf(download.body)).toBe('hello')
      expect(asked()).toEqual(['GET /files/a.txt'])
    })

    it('has no facts that the server does not tell', async () => {
      server.answers({status: 200, body: ['hel', 5, 'lo']})
      const download = found(await open().get('a'))
      expect(Object.keys(download)).toEqual([
        'ok',
        'href',
        'url',
        'relation',
        'status',
        'properties',
        'missing',
        'body',
        'bytes',
        'text',
      ])
      expect(await textOf(download.body)).toBe('hello')
    })

    it('gives its content as a web stream, as bytes and as text', async () => {
      server.answers({status: 200, body: ['caf', 5, bytes('\u00e9')]})
      const dav = open()
      expect(await new Response(found(await dav.get('a')).body).text()).toBe('caf\u00e9')
      expect(await found(await dav.get('a')).bytes()).toEqual(bytes('caf\u00e9'))
      expect(await found(await dav.get('a')).text()).toBe('caf\u00e9')
    })

    it('gives its content once', async () => {
      server.answers({status: 200, body: 'hello'})
      const download = found(await open().get('a'))
      expect(await download.text()).toBe('hello')
      expect(await refusalOf(() => download.bytes())).toBeInstanceOf(TypeError)
    })

    it('may be empty', async () => {
      server.script(({method}) => (method === 'GET' ? {status: 200} : {status: 405}))
      const download = found(await open().get('a'))
      expect([download.length, await download.bytes()]).toEqual([0, new Uint8Array(0)])
    })

    it('may be empty by a 204, if it is no collection', async () => {
      server.script(({method}) =>
        method === 'GET' ? {status: 204} : answer207(listing('/files/a')),
      )
      const download = found(await open().get('a'))
      expect([download.status, await download.bytes()]).toEqual([204, new Uint8Array(0)])
      expect(asked()).toEqual(['GET /files/a', 'PROPFIND /files/a'])
    })

    it('asks for no content coding, because a compressed answer has another ETag', async () => {
      server.answers({status: 200, body: 'hello'})
      await found(await open({headers: {'accept-encoding': 'gzip'}}).get('a')).text()
      expect(server.requests[0]?.headers['accept-encoding']).toBe('identity')
    })

    it('has no length in a content coding, which a fetch removes', async () => {
      const body = gzipSync('hello')
      const coded = {'content-encoding': 'gzip', 'content-length': String(body.length)}
      server.answers({status: 200, headers: coded, body})
      const download = found(await open().get('a.gz'))
      expect(download.length).toBeUndefined()
      // undici gives the bytes that the server stores, because no coding was asked for.
      const read = Buffer.from(await download.bytes())
      expect(read.equals(makeTransport === fetchTransport ? Buffer.from('hello') : body)).toBe(true)
    })

    it('is asked for by a result of a listing', async () => {
      server.script(({method}) =>
        method === 'GET' ? {status: 200, body: 'hello'} : answer207(listing('/files/a')),
      )
      const dav = open()
      const [result] = await Array.fromAsync(dav.propfind('', {depth: 1}))
      if (result === undefined) throw new Error('no result')
      expect(await found(await dav.get(result)).text()).toBe('hello')
    })

    it('follows a redirect within the origin, and tells the URL that answered', async () => {
      server.answers({status: 302, headers: {location: '/other/b'}}, {status: 200, body: 'b'})
      const download = found(await open().get('a'))
      expect([download.url, download.href]).toEqual([`${server.url}other/b`, '/other/b'])
      expect(await download.text()).toBe('b')
    })

    it('counts the attempts, which the policy allows until the content begins', async () => {
      server.answers(RESET, {status: 503}, {status: 200, body: 'hello'})
      const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
      const download = found(await open({retry}).get('a'))
      expect([download.attempts, await download.text()]).toEqual([3, 'hello'])
    })
  })

  describe('a refusal', () => {
    it.each([304, 401, 403, 404, 410, 412, 500, 507])('of %i is a Failure', async (status) => {
      server.answers({status, headers: {'content-type': 'text/plain'}})
      expect(await open().get('a')).toMatchObject({
        ok: false,
        href: '/files/a',
        url: `${server.url}files/a`,
        relation: 'self',
        status,
        reason: 'status',
      })
    })

    it("has the server's words, conditions and wait", async () => {
      const body =
        '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:message>Not now</s:message><d:need-privileges/></d:error>'
      server.answers({status: 403, headers: {'retry-after': '3'}, body})
      expect(await open().get('a')).toMatchObject({
        status: 403,
        conditions: ['{http://sabredav.org/ns}message', 'need-privileges'],
        description: 'Not now',
        retryAfter: 3000,
      })
    })

    it('has the Location of a redirect to another origin, which is not followed', async () => {
      server.answers({status: 302, headers: {location: 'https://other.example/a'}})
      expect(await open().get('a')).toMatchObject({
        status: 302,
        reason: 'status',
        location: 'https://other.example/a',
      })
      expect(server.requests).toHaveLength(1)
    })

    it('is retried as the policy says, and not without one', async () => {
      server.answers({status: 503})
      const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
      expect(await open().get('a')).toMatchObject({status: 503})
      expect(server.requests).toHaveLength(1)
      expect(await open().get('a', {retry})).toMatchObject({status: 503})
      expect(server.requests).toHaveLength(4)
    })

    it.each([201, 202, 207])('is a 2xx without content: %i', async (status) => {
      server.answers({status, body: 'x'})
      expect(await open().get('a')).toMatchObject({ok: false, status, reason: 'malformed'})
    })

    it('leaves no connection busy', async () => {
      server.answers({status: 404, body: 'no'})
      const dav = open()
      for (let count = 0; count < 5; count++) await dav.get('a')
      expect(server.connections).toBeLessThan(3)
    })
  })

  describe('a missing answer', () => {
    it('rejects with the error of the network, of the time limit, or of the signal', async () => {
      server.script(({url}) => (url === '/files/never' ? NEVER : RESET))
      const dav = open({timeout: 100})
      await expect(dav.get('a')).rejects.toMatchObject({name: 'DavNetworkError', method: 'GET'})
      await expect(dav.get('never')).rejects.toMatchObject({timeout: 'headers'})
      const reason = new Error('enough')
      await expect(dav.get('never', {signal: AbortSignal.abort(reason)})).rejects.toBe(reason)
    })
  })

  describe('the content', () => {
    const cut = {status: 200, headers: {'content-length': '9'}, body: ['hello', 10, CLOSE]} as const

    it.each(['body', 'bytes', 'text'] as const)(
      'throws a DavNetworkError when it is shorter than its Content-Length: %s',
      async (door) => {
        server.answers(cut)
        const download = found(await open().get('a'))
        const reading = door === 'body' ? textOf(download.body) : download[door]()
        await expect(reading).rejects.toMatchObject({
          name: 'DavNetworkError',
          method: 'GET',
          url: `${server.url}files/a`,
        })
      },
    )

    it('gives the bytes before the break', async () => {
      server.answers(cut)
      const seen: string[] = []
      const reading = (async () => {
        for await (const chunk of found(await open().get('a')).body)
          seen.push(Buffer.from(chunk).toString())
      })()
      await expect(reading).rejects.toMatchObject({name: 'DavNetworkError'})
      expect(seen).toEqual(['hello'])
    })

    it('throws at the time limit, and with the reason of the signal', async () => {
      server.answers({status: 200, body: ['hello', NEVER]})
      const late = found(await open({timeout: {idle: 100}}).get('a'))
      await expect(late.text()).rejects.toMatchObject({name: 'DavTimeoutError', timeout: 'idle'})
      const reason = new Error('enough')
      const controller = new AbortController()
      const stopped = found(await open().get('a', {signal: controller.signal}))
      setTimeout(() => controller.abort(reason), 50)
      await expect(stopped.text()).rejects.toBe(reason)
      expect(await server.requests[1]?.ended).toBe('closed')
    })

    it.each<[string, (download: Download) => Promise<unknown>]>([
      ['cancelled unread', ({body}) => body.cancel()],
      [
        'cancelled while it is read',
        async ({body}) => {
          const reader = body.getReader()
          await reader.read()
          const waiting = reader.read()
          await reader.cancel()
          await waiting
        },
      ],
      [
        'left by break',
        async ({body}) => {
          for await (const chunk of body) if (chunk.length > 0) break
        },
      ],
    ])('frees its connection when it is %s', async (_case, leave) => {
      server.answers({status: 200, body: ['hello', NEVER]})
      const download = found(await open().get('a'))
      await leave(download)
      expect(await server.requests[0]?.ended).toBe('closed')
    })

    it('frees its connection when it is dropped unread', async () => {
      server.answers({status: 200, body: ['hello', NEVER]})
      const dav = open()
      await dav.get('a')
      await dav.request('GET', 'b')
      // Node's own fetch takes many collections.
      await vi.waitFor(async () => {
        collectGarbage()
        expect(await server.open()).toBe(0)
      }, 10_000)
    }, 20_000)

    it('leaves no listener on a signal that outlives it', async () => {
      server.answers({status: 200, body: 'hello'})
      const {signal} = new AbortController()
      const add = vi.spyOn(signal, 'addEventListener')
      const remove = vi.spyOn(signal, 'removeEventListener')
      const dav = open({signal})
      await found(await dav.get('a')).text()
      await found(await dav.get('a')).body.cancel()
      expect(add).toHaveBeenCalledTimes(2)
      expect(remove).toHaveBeenCalledTimes(2)
    })

    it('is never shorter because of a close without a length, over HTTP/1.0 style', async () => {
      server.answers({
        status: 200,
        headers: {'transfer-encoding': 'none', connection: 'close'},
        body: ['hello', 5, CLOSE],
      })
      const download = found(await open().get('a'))
      expect([download.length, await download.text()]).toEqual([undefined, 'hello'])
    })

    it('reports its bytes and the total, at most every 100 ms and at the end', async () => {
      server.answers({
        status: 200,
        headers: {'content-length': '9'},
        body: ['abc', 10, 'def', 150, 'ghi'],
      })
      const seen: unknown[] = []
      const onProgress = (progress: unknown): number => seen.push(progress)
      await found(await open().get('a', {onProgress})).text()
      expect(seen).toEqual([
        {bytes: 3, total: 9},
        {bytes: 9, total: 9},
        {bytes: 9, total: 9},
      ])
    })

    it('ends with an error of onProgress', async () => {
      server.answers({status: 200, body: ['hello', NEVER]})
      const error = new Error('no more')
      const onProgress = (): never => {
        throw error
      }
      await expect((async () => found(await open().get('a', {onProgress})).text())()).rejects.toBe(
        error,
      )
      expect(await server.requests[0]?.ended).toBe('closed')
    })
  })

  describe('a condition', () => {
    it('is sent as it is written', async () => {
      server.answers({status: 304})
      await open().get('a', {ifNoneMatch: 'W/"1"', ifMatch: '"2"'})
      expect(server.requests[0]?.headers).toMatchObject({
        'if-none-match': 'W/"1"',
        'if-match': '"2"',
      })
    })

    it('is refused unsent for a weak ETag in ifMatch', async () => {
      expect(await open().get('a', {ifMatch: 'W/"1"'})).toMatchObject({
        status: 0,
        reason: 'refused',
      })
      expect(server.requests).toHaveLength(0)
    })

    it.each([
      ['"1"', '"2"'],
      ['"1"', 'W/"1"'],
      ['"1"', undefined],
    ])(
      'ifMatch %s is a Failure 412 for the ETag %s, though the server ignores it',
      async (ifMatch, etag) => {
        server.answers({status: 200, headers: etag === undefined ? {} : {etag}, body: 'hello'})
        expect(await open().get('a', {ifMatch})).toMatchObject({
          ok: false,
          status: 412,
          reason: 'status',
        })
      },
    )

    it.each(['"1"', '1', '*'])('ifMatch holds: %s', async (ifMatch) => {
      server.answers({status: 200, headers: {etag: '"1"'}, body: 'hello'})
      expect(await found(await open().get('a', {ifMatch})).text()).toBe('hello')
    })

    it.each([
      ['"1"', 'W/"1"'],
      ['W/"1"', '"1"'],
      ['"1"', '"1"'],
    ])(
      'ifNoneMatch %s is a Failure 304 for the ETag %s, though the server ignores it',
      async (ifNoneMatch, etag) => {
        server.answers({status: 200, headers: {etag}, body: ['hello', NEVER]})
        expect(await open().get('a', {ifNoneMatch})).toMatchObject({ok: false, status: 304})
        expect(await server.requests[0]?.ended).toBe('closed')
      },
    )

    it('ifNoneMatch gives a resource with another ETag, or with none', async () => {
      server.answers(
        {status: 200, headers: {etag: '"2"'}, body: 'hello'},
        {status: 200, body: 'hello'},
      )
      const dav = open()
      expect(await found(await dav.get('a', {ifNoneMatch: '"1"'})).text()).toBe('hello')
      expect(await found(await dav.get('a', {ifNoneMatch: '"1"'})).text()).toBe('hello')
    })
  })

  describe('a collection', () => {
    const page = {status: 200, headers: {'content-type': 'text/html'}, body: '<html>'} as const

    it('is refused unsent by its slash and by its type', async () => {
      server.answers(answer207(listing('/files/a/')))
      const dav = open()
      const collection = await dav.stat('a/')
      for (const target of ['a/', '', collection, {...collection, url: `${server.url}files/a`}])
        expect(await dav.get(target)).toMatchObject({ok: false, status: 0, reason: 'refused'})
      expect(asked()).toEqual(['PROPFIND /files/a/'])
    })

    it('is refused when the answer came by the redirect to its slash', async () => {
      server.answers(
        {status: 301, headers: {location: '/files/a/'}},
        {...page, headers: {etag: '"1"'}},
      )
      expect(await open().get('a')).toMatchObject({ok: false, status: 200, reason: 'refused'})
      expect(asked()).toEqual(['GET /files/a', 'GET /files/a/'])
    })

    it('is refused when a page without ETag and date came for it', async () => {
      server.script(({method}) => (method === 'GET' ? page : answer207(listing('/files/a/'))))
      expect(await open().get('a')).toMatchObject({ok: false, status: 200, reason: 'refused'})
      expect(asked()).toEqual(['GET /files/a', 'PROPFIND /files/a'])
    })

    it('is refused when it was answered with 204, as by nephele alpha.67', async () => {
      const empty = {status: 204, headers: {etag: '"62f4ce15"'}}
      server.script(({method}) => (method === 'GET' ? empty : answer207(listing('/files/a/'))))
      expect(await open().get('a')).toMatchObject({ok: false, status: 204, reason: 'refused'})
    })

    it('is not suspected in a page of a resource, nor where PROPFIND is refused', async () => {
      server.script(({method, url}) => {
        if (method === 'GET') return page
        return url === '/files/a' ? answer207(listing('/files/a')) : {status: 405}
      })
      const dav = open()
      expect(await found(await dav.get('a')).text()).toBe('<html>')
      expect(await found(await dav.get('b')).text()).toBe('<html>')
    })

    it('costs a page with an ETag or a date no second request', async () => {
      const date = {'last-modified': 'Sun, 06 Nov 1994 08:49:37 GMT'}
      server.answers(
        {...page, headers: {...page.headers, etag: '"1"'}},
        {...page, headers: {...page.headers, ...date}},
      )
      const dav = open()
      expect(await found(await dav.get('a')).text()).toBe('<html>')
      expect(await found(await dav.get('b')).text()).toBe('<html>')
      expect(asked()).toEqual(['GET /files/a', 'GET /files/b'])
    })

    it('is not told from a page by a busy server, which is a no-answer', async () => {
      server.script(({method}) => (method === 'GET' ? page : {status: 503}))
      expect(await open().get('a')).toMatchObject({
        status: 0,
        reason: 'no-answer',
        cause: 'unreadable',
        description: 'It may be a collection, and PROPFIND was answered 503',
      })
    })

    it('is found while the page is unread, although breaks slow the call down', async () => {
      const looks: (Answer | typeof RESET)[] = [RESET, RESET, answer207(listing('/files/a/'))]
      const unread: Answer = {...page, body: ['<html>', NEVER]}
      server.script(({method}) => (method === 'GET' ? unread : (looks.shift() ?? RESET)))
      const retry = {attempts: 3, minDelay: 1, maxDelay: 1}
      expect(await open().get('a', {retry})).toMatchObject({status: 200, reason: 'refused'})
    })

    it.each([
      ['breaks', RESET, 'network'],
      ['names nothing', answer207(listing()), 'unreadable'],
      ['is cut off', answer207('<multistatus xmlns="DAV:"><response>'), 'unreadable'],
    ] as const)('is not told from a page if PROPFIND %s', async (_what, looked, cause) => {
      server.script(({method}) => (method === 'GET' ? {...page, body: ['<', NEVER]} : looked))
      expect(await open().get('a')).toMatchObject({
        ok: false,
        status: 0,
        reason: 'no-answer',
        cause,
        description: expect.stringContaining('It may be a collection, and PROPFIND failed: '),
      })
      expect(await server.requests[0]?.ended).toBe('closed')
    })

    it('is none on a web server that answers each method with a page', async () => {
      server.script(() => page)
      const got = unwrap(await open().get('a'))
      expect(await got.text()).toBe(page.body)
    })
  })

  it.each(['"abc-gzip"', '"abc"', 'abc'])(
    'takes %s for "abc", as Apache compresses',
    async (etag) => {
      server.answers({status: 200, headers: {etag}, body: 'text'})
      expect(await open().get('a', {ifMatch: '"abc"'})).toMatchObject({ok: true, etag})
      expect(await open().get('a', {ifNoneMatch: '"abc"'})).toMatchObject({ok: false, status: 304})
    },
  )

  it('refuses a misspelt option, and values of another type', async () => {
    const dav = open()
    const wrong = [
      {ifmatch: '"1"'},
      {ifMatch: 1},
      {resume: 1},
      {onProgress: 1},
      {signal: 1},
      {range: 0},
      {range: ''},
      {range: false},
      {range: null},
    ]
    for (const options of wrong)
      expect(await refusalOf(() => dav.get('a', options as object))).toBeInstanceOf(TypeError)
    expect(await refusalOf(() => dav.get('a#b'))).toBeInstanceOf(TypeError)
    expect(server.requests).toHaveLength(0)
  })
})
