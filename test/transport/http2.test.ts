// States the ends of an exchange over HTTP/2: only END_STREAM is the end of an answer, and a request that was not processed is sent
// again. One connection carries all streams. RFC 9113, sections 5.1.2, 5.2, 5.4.2, 6.8, 8.1 and 8.7.

import {execFile} from 'node:child_process'
import {createHash, randomBytes} from 'node:crypto'
import {once} from 'node:events'
import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {createServer as createHttpServer} from 'node:http'
import {createSecureServer, type Http2SecureServer, type ServerHttp2Stream} from 'node:http2'
import type {IncomingHttpHeaders} from 'node:http2'
import {createServer as createHttpsServer} from 'node:https'
import type {AddressInfo} from 'node:net'
import {setTimeout as delay} from 'node:timers/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {brotliCompressSync, gzipSync, zstdCompressSync} from 'node:zlib'

import {DavClient, DavNetworkError, DavTimeoutError} from 'multistatus'
import type {DavClientOptions} from 'multistatus'
import {type DavBody, undiciTransport, type UndiciTransport} from 'multistatus/undici'
import {Agent} from 'undici'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest'

import {type Certificate, makeCertificate} from '../support/certificate.ts'
import {listed, listing, OPEN} from '../support/fault-server.ts'
import {type FrameServer, type FrameStream, startFrameServer} from '../support/frame-server.ts'

vi.setConfig({testTimeout: 20_000, hookTimeout: 20_000})

let certificate: Certificate
beforeAll(async () => {
  certificate = await makeCertificate()
})

const transports: UndiciTransport[] = []
function open(): UndiciTransport {
  const transport = undiciTransport({http2: true, ca: certificate.cert})
  transports.push(transport)
  return transport
}

const CODES = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  STREAM_CLOSED: 5,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
  HTTP_1_1_REQUIRED: 13,
}

