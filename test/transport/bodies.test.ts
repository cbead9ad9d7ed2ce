// States that both transports send a body of every kind byte for byte, with a length if the platform knows one. A body that
// can be read once only is never sent twice. RFC 9110, sections 8.6 and 9.2.2; RFC 9112, section 7.1.

import {once} from 'node:events'
import {createReadStream, openAsBlob} from 'node:fs'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'

import {DavClient, isReplayable, type RequestBody, type Transport} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest'

import {type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {bytes} from '../support/fixtures.ts'

vi.setConfig({testTimeout: 5000})

const text = 'Grüße 😀\n'
const length = String(bytes(text).length)

let folder: string
let file: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bodies-'))
  file = join(folder, 'a.txt')
  await writeFile(file, text)
})
afterAll(() => rm(folder, {recursive: true}))

let server: FaultServer
beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 201})
})
afterEach(() => server.close())

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'

/** The bytes of the text in pieces that cut a character. */
async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const whole = bytes(text)
  yield whole.slice(0, 3)
  await delay(5)
  yield whole.slice(3)
}

function streamOf(source: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await source.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await source.return(undefined)
    },
  })
}

const whole: readonly (readonly [string, () => RequestBody | Promise<RequestBody>])[] = [
  ['a string', () => text],
  ['a Uint8Array', () => bytes(text)],
  ['a Buffer', () => Buffer.from(text)],
  ['a part of a buffer', () => bytes(`xx${text}yyy`).subarray(2, -3)],
  ['a DataView', () => new DataView(bytes(text).buffer)],
  ['an ArrayBuffer', () => bytes(text).buffer],
  ['a Blob', () => new Blob([text])],
  ['a File', () => new File([text], 'a.txt')],
  ['a Blob of a file', () => openAsBlob(file)],
]
const streamed: readonly (readonly [string, () => RequestBody])[] = [
  ['a ReadableStream', () => streamOf(pieces())],
  ['an async generator', pieces],
  ['an async iterable', () => ({[Symbol.asyncIterator]: pieces})],
  ['a stream of Node', () => createReadStream(file)],
]

describe('isReplayable', () => {
  it.each(whole)('is true for %s', async (_, make) => {
    expect(isReplayable(await make())).toBe(true)
  })

  it.each(streamed)('is false for %s', (_, make) => {
    expect(isReplayable(make())).toBe(false)
  })

  it('is true for no body', () => {
    expect(isReplayable(undefined)).toBe(true)
  })
})

