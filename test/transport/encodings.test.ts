// States that undici's bodies are read without their content codings, and that a broken coding is an error and never a
// hang. RFC 9110, section 8.4; RFC 8878 (zstd).

import {
  brotliCompressSync,
  constants,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'

import {
  DavClient,
  type DavResult,
  DavNetworkError,
  MultiStatusError,
  type Transport,
  partition,
} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {isUndecodable} from '../../src/transport/undecodable.ts'
import {
  type Answer,
  answer207,
  type FaultServer,
  listed,
  listing,
  NEVER,
  OPEN,
  RESET,
  startFaultServer,
} from '../support/fault-server.ts'
import {drain} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

const hrefs = ['/docs/', ...Array.from({length: 500}, (_, number) => `/docs/${number}.txt`)]
const body = Buffer.from(listing(...hrefs))

async function listedHrefs(): Promise<string[]> {
  const {successes} = await dav.propfind('docs/').collect()
  return successes.map(({href}) => href)
}

function isBroken(error: unknown): boolean {
  return error instanceof DavNetworkError || error instanceof MultiStatusError
}

describe('a body', () => {
  it.each([
    ['gzip', gzipSync(body)],
    ['x-gzip', gzipSync(body)],
    ['GZIP', gzipSync(body)],
    ['deflate', deflateSync(body)],
    // Without the header of zlib, as many servers write it.
    ['deflate', deflateRawSync(body)],
    ['br', brotliCompressSync(body)],
    ['zstd', zstdCompressSync(body)],
    ['identity', body],
    ['gzip, deflate', deflateRawSync(gzipSync(body))],
    ['deflate, gzip', gzipSync(deflateSync(body))],
    ['gzip, identity', gzipSync(body)],
  ])('in %s is read', async (coding, coded) => {
    server.answers(answer207(coded, {'content-encoding': coding}))
    expect(await listedHrefs()).toEqual(hrefs)
  })

  const half = body.length / 2
  const [begin, end] = [body.subarray(0, half), body.subarray(half)]
  const skipped = Buffer.from('502a4d1803000000aabbcc', 'hex')
  it.each<[string, string, readonly Buffer[]]>([
    ['gzip', 'zeros behind it', [gzipSync(body), Buffer.alloc(20)]],
    ['gzip', 'two members', [gzipSync(begin), gzipSync(end)]],
    ['deflate', 'bytes behind it', [deflateSync(body), Buffer.from('more')]],
    ['br', 'bytes behind it', [brotliCompressSync(body), Buffer.from('more')]],
    ['zstd', 'bytes behind it', [zstdCompressSync(body), Buffer.from('more')]],
    ['zstd', 'two frames', [zstdCompressSync(begin), zstdCompressSync(end)]],
    ['zstd', 'a frame to be skipped', [zstdCompressSync(begin), skipped, zstdCompressSync(end)]],
  ])('in %s with %s is read', async (coding, _what, parts) => {
    const coded = Buffer.concat(parts)
    const [first = coded] = parts
    const headers = {'content-encoding': coding}
    // In one piece, in two, in one of each part, and byte by byte.
    const cuts = [[], [3], [first.length], [first.length + 2], Array.from(coded.keys()).slice(1)]
    for (const cut of cuts) {
      const from = [0, ...cut]
      const pieces = from.map((at, index) => coded.subarray(at, from[index + 1]))
      server.answers(answer207(pieces, headers))
      expect(await listedHrefs()).toEqual(hrefs)
    }
  })

  it('in gzip is read from pieces', async () => {
    const coded = gzipSync(body)
    const pieces = Array.from({length: 20}, (_, at) =>
      coded.subarray((coded.length * at) / 20, (coded.length * (at + 1)) / 20),
    )
    server.answers(answer207(pieces, {'content-encoding': 'gzip'}))
    expect(await listedHrefs()).toEqual(hrefs)
  })

  it('is asked for in codings that mean one thing: servers write two things as deflate', async () => {
    server.answers(answer207(body))
    await listedHrefs()
    expect(server.requests[0]?.headers['accept-encoding']).toBe('gzip, br, zstd')
  })

  it('in gzip is held to the limits by its decoded bytes, so a small one cannot fill the memory', async () => {
    const long = `<multistatus xmlns="DAV:"><response><href>${'a'.repeat(2_000_000)}</href>`
    const coded = gzipSync(long)
    expect(coded.length).toBeLessThan(5000)
    server.answers(answer207(coded, {'content-encoding': 'gzip'}))
    const limited = new DavClient({url: server.url, transport, limits: {response: 1_000_000}})
    await expect(limited.propfind('docs/').collect()).rejects.toMatchObject({
      reason: 'limit-exceeded',
      limit: 'response',
    })
  })

  it('of a refusal is decoded too: its conditions are read', async () => {
    const refusal = '<error xmlns="DAV:"><propfind-finite-depth/></error>'
    server.answers({
      status: 403,
      headers: {'content-encoding': 'gzip'},
      body: gzipSync(refusal),
    })
    await expect(dav.propfind('docs/', {depth: 'infinity'}).collect()).rejects.toMatchObject({
      status: 403,
      conditions: ['propfind-finite-depth'],
    })
  })

  it('that is none is no error: a 204 that says gzip', async () => {
    server.answers({status: 204, headers: {'content-encoding': 'gzip'}})
    expect(partition(resultsOf(await dav.delete('a'))).successes).toMatchObject([{status: 204}])
  })
})

describe('results of a body in gzip', () => {
  it('come as the server flushes them', async () => {
    const {promise: gate, resolve: open} = Promise.withResolvers<void>()
    const first = Buffer.from(OPEN + listed('/docs/') + listed('/docs/a'))
    const flushed = gzipSync(first, {finishFlush: constants.Z_SYNC_FLUSH})
    server.answers(answer207([flushed, gate, NEVER], {'content-encoding': 'gzip'}))
    const seen: string[] = []
    for await (const {href} of dav.propfind('docs/')) {
      seen.push(href)
      open()
      if (seen.length === 2) break
    }
    expect(seen).toEqual(['/docs/', '/docs/a'])
    expect(await server.requests[0]?.ended).toBe('closed')
  })
})

describe('a coded body that is broken', () => {
  const read = (): Promise<{items: DavResult<unknown>[]; error?: unknown}> =>
    drain(dav.propfind('docs/'))

  it.each([
    ['gzip', gzipSync(body)],
    ['deflate', deflateSync(body)],
    ['br', brotliCompressSync(body)],
    ['zstd', zstdCompressSync(body)],
  ])('is an error if it ends early: %s', async (coding, coded) => {
    const half = coded.subarray(0, coded.length / 2)
    server.answers(answer207(half, {'content-encoding': coding}))
    expect(isBroken((await read()).error)).toBe(true)
  })

  it.each(['gzip', 'deflate', 'br', 'zstd'])('is an error if it is no %s', async (coding) => {
    server.answers(answer207(body, {'content-encoding': coding}))
    const {items, error} = await read()
    expect(items).toEqual([])
    expect(isBroken(error)).toBe(true)
    expect(error).toMatchObject({message: expect.stringContaining(`${server.url}docs/`)})
  })

  it('is an error if its middle is damaged', async () => {
    const damaged = Buffer.from(gzipSync(body))
    damaged.fill(0xff, 400, 450)
    server.answers(answer207(damaged, {'content-encoding': 'gzip'}))
    expect(isBroken((await read()).error)).toBe(true)
  })

  it('closes the connection', async () => {
    const answer = answer207([body, NEVER], {'content-encoding': 'gzip'})
    server.answers(answer)
    expect(isBroken((await read()).error)).toBe(true)
    expect(await server.requests[0]?.ended).toBe('closed')
  })

  it('of a refusal is the refusal all the same', async () => {
    server.answers({status: 403, headers: {'content-encoding': 'gzip'}, body: 'no gzip'})
    await expect(dav.propfind('docs/').collect()).rejects.toMatchObject({status: 403})
  })

  it('in a coding that nobody knows is a MultiStatusError', async () => {
    server.answers(answer207(gzipSync(body), {'content-encoding': 'compress'}))
    expect((await read()).error).toBeInstanceOf(MultiStatusError)
  })
})

const CODINGS = ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'deflate, gzip', 'br, zstd, gzip']