describe('the end of an answer', () => {
  let server: FrameServer
  beforeAll(async () => {
    server = await startFrameServer(certificate)
  })
  afterAll(() => server[Symbol.asyncDispose]())

  const client = (options: Partial<DavClientOptions> = {}): DavClient =>
    new DavClient({url: server.url, transport: open(), ...options})
  const read = async (transport = open()): Promise<string> => {
    const {body} = await transport({method: 'REPORT', url: server.url, headers: {}})
    return await textOf(body)
  }

  it('is END_STREAM, with data, after it, or with the head', async () => {
    server.script((stream, number) => {
      stream.head(200, {}, number % 3 === 0)
      if (number % 3 === 0) return
      stream.data('whole', number % 3 === 1)
      if (number % 3 === 2) stream.data('', true)
    })
    const before = server.streams
    const bodies = [await read(), await read(), await read()]
    expect(server.streams).toBe(before + 3)
    expect(bodies.toSorted()).toEqual(['', 'whole', 'whole'])
  })

  it('is END_STREAM, though a reset follows at once', async () => {
    server.script((stream) => {
      stream.head(200)
      stream.data('whole', true)
      stream.reset(CODES.NO_ERROR)
    })
    expect(await read()).toBe('whole')
  })

  const PLACES: Readonly<Record<string, (stream: FrameStream) => void>> = {
    'after the head': (stream) => stream.head(200),
    'in the body': (stream) => {
      stream.head(200)
      stream.data('ha')
    },
    'in a body with a length': (stream) => {
      stream.head(200, {'content-length': '4'})
      stream.data('ha')
    },
    'behind the last byte': (stream) => {
      stream.head(200)
      stream.data('half')
    },
  }
  const ENDS: Readonly<Record<string, (stream: FrameStream) => void>> = {
    ...Object.fromEntries(
      Object.entries(CODES).map(([name, code]) => [
        `RST_STREAM ${name}`,
        (stream: FrameStream) => stream.reset(code),
      ]),
    ),
    'GOAWAY with an error': (stream) => stream.goaway(CODES.INTERNAL_ERROR, stream.id),
    'GOAWAY and the end of the connection': (stream) => {
      stream.goaway(CODES.NO_ERROR, stream.id)
      stream.disconnect('close')
    },
    'the end of the connection': (stream) => stream.disconnect('close'),
    'a TCP reset': (stream) => stream.disconnect('reset'),
  }
  const cases = Object.keys(ENDS).flatMap((end) => Object.keys(PLACES).map((place) => [end, place]))

  it.each(cases)('%s %s breaks the body', async (end = '', place = '') => {
    for (const isApart of [false, true]) {
      server.script((stream) => {
        PLACES[place]?.(stream)
        if (isApart) setTimeout(() => ENDS[end]?.(stream), 20)
        else ENDS[end]?.(stream)
      })
      await expect(read()).rejects.toThrow(Error)
      await expect(async () => {
        const {body} = await client().request('REPORT', 'a/')
        await textOf(body)
      }).rejects.toThrow(DavNetworkError)
    }
  })

  it.each(Object.keys(ENDS).filter((end) => !end.includes('REFUSED')))(
    '%s before the head is a DavNetworkError, and nothing is sent again',
    async (end) => {
      server.script((stream) => ENDS[end]?.(stream))
      const before = server.streams
      await expect(client().request('DELETE', 'a')).rejects.toThrow(DavNetworkError)
      expect(server.streams).toBe(before + 1)
    },
  )

  it('names the code in its message', async () => {
    server.script((stream) => {
      stream.head(207)
      stream.data('<')
      stream.reset(CODES.CANCEL)
    })
    await expect(client().propfind('').collect()).rejects.toThrow(
      `PROPFIND ${server.url} failed: the HTTP/2 stream ended with CANCEL before the answer was complete`,
    )
  })

  it('is checked with a dispatcher of the caller too', async () => {
    const dispatcher = new Agent({connect: {ca: certificate.cert, preferH2: true}})
    server.script((stream) => {
      stream.head(200)
      stream.data('half')
      stream.reset(CODES.CANCEL)
    })
    await expect(read(undiciTransport({dispatcher}))).rejects.toThrow('CANCEL')
    await dispatcher.destroy()
  })

  it.each([
    ['fewer', 'abc'],
    ['more', 'abcdefgh'],
  ])('with %s bytes than Content-Length breaks the body', async (_, bytes) => {
    server.script((stream) => {
      stream.head(200, {'content-length': '5'})
      stream.data(bytes, true)
    })
    await expect(read()).rejects.toThrow(Error)
  })

  it('leaves the connection to other streams after a reset', async () => {
    const first = server.streams
    server.script((stream, number) => {
      stream.head(200)
      stream.data('x')
      if (number === first + 2) stream.reset(CODES.CANCEL)
      else stream.data('y', true)
    })
    const transport = open()
    const before = server.connections
    expect(await read(transport)).toBe('xy')
    await expect(read(transport)).rejects.toThrow('CANCEL')
    expect(await read(transport)).toBe('xy')
    expect(server.connections).toBe(before + 1)
  })

  it('of a stream that a GOAWAY still allows comes as usual', async () => {
    server.script((stream) => {
      stream.head(200)
      stream.goaway(CODES.NO_ERROR, stream.id)
      setTimeout(() => stream.data('whole', true), 20)
    })
    expect(await read()).toBe('whole')
  })

  describe('a request that was not processed', () => {
    const refused = 'REFUSED_STREAM'
    const NOT_PROCESSED: Readonly<Record<string, (stream: FrameStream) => void>> = {
      [refused]: (stream) => stream.reset(CODES.REFUSED_STREAM),
      'GOAWAY below it': (stream) => {
        stream.goaway(CODES.NO_ERROR, 0)
        stream.disconnect('close')
      },
      'GOAWAY below it, with an error': (stream) => stream.goaway(CODES.ENHANCE_YOUR_CALM, 0),
    }

    it.each(Object.keys(NOT_PROCESSED))('is sent again, whatever its method: %s', async (how) => {
      for (const method of ['GET', 'DELETE', 'MOVE', 'POST']) {
        const first = server.streams + 1
        server.script((stream, number) => {
          if (number === first) NOT_PROCESSED[how]?.(stream)
          else stream.head(204, {}, true)
        })
        const destination = `${server.url}b`
        const headers = method === 'MOVE' ? {destination} : {}
        const {status} = await open()({method, url: `${server.url}a`, headers})
        expect([method, status, server.streams]).toEqual([method, 204, first + 1])
      }
    })

    it.each(Object.keys(NOT_PROCESSED))('is sent again with its Blob: %s', async (how) => {
      const first = server.streams + 1
      const sizes: number[] = []
      server.script((stream, number) => {
        const answer = async (): Promise<void> => {
          await stream.ended
          sizes.push(stream.received)
          stream.head(201, {}, true)
        }
        if (number === first) NOT_PROCESSED[how]?.(stream)
        else void answer()
      })
      const body = new Blob(['x'.repeat(5000)])
      const {status} = await open()({method: 'PUT', url: `${server.url}a`, headers: {}, body})
      expect(status).toBe(201)
      expect(sizes).toEqual([5000])
      expect(server.streams).toBe(first + 1)
    })

    it.each(Object.keys(NOT_PROCESSED))('is a Failure not-sent if it never is: %s', async (how) => {
      const before = server.streams
      server.script((stream) => NOT_PROCESSED[how]?.(stream))
      const {failures} = await client().deleteMany(['a']).collect()
      expect(failures).toMatchObject([{reason: 'no-answer', cause: 'not-sent', status: 0}])
      expect(failures[0]?.description).toMatch(/was not processed: the server refused it/)
      const sent = server.streams - before
      expect(sent).toBeGreaterThan(1)
      expect(sent).toBeLessThanOrEqual(6)
    })

    it('is not sent again with a stream, and says that it was not processed', async () => {
      const before = server.streams
      server.script((stream) => stream.reset(CODES.REFUSED_STREAM))
      async function* pieces(): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(10)
      }
      const put = client().put('a', pieces(), {length: 10})
      await expect(put).rejects.toThrow('was not processed')
      expect(server.streams).toBe(before + 1)
    })

    it('is one of many, and the others are processed once', async () => {
      let refusals = 3
      const processed: number[] = []
      server.script((stream) => {
        if (refusals-- > 0) stream.reset(CODES.REFUSED_STREAM)
        else {
          processed.push(stream.id)
          stream.head(204, {}, true)
        }
      })
      const names = Array.from({length: 30}, (_, number) => `f${number}`)
      const {failures} = await client().deleteMany(names).collect()
      expect(failures).toEqual([])
      expect(processed).toHaveLength(30)
    })
  })

  it('is a time limit for a head or a body that never comes', async () => {
    const dav = client({timeout: {headers: 100, idle: 100}})
    server.script(() => {})
    await expect(dav.request('GET', 'a')).rejects.toThrow(DavTimeoutError)
    server.script((stream) => stream.head(207))
    await expect(dav.propfind('').collect()).rejects.toThrow(DavTimeoutError)
  })

  describe('after a time limit', () => {
    const open2 = (): DavClient => client({timeout: {headers: 300, idle: 300}})

    it('a connection that answers nothing any more is given up, and another one made', async () => {
      server.script((stream) => stream.head(204, {}, true))
      const dav = open2()
      expect((await dav.delete('a')).ok).toBe(true)
      const dead = server.connections
      server.script((stream) => {
        if (stream.connection === dead) stream.disconnect('silence')
        else stream.head(204, {}, true)
      })
      await expect(dav.delete('a')).rejects.toThrow(DavTimeoutError)
      await vi.waitFor(async () => expect((await dav.delete('a')).ok).toBe(true), {timeout: 15_000})
      expect(server.connections).toBe(dead + 1)
    })

    it('a connection that answers is kept, with its other streams', async () => {
      server.script((stream) => stream.head(200, {'content-length': '4'}))
      const dav = open2()
      const found = await dav.get('slow')
      const before = server.connections
      server.script(() => {})
      await expect(dav.delete('a')).rejects.toThrow(DavTimeoutError)
      await delay(6000)
      server.script((stream) => stream.head(204, {}, true))
      expect((await dav.delete('a')).ok).toBe(true)
      expect(server.connections).toBe(before)
      if (found.ok) await found.body.cancel()
    })
  })

  it('is the reset of the stream after an abort, and not that of the connection', async () => {
    const ends: Promise<string>[] = []
    server.script((stream) => {
      ends.push(stream.ended)
      stream.head(200)
      stream.data('x')
    })
    const transport = open()
    const before = server.connections
    const controller = new AbortController()
    const url = server.url
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        yield new Uint8Array(10)
        await delay(5)
      }
    }
    const {signal} = controller
    const {body} = await transport({method: 'PUT', url, headers: {}, body: endless(), signal})
    controller.abort()
    await expect(textOf(body)).rejects.toThrow('aborted')
    expect(await ends[0]).toBe('reset')
    server.script((stream) => stream.head(204, {}, true))
    expect((await transport({method: 'GET', url, headers: {}})).status).toBe(204)
    expect(server.connections).toBe(before + 1)
  })

  it('stops an upload that goes on, and resets its stream', async () => {
    const ends: Promise<string>[] = []
    server.script((stream) => {
      ends.push(stream.ended)
      stream.head(413, {}, true)
    })
    const body = new Blob([new Uint8Array(3_000_000)])
    const {status} = await open()({method: 'PUT', url: server.url, headers: {}, body})
    expect(status).toBe(413)
    expect(await ends[0]).toBe('reset')
  })

  it('of an upload whose source fails is a reset: half a file never looks whole', async () => {
    const ends: Promise<string>[] = []
    server.script((stream) => ends.push(stream.ended))
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      await delay(50)
      throw new Error('the disk is gone')
    }
    const {url} = server
    await expect(open()({method: 'PUT', url, headers: {}, body: broken()})).rejects.toThrow('disk')
    expect(await ends[0]).toBe('reset')
  })

  describe('content without a Content-Length', () => {
    const get = async (resume = false): Promise<string> => {
      const found = await client().get('a', {resume})
      if (!found.ok) throw new Error(found.description)
      return await found.text()
    }

    it('is an error behind its last byte, because a proxy may have ended it', async () => {
      server.script((stream) => {
        stream.head(200)
        stream.data('half', true)
      })
      const got = get()
      await expect(got).rejects.toThrow(DavNetworkError)
      await expect(got).rejects.toThrow('its end cannot be told')
    })

    it.each([
      ['as many', 4, 'half'],
      ['more', 8, 'halfhalf'],
    ])('is whole after a range request that tells %s bytes', async (_, total, whole) => {
      const first = server.streams + 1
      server.script((stream, number) => {
        const head = {etag: '"1"'}
        if (number === first) {
          stream.head(200, head)
          stream.data('half', true)
          return
        }
        const length = total - 3
        const range = {'content-range': `bytes 3-${total - 1}/${total}`}
        stream.head(206, {...head, ...range, 'content-length': String(length)})
        stream.data('halfhalf'.slice(3, total), true)
      })
      expect(await get(true)).toBe(whole)
      expect(server.streams).toBe(first + 1)
    })

    it('is counted with one', async () => {
      server.script((stream) => {
        stream.head(200, {'content-length': '4'})
        stream.data('half', true)
      })
      expect(await get()).toBe('half')
    })
  })
})