describe.each([
  ['undici', undiciTransport()],
  ['http', httpTransport()],
  ['fetch', fetchTransport()],
] as const)('%s', (name, transport: Transport) => {
  const put = (body: RequestBody, headers = {}): ReturnType<Transport> =>
    transport({method: 'PUT', url: `${server.url}a`, headers, body})

  it.each(whole)('sends %s with its length', async (_, make) => {
    expect((await put(await make())).status).toBe(201)
    expect(server.requests).toMatchObject([
      {method: 'PUT', body: text, headers: {'content-length': length}},
    ])
    expect(server.requests[0]?.headers['transfer-encoding']).toBeUndefined()
  })

  it.each(streamed)('sends %s in chunks', async (_, make) => {
    expect((await put(make())).status).toBe(201)
    expect(server.requests).toMatchObject([
      {method: 'PUT', body: text, headers: {'transfer-encoding': 'chunked'}},
    ])
    expect(server.requests[0]?.headers['content-length']).toBeUndefined()
  })

  it('sends the type of a Blob, unless a header has another one', async () => {
    const blob = new Blob([text], {type: 'text/css'})
    await put(blob)
    await put(blob, {'content-type': 'text/plain'})
    expect(server.requests.map(({headers}) => headers['content-type'])).toEqual([
      'text/css',
      'text/plain',
    ])
  })

  it.each([
    ['a string', ''],
    ['bytes', new Uint8Array()],
    ['a Blob', new Blob([])],
  ])('sends a length of 0 for %s without content', async (_, body) => {
    await put(body)
    expect(server.requests).toMatchObject([{body: '', headers: {'content-length': '0'}}])
  })

  it('sends a body of 5 MB in the order of its pieces', async () => {
    const piece = bytes('0123456789'.repeat(5000))
    async function* many(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 100; count++) yield piece
    }
    await put(many())
    expect(server.requests[0]?.body).toBe('0123456789'.repeat(500_000))
  })

  it('closes the source of a body when the caller aborts', async () => {
    const closed = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(bytes('x')),
      cancel: () => closed.resolve(),
    })
    const controller = new AbortController()
    const {signal} = controller
    const sent = transport({method: 'PUT', url: `${server.url}a`, headers: {}, body, signal})
    setTimeout(() => controller.abort(new Error('enough')), 50)
    await expect(sent).rejects.toThrow('enough')
    await closed.promise
  })

  it('closes the source of a body when the connection cannot be made', async () => {
    const closed = Promise.withResolvers<void>()
    const body = new ReadableStream<Uint8Array>({cancel: () => closed.resolve()})
    const {url} = server
    await server.close()
    await expect(transport({method: 'PUT', url, headers: {}, body})).rejects.toThrow()
    await closed.promise
    server = await startFaultServer()
  })

  describe('through a client', () => {
    const open = (timeout?: number): DavClient =>
      new DavClient({url: server.url, transport, timeout})

    it('has time for each piece of a stream, and not for the whole of it', async () => {
      async function* slow(): AsyncGenerator<Uint8Array> {
        for (let count = 0; count < 6; count++) {
          await delay(100)
          yield bytes('x')
        }
      }
      const response = await open(250).request('PUT', 'a', {body: slow()})
      expect(response.status).toBe(201)
      expect(server.requests[0]?.body).toBe('xxxxxx')
    })

    it('is a DavTimeoutError for a source that stops, and the source is closed', async () => {
      const closed = Promise.withResolvers<void>()
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytes('x')),
        cancel: () => closed.resolve(),
      })
      await expect(open(150).request('PUT', 'a', {body})).rejects.toMatchObject({
        name: 'DavTimeoutError',
        timeout: 'headers',
        message: `PUT ${server.url}a got no more of its body within 150 ms: if its source may pause so long, raise timeout.headers`,
      })
      await closed.promise
    })

    it('breaks with a DavNetworkError for a source that throws', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes('x')
        throw new Error('the disk is gone')
      }
      await expect(open().request('PUT', 'a', {body: broken()})).rejects.toMatchObject({
        name: 'DavNetworkError',
        method: 'PUT',
        url: `${server.url}a`,
        message: expect.stringContaining(name !== 'fetch' ? 'the disk is gone' : 'PUT'),
      })
    })

    it('sends a string again to the slash of a redirect', async () => {
      server.answers({status: 307, headers: {location: '/a/'}}, {status: 201})
      expect((await open().request('PROPPATCH', 'a', {body: text})).status).toBe(201)
      expect(server.requests).toMatchObject([
        {url: '/a', body: text},
        {url: '/a/', body: text},
      ])
    })

    it.each(streamed)('sends %s once, and follows no redirect with it', async (_, make) => {
      server.answers({status: 307, headers: {location: '/a/'}}, {status: 201})
      const {status, headers} = await open().request('PROPPATCH', 'a', {body: make()})
      expect([status, headers.get('location')]).toEqual([307, '/a/'])
      expect(server.requests).toHaveLength(1)
    })

    /** Fills one buffer again and again, and clears it at the end. */
    async function* refilled(size: number): AsyncGenerator<Uint8Array<ArrayBuffer>> {
      const buffer = new Uint8Array(size)
      for (const letter of LETTERS) yield buffer.fill(letter.charCodeAt(0))
      buffer.fill(0)
    }
    const fromHand = (source: AsyncGenerator<Uint8Array<ArrayBuffer>>): ReadableStream =>
      new ReadableStream(
        {
          async pull(controller) {
            const next = await source.next()
            if (next.done === true) controller.close()
            else controller.enqueue(next.value)
          },
        },
        {highWaterMark: 0},
      )

    it.each(
      [1, 9000, 300_000].flatMap((size) =>
        (['send', 'spool', 'length'] as const).map((way) => [size, way] as const),
      ),
    )(
      'mixes no bytes of a source that fills one buffer of %i bytes again: %s',
      async (size, way) => {
        const options = way === 'length' ? {length: size * LETTERS.length} : {unknownLength: way}
        const sources = [() => refilled(size), () => fromHand(refilled(size))]
        for (const make of sources)
          expect(await open().put('a', make(), options)).toMatchObject({ok: true})
        const wanted = LETTERS.split('').map((letter) => letter.repeat(size))
        for (const {body} of server.requests) expect(body === wanted.join('')).toBe(true)
      },
    )

    it('refuses a body that another call has sent', async () => {
      const dav = open()
      const body = pieces()
      await dav.request('PUT', 'a', {body})
      await expect(dav.request('PUT', 'b', {body})).rejects.toMatchObject({
        name: 'DavError',
        method: 'PUT',
        url: `${server.url}b`,
        message: `PUT ${server.url}b was not sent: its body can be read once only, and was given for ${server.url}a`,
      })
      expect(server.requests.map(({url, body: sent}) => [url, sent])).toEqual([['/a', text]])
    })

    it.each<[string, () => BufferSource]>([
      ['a buffer', () => new SharedArrayBuffer(3) as unknown as ArrayBuffer],
      ['a view', () => new Uint8Array(new SharedArrayBuffer(3)) as unknown as BufferSource],
    ])('refuses %s in shared memory', async (_, make) => {
      const sending = open().request('PUT', 'a', {body: make() as RequestBody})
      await expect(sending).rejects.toThrow(TypeError)
      expect(server.requests).toEqual([])
    })

    it.each([new ArrayBuffer(2), 'x', null, 5, {}])(
      'breaks at once with a piece that is no Uint8Array: %o',
      async (piece) => {
        async function* wrong(): AsyncGenerator<Uint8Array> {
          yield piece as unknown as Uint8Array
        }
        await expect(open().request('PUT', 'a', {body: wrong()})).rejects.toMatchObject({
          name: 'DavNetworkError',
          method: 'PUT',
        })
      },
    )

    it('gives the URL that answered', async () => {
      const {url} = await open().request('PUT', 'a', {body: text})
      expect(url).toBe(`${server.url}a`)
    })
  })
})