describe('a coding above an empty body', () => {
  const ends: readonly [string, Answer['headers']][] = [
    ['a length of 0', {'content-length': '0'}],
    ['a last chunk alone', {'transfer-encoding': 'chunked'}],
    ['the connection', {'transfer-encoding': 'none', connection: 'close'}],
  ]
  it.each(
    CODINGS.flatMap((coding) => ends.map(([how, headers]) => [coding, how, headers] as const)),
  )('is no error: %s, and the end is %s', async (coding, _how, headers) => {
    const coded = {'content-encoding': coding, ...headers}
    server.answers({status: 200, headers: coded, body: []}, {status: 423, headers: coded, body: []})
    const {successes, failures} = await dav.deleteMany(['a', 'b'], {concurrency: 1}).collect()
    expect(successes).toMatchObject([{status: 200}])
    expect(failures).toMatchObject([{status: 423, reason: 'status'}])
  })

  it.each(CODINGS)('is no error without a body: %s', async (coding) => {
    server.answers({status: 204, headers: {'content-encoding': coding}})
    expect(partition(resultsOf(await dav.delete('a'))).successes).toMatchObject([{status: 204}])
    for (const status of [200, 304]) {
      server.answers({status, headers: {'content-encoding': coding, 'content-length': '20'}})
      const request = {method: 'HEAD', url: server.url, headers: {}}
      expect(await transport(request)).toMatchObject({status, body: null})
    }
  })
})

describe('the broken part', () => {
  async function breakOf(answer: Answer, over: Transport): Promise<unknown> {
    server.answers(answer)
    const client = new DavClient({url: server.url, transport: over})
    return (await drain(client.propfind('docs/'))).error
  }
  const undecodable = {...answer207(body), headers: {'content-encoding': 'gzip'}}

  it.each([
    ['undici', transport],
    ['http', httpTransport()],
    ['fetch', fetchTransport()],
  ])('is known over %s: the coding, or the connection', async (_, over) => {
    const coding = await breakOf(undecodable, over)
    expect(coding).toBeInstanceOf(DavNetworkError)
    expect(isUndecodable(coding)).toBe(true)
    const reset = await breakOf(answer207([OPEN, 20, RESET], {'content-encoding': 'gzip'}), over)
    const plain = await breakOf(answer207([OPEN, 20, RESET]), over)
    expect(plain).toBeInstanceOf(DavNetworkError)
    expect(isUndecodable(plain)).toBe(false)
    expect(reset).toBeInstanceOf(DavNetworkError)
  })

  it.each(CODINGS)('has a cause that says so: %s', async (coding) => {
    const error = await breakOf(
      {...answer207(body), headers: {'content-encoding': coding}},
      transport,
    )
    expect(error).toMatchObject({
      name: 'DavNetworkError',
      cause: {message: expect.stringMatching(/^the compressed body is broken: /)},
      message: expect.stringContaining('the compressed body is broken'),
    })
  })
})