describe('one connection', () => {
  let server: Http2SecureServer
  let url: string
  let answer: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
  let sessions: number
  beforeEach(async () => {
    sessions = 0
    answer = (stream) => {
      stream.respond({':status': 204}, {endStream: true})
    }
    server = createSecureServer({...certificate, allowHTTP1: true})
    server.on('session', () => sessions++)
    server.on('sessionError', () => {})
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {})
      answer(stream, headers)
    })
    await listen(server)
    url = `https://localhost:${portOf(server)}/`
  })
  afterEach(async () => {
    await Promise.allSettled(transports.splice(0).map((transport) => transport.close()))
    await new Promise((resolve) => {
      server.close(resolve)
    })
  })
  const client = (transport = open()): DavClient => new DavClient({url, transport})

  it('carries many requests at once, and those after them', async () => {
    const dav = client()
    const names = Array.from({length: 200}, (_, number) => `f${number}`)
    const {failures} = await dav.deleteMany(names, {concurrency: 50}).collect()
    expect(failures).toEqual([])
    for (const name of names.slice(0, 20)) expect((await dav.delete(name)).ok).toBe(true)
    expect(sessions).toBe(1)
  })

  it('never has more streams than the server allows', async () => {
    server.updateSettings({maxConcurrentStreams: 3})
    let most = 0
    let now = 0
    answer = (stream) => {
      most = Math.max(most, ++now)
      setTimeout(() => {
        now--
        stream.respond({':status': 204}, {endStream: true})
      }, 5)
    }
    const transport = undiciTransport({http2: true, ca: certificate.cert, connections: 1})
    transports.push(transport)
    const names = Array.from({length: 40}, (_, number) => `f${number}`)
    const {failures} = await client(transport).deleteMany(names, {concurrency: 20}).collect()
    expect(failures).toEqual([])
    expect(most).toBe(3)
    expect(sessions).toBe(1)
  })

  it.each([undefined, 1])(
    'of one stream at once does not hold deletes up behind their listing: connections %s',
    async (connections) => {
      server.updateSettings({maxConcurrentStreams: 1})
      const names = Array.from({length: 2000}, (_, number) => `/f${number}`)
      answer = (stream, headers) => {
        if (headers[':method'] === 'DELETE') stream.respond({':status': 204}, {endStream: true})
        else {
          stream.respond({':status': 207})
          stream.end(listing('/', ...names))
        }
      }
      const transport = undiciTransport({
        http2: true,
        ca: certificate.cert,
        ...(connections !== undefined && {connections}),
      })
      transports.push(transport)
      const dav = client(transport)
      let deleted = 0
      for await (const {href} of dav.propfind('')) {
        if (href === '/') continue
        expect((await dav.delete(href)).ok).toBe(true)
        deleted++
      }
      expect(deleted).toBe(2000)
    },
  )

  it('stops the server at a listing that nobody reads, and lets other streams through', async () => {
    let written = 0
    answer = (stream, headers) => {
      if (headers[':method'] === 'DELETE') {
        stream.respond({':status': 204}, {endStream: true})
        return
      }
      stream.respond({':status': 207})
      stream.write(OPEN)
      const piece = Array.from({length: 1000}, (_, number) => listed(`/${number}`)).join('')
      const write = (): void => {
        if (stream.destroyed) return
        written += piece.length
        if (stream.write(piece)) setImmediate(write)
        else stream.once('drain', write)
      }
      write()
    }
    const dav = client()
    const results = dav.propfind('')[Symbol.asyncIterator]()
    await results.next()
    for (let number = 0; number < 50; number++)
      expect((await dav.delete(`f${number}`)).ok).toBe(true)
    await vi.waitFor(async () => {
      const before = written
      await delay(100)
      expect(written).toBe(before)
    })
    expect(written).toBeLessThan(8_388_608)
    expect(sessions).toBe(1)
    await results.return?.()
  })

  it('takes no more of an unread body for requests that come and go', async () => {
    let written = 0
    answer = (stream, headers) => {
      if (headers[':method'] === 'DELETE') {
        stream.respond({':status': 204}, {endStream: true})
        return
      }
      stream.respond({':status': 200, 'content-length': '60000000'})
      const write = (): void => {
        if (stream.destroyed || written >= 60_000_000) return
        written += 20_000
        if (stream.write(Buffer.alloc(20_000))) setImmediate(write)
        else stream.once('drain', write)
      }
      write()
    }
    const dav = client()
    const found = await dav.get('long')
    for (let number = 0; number < 1000; number++)
      expect((await dav.delete(`f${number}`)).ok).toBe(true)
    expect(written).toBeLessThan(4_000_000)
    if (found.ok) await found.body.cancel()
  })

  it('tells the end of compressed content without a length by its coding', async () => {
    const page = 'line\n'.repeat(10_000)
    const codings = {gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync}
    for (const [coding, compress] of Object.entries(codings)) {
      const whole = compress(page)
      for (const sent of [whole, whole.subarray(0, -1), whole.subarray(0, 1), Buffer.alloc(0)]) {
        answer = (stream) => {
          stream.respond({':status': 200, 'content-encoding': coding})
          stream.end(sent)
        }
        const {body} = await client().request('GET', 'page.html')
        const read = await textOf(body).catch((error: unknown) => error)
        expect(read instanceof DavNetworkError ? 'broken' : read).toBe(
          sent === whole ? page : 'broken',
        )
      }
    }
  })

  it('carries 102 Processing, which begins the wait for the answer again', async () => {
    answer = (stream) => {
      const timer = setInterval(() => stream.additionalHeaders({':status': 102}), 200)
      setTimeout(() => {
        clearInterval(timer)
        stream.respond({':status': 204}, {endStream: true})
      }, 1500)
    }
    const dav = new DavClient({url, transport: open(), timeout: {headers: 700}})
    expect(await dav.delete('a')).toMatchObject({ok: true, status: 204})
  })

  it('gives a complete body to a slow reader after the connection is gone', async () => {
    answer = (stream) => {
      stream.respond({':status': 200, 'content-length': '300000'})
      stream.end('x'.repeat(300_000))
    }
    const transport = open()
    const {body} = await transport({method: 'GET', url, headers: {}})
    const received = textOf(body, 20)
    setTimeout(() => void transport.close(), 20)
    expect((await received).length).toBe(300_000)
  })

  it('uploads streams with their length, and reports each piece', async () => {
    let received = 0
    let seen: IncomingHttpHeaders = {}
    answer = (stream, headers) => {
      seen = headers
      stream.on('data', (chunk: Buffer) => (received += chunk.length))
      stream.on('end', () => stream.respond({':status': 201}, {endStream: true}))
    }
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let number = 0; number < 30; number++) yield new Uint8Array(100_000)
    }
    const loaded: number[] = []
    const result = await client().put('a', pieces(), {
      length: 3_000_000,
      onProgress: ({bytes}) => loaded.push(bytes),
    })
    expect(result).toMatchObject({ok: true, status: 201})
    expect(received).toBe(3_000_000)
    expect(seen['content-length']).toBe('3000000')
    expect(loaded.at(-1)).toBe(3_000_000)
    const sent: number[] = []
    const body = new Uint8Array(200_000)
    await open()({method: 'PUT', url, headers: {}, body, onSent: (bytes) => sent.push(bytes)})
    expect(sent.at(-1)).toBe(200_000)
  })

  it('uploads a long file byte for byte', async () => {
    const hash = createHash('sha256')
    answer = (stream) => {
      // A slow server keeps pieces waiting.
      stream.on('readable', () => {
        for (let chunk: unknown; (chunk = stream.read()) !== null;)
          if (chunk instanceof Uint8Array) hash.update(chunk)
      })
      stream.on('end', () => stream.respond({':status': 201}, {endStream: true}))
    }
    const folder = await mkdtemp(join(tmpdir(), 'http2-'))
    const path = join(folder, 'long')
    const bytes = randomBytes(20_000_000)
    await writeFile(path, bytes)
    const result = await client().put('a', {path})
    expect(result).toMatchObject({ok: true, status: 201})
    expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'))
    await rm(folder, {recursive: true})
  })

  it('has headers in lower case, and none of the connection', async () => {
    let seen: IncomingHttpHeaders = {}
    answer = (stream, headers) => {
      seen = headers
      stream.additionalHeaders({':status': 102})
      stream.respond({':status': 207, 'content-encoding': 'gzip'})
      stream.end(gzipSync(listing('/', '/a')))
    }
    const {successes} = await client().propfind('').collect()
    expect(successes.map(({href}) => href)).toEqual(['/', '/a'])
    const names = Object.keys(seen)
    expect(names.filter((name) => name !== name.toLowerCase())).toEqual([])
    expect(names).not.toContain('connection')
    expect(names).not.toContain('host')
    expect(seen).toMatchObject({':method': 'PROPFIND', ':path': '/', depth: '1'})
  })

  it('is closed by close(), after the exchanges on it', async () => {
    answer = (stream) => {
      setTimeout(() => stream.respond({':status': 204}, {endStream: true}), 50)
    }
    const transport = open()
    const sent = transport({method: 'GET', url, headers: {}})
    await delay(10)
    await transport.close()
    expect((await sent).status).toBe(204)
    await expect(transport({method: 'GET', url, headers: {}})).rejects.toThrow(Error)
  })

  it('does not keep a process alive', async () => {
    const program = `
      import {undiciTransport} from '${new URL('../../src/undici.ts', import.meta.url).href}'
      const transport = undiciTransport({http2: true, ca: process.env.CA})
      const {status} = await transport({method: 'GET', url: '${url}', headers: {}})
      console.log(status)`
    const run = promisify(execFile)
    const {stdout} = await run(process.execPath, ['--input-type=module', '-e', program], {
      env: {...process.env, CA: certificate.cert},
      timeout: 15_000,
    })
    expect(stdout.trim()).toBe('204')
  })
})

