// States the time limit of an upload that makes progress: undici shows each piece, whatever the kind of the body; `fetch` shows
// pieces of streams only, so a long body gets the time that it takes at a slow rate. RFC 9112, section 9.5.

import {once} from 'node:events'
import {createServer, type Server} from 'node:http'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, DavError, type DavRequest, type RequestBody, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

vi.setConfig({testTimeout: 20_000})

const long = Buffer.alloc(24_000_000, 'x')
const kinds: readonly (readonly [string, () => RequestBody])[] = [
  ['string', () => long.toString()],
  ['bytes', () => long],
  ['Blob', () => new Blob([long])],
]

let server: Server
let url: string
/** False for a server that reads nothing. */
let reads: boolean

beforeEach(async () => {
  reads = true
  server = createServer(async (request, response) => {
    let bytes = 0
    request.on('error', () => {})
    if (!reads) return
    try {
      for await (const chunk of request) {
        bytes += chunk.length
        await delay(12)
      }
      response.writeHead(bytes === long.length ? 201 : 400).end()
    } catch {
      // The client has gone.
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  url = `http://127.0.0.1:${address.port}/`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('over %s', (_, transport: Transport) => {
  it('may take longer than the limit for headers, whatever the kind of its body', async () => {
    const dav = new DavClient({url, transport, timeout: {headers: 4000}})
    const began = performance.now()
    const sent = kinds.map(([kind, make]) => dav.put(kind, make()))
    expect((await Promise.all(sent)).map(({status}) => status)).toEqual([201, 201, 201])
    expect(performance.now() - began).toBeGreaterThan(4000)
  })
})

it.each(kinds)('undici notices a server that does not read a body of kind %s', async (_, make) => {
  reads = false
  const dav = new DavClient({url, transport: undiciTransport(), timeout: {headers: 400}})
  await expect(dav.put('a', make())).rejects.toMatchObject({
    name: 'DavTimeoutError',
    timeout: 'headers',
    message: `PUT ${url}a got no answer within 400 ms: the server may need longer for it, raise timeout.headers`,
  })
})

it('fetch waits 1 s longer for each 64 KiB of a long body', async () => {
  const transport: Transport = () => new Promise(() => {})
  const dav = new DavClient({url, transport, timeout: {headers: 50}})
  await expect(dav.put('a', 'x'.repeat(65_537))).rejects.toThrow('got no answer within 1051 ms')
  await expect(dav.put('a', 'x'.repeat(65_536))).rejects.toThrow('got no answer within 50 ms')
})

describe('the request that a transport gets', () => {
  const seen: DavRequest[] = []
  const spy: Transport = async (request) => {
    seen.push(request)
    const {body} = request
    if (typeof body === 'object' && Symbol.asyncIterator in body) for await (const _ of body);
    else request.onSent?.(3)
    return {status: 201, headers: {get: () => null}, body: null}
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('abc')
  }

  it('has a function for the progress of a body that is no stream', async () => {
    const progress: unknown[] = []
    const dav = new DavClient({url, transport: spy})
    await dav.put('a', 'abc', {onProgress: (one) => progress.push(one)})
    expect(progress).toEqual([
      {bytes: 3, total: 3},
      {bytes: 3, total: 3},
    ])
  })

  it.each<[string, Transport]>([
    ['fails', () => Promise.reject(new Error('no route'))],
    ['answers', async () => ({status: 403, headers: {get: () => null}, body: null})],
  ])('has a stream that is closed, though the transport never reads it and %s', async (_, send) => {
    const closed = Promise.withResolvers<string>()
    const body = new ReadableStream<Uint8Array>({cancel: () => closed.resolve('closed')})
    const dav = new DavClient({url, transport: send})
    await dav.put('a', body, {unknownLength: 'send'}).catch(() => {})
    expect(await closed.promise).toBe('closed')
  })

  it('has the length of a stream only if the transport sends it', async () => {
    const sends: Transport = Object.assign(spy.bind(undefined), {sendsLength: true})
    seen.length = 0
    await new DavClient({url, transport: sends}).put('a', pieces(), {length: 3})
    await new DavClient({url, transport: spy}).put('a', pieces(), {length: 3})
    expect(seen.map(({length, body}) => [length, body instanceof Blob])).toEqual([
      [3, false],
      [undefined, true],
    ])
  })
})

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
] as const)('a Blob over %s', (_, transport: Transport) => {
  it.each([
    ['more', 'textDELETE /all HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['fewer', 'tex'],
  ])('with %s bytes in its stream than its size is an error', async (_what, content) => {
    const methods: string[] = []
    server.prependListener('request', ({method}) => methods.push(method ?? ''))
    const body = Object.assign(new Blob(['text']), {stream: () => new Blob([content]).stream()})
    await expect(new DavClient({url, transport}).put('a', body)).rejects.toThrow(DavError)
    expect(methods).not.toContain('DELETE')
  })
})