describe('an answer that comes before the end of the body', () => {
  it('is given, and undici closes the source', async () => {
    const early = createServer((_request, response) => {
      response.writeHead(413, {'content-length': '3'}).end('big')
    })
    early.listen(0, '127.0.0.1')
    await once(early, 'listening')
    const address = early.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const closed = Promise.withResolvers<void>()
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield bytes('x'.repeat(10_000))
          await delay(1)
        }
      } finally {
        closed.resolve()
      }
    }
    const dav = new DavClient({url: `http://127.0.0.1:${port}/`, transport: undiciTransport()})
    const {status, body} = await dav.request('PUT', 'a', {body: endless()})
    expect(status).toBe(413)
    expect(Buffer.concat(await Array.fromAsync(body ?? [])).toString()).toBe('big')
    await closed.promise
    early.closeAllConnections()
    early.close()
  })
})

describe('a fetch that cannot send streams', () => {
  it.each(streamed)('is given %s as a Blob', async (_, make) => {
    const seen: RequestInit[] = []
    class TextRequest extends Request {
      constructor(url: string, init: RequestInit) {
        super(url, {...init, ...('body' in init && {body: '[object ReadableStream]'})})
      }
    }
    vi.stubGlobal('Request', TextRequest)
    try {
      const transport = fetchTransport({
        fetch: async (_url, init) => {
          seen.push(init)
          return new Response(null, {status: 201})
        },
      })
      await transport({method: 'PUT', url: server.url, headers: {}, body: make()})
    } finally {
      vi.unstubAllGlobals()
    }
    const [init] = seen
    expect(init).not.toHaveProperty('duplex')
    expect(init?.body).toBeInstanceOf(Blob)
    expect(await new Response(init?.body ?? null).text()).toBe(text)
  })
})

describe('a value that can be no body', () => {
  it.each<[string, unknown]>([
    ['a number', 5],
    ['null', null],
    ['an object', {a: 1}],
    ['an array', ['x']],
    ['a promise', Promise.resolve('x')],
  ])('is a TypeError, and nothing is sent: %s', async (_, body) => {
    const dav = new DavClient({url: server.url})
    const sent = Reflect.apply(dav.request.bind(dav), undefined, ['PUT', 'a', {body}])
    await expect(sent).rejects.toThrow(TypeError)
    expect(server.requests).toHaveLength(0)
  })

  it('is a stream that somebody reads already', async () => {
    const body = streamOf(pieces())
    body.getReader()
    const dav = new DavClient({url: server.url})
    await expect(dav.request('PUT', 'a', {body})).rejects.toThrow(
      'body is a stream that somebody reads already',
    )
    expect(server.requests).toHaveLength(0)
  })
})