describe('HTTP/1.1', () => {
  it.each(['https', 'http'])(
    'is used for %s without h2, with names in Title-Case',
    async (scheme) => {
      const seen: string[][] = []
      const server =
        scheme === 'https'
          ? createHttpsServer({...certificate}, (request, response) => {
              seen.push(request.rawHeaders)
              response.writeHead(204).end()
            })
          : createHttpServer((request, response) => {
              seen.push(request.rawHeaders)
              response.writeHead(204).end()
            })
      await listen(server)
      const dav = new DavClient({
        url: `${scheme}://localhost:${portOf(server)}/`,
        transport: open(),
      })
      expect(await dav.delete('a')).toMatchObject({ok: true, status: 204})
      expect(seen[0]).toContain('User-Agent')
      await dav.close()
      server.closeAllConnections()
      server.close()
    },
  )

  it('is used without the option, even if the server prefers HTTP/2', async () => {
    const versions: string[] = []
    const server = createSecureServer({...certificate, allowHTTP1: true}, (request, response) => {
      versions.push(request.httpVersion)
      response.writeHead(204)
      response.end()
    })
    await listen(server)
    const transport = undiciTransport({ca: certificate.cert})
    const url = `https://localhost:${portOf(server)}/`
    expect((await transport({method: 'GET', url, headers: {}})).status).toBe(204)
    expect(versions).toEqual(['1.1'])
    await transport.close()
    server.close()
  })
})

interface Listening {
  listen(port: number, host: string): unknown
  address(): AddressInfo | string | null
  once(event: string, listener: () => void): unknown
}

async function listen(server: Listening & NodeJS.EventEmitter): Promise<void> {
  server.listen(0, 'localhost')
  await once(server, 'listening')
}

function portOf(server: Listening): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

/** Reads a body, with a pause of some milliseconds after each chunk. */
async function textOf(body: DavBody | null, milliseconds = 0): Promise<string> {
  let read = ''
  for await (const chunk of body ?? []) {
    read += Buffer.from(chunk).toString()
    if (milliseconds > 0) await delay(milliseconds)
  }
  return read
}
