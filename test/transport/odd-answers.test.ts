// States the answers that are odd on the wire: interim ones that nobody asked for, bodies where none may be, broken ends. RFC 9110,
// section 15.2; RFC 9112, sections 4 and 6.

import {DavClient, DavNetworkError} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {httpTransport} from 'multistatus/http'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, describe, expect, it} from 'vitest'

import {CLOSE, listing, RESET} from '../support/fault-server.ts'
import {type RawPart, type RawServer, startRawServer} from '../support/raw-server.ts'

let server: RawServer | undefined
afterEach(() => server?.close())

const BODY = listing('/', '/a')
const HEAD = `HTTP/1.1 207 Multi-Status\r\nContent-Type: application/xml\r\n`
const WHOLE = `${HEAD}Content-Length: ${BODY.length}\r\n\r\n${BODY}`
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'
const PROCESSING = 'HTTP/1.1 102 Processing\r\n\r\n'

describe.each([
  ['undici', undiciTransport],
  ['http', httpTransport],
] as const)('over %s', (_name, make) => {
  async function open(...parts: readonly RawPart[]): Promise<DavClient> {
    server = await startRawServer(() => parts)
    return new DavClient({url: server.url, transport: make()})
  }

  it.each<[string, readonly RawPart[]]>([
    ['100 Continue', [CONTINUE + WHOLE]],
    ['100 Continue, and the answer later', [CONTINUE, 20, WHOLE]],
    ['100 Continue in two pieces', [CONTINUE.slice(0, 20), 20, CONTINUE.slice(20), 20, WHOLE]],
    [
      '100 Continue twice, between others',
      [PROCESSING + CONTINUE, 20, CONTINUE + PROCESSING + WHOLE],
    ],
    [
      '100 Continue with headers',
      ['HTTP/1.1 100 Continue\r\nServer: a\r\nDate: b\r\n\r\n', 20, WHOLE],
    ],
    ...Array.from({length: CONTINUE.length - 1}, (_, at): [string, readonly RawPart[]] => {
      const [start, end] = [CONTINUE.slice(0, at + 1), CONTINUE.slice(at + 1)]
      return [`100 Continue cut at ${at + 1}, twice`, [start, 5, end + start, 5, end + WHOLE]]
    }),
    ['102 Processing, many times', [PROCESSING.repeat(50), 20, PROCESSING.repeat(50), WHOLE]],
    ['103 Early Hints', ['HTTP/1.1 103 Early Hints\r\nLink: </a>; rel="next"\r\n\r\n', WHOLE]],
    ['199 without a reason', ['HTTP/1.1 199\r\n\r\n', WHOLE]],
    ['102 with Content-Length: 0', ['HTTP/1.1 102 Processing\r\nContent-Length: 0\r\n\r\n', WHOLE]],
  ])('an unasked %s before the answer is ignored, and the connection kept', async (_, parts) => {
    const dav = await open(...parts)
    for (let count = 0; count < 3; count++) {
      const {successes, summary} = await dav.propfind('').collect()
      expect(successes.map(({href}) => href)).toEqual(['/', '/a'])
      expect(summary.complete).toBe(true)
    }
    expect(server).toMatchObject({connections: 1})
  })

  it('102 Processing begins the wait for the answer again, as RFC 2518 means it', async () => {
    const working = Array.from({length: 6}, () => [PROCESSING, 200]).flat()
    server = await startRawServer(() => [...working, WHOLE])
    const dav = new DavClient({url: server.url, transport: make(), timeout: {headers: 700}})
    expect((await dav.propfind('').collect()).successes).toHaveLength(2)
    const limited = dav.propfind('', {timeout: {exchange: 500}})
    await expect(limited.collect()).rejects.toMatchObject({timeout: 'exchange'})
  })

  it('a body that looks like 100 Continue stays as it is', async () => {
    const body = CONTINUE.repeat(3)
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`
    const dav = await open(head, 20, CONTINUE, 20, CONTINUE + CONTINUE)
    const {body: read} = await dav.request('GET', 'a')
    let text = ''
    for await (const chunk of read ?? []) text += Buffer.from(chunk).toString()
    expect(text).toBe(body)
  })

  it.each<[string, readonly RawPart[]]>([
    ['100 Continue and a close', [CONTINUE, CLOSE]],
    ['102 Processing and a reset', [PROCESSING, 20, RESET]],
    [
      '101 Switching Protocols',
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\n'],
    ],
    ['101 without headers', ['HTTP/1.1 101 Switching Protocols\r\n\r\n', WHOLE]],
    [
      'an interim answer with a body',
      ['HTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\nabc', WHOLE],
    ],
    ['bare line feeds', [WHOLE.replaceAll('\r\n', '\n')]],
    [
      'two different lengths',
      [`${HEAD}Content-Length: 9\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`],
    ],
    [
      'a length and chunks',
      [`${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ],
  ])('%s is a DavNetworkError, and is sent once', async (_, parts) => {
    const dav = await open(...parts)
    await expect(dav.propfind('').collect()).rejects.toBeInstanceOf(DavNetworkError)
    expect(server?.requests).toHaveLength(1)
  })

  it.each<[string, string]>([
    ['204 with a length and a body', 'HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi'],
    [
      '204 with chunks',
      'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n',
    ],
    ['a body longer than its length, as of PEAR', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nhi'],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi'],
    ['a line before the status', '\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'],
  ])('%s is an answer, and the next request gets its own', async (_, answer) => {
    const dav = await open(answer)
    for (const target of ['a', 'b', 'c']) expect(await dav.delete(target)).toMatchObject({ok: true})
    expect(server?.requests.map(({url}) => url)).toEqual(['/a', '/b', '/c'])
  })

  it('304 with a body, as of SOGo, does not become the next answer', async () => {
    server = await startRawServer(({method}) =>
      method === 'GET'
        ? [`HTTP/1.1 304 Not Modified\r\nContent-Length: ${WHOLE.length}\r\n\r\n${WHOLE}`]
        : ['HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'],
    )
    const dav = new DavClient({url: server.url, transport: make()})
    expect((await dav.request('GET', 'a')).status).toBe(304)
    expect((await dav.request('PROPFIND', 'a')).status).toBe(404)
  })

  it.each<[string, readonly RawPart[]]>([
    ['a short Content-Length, closed', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi', CLOSE]],
    [
      'a short Content-Length, reset',
      ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi', 20, RESET],
    ],
    [
      'chunks without an end',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n', CLOSE],
    ],
    ['no length, reset', ['HTTP/1.1 200 OK\r\n\r\nhi', 20, RESET]],
  ])('a body that breaks is an error, never its end: %s', async (_, parts) => {
    const dav = await open(...parts)
    const {body} = await dav.request('GET', 'a')
    const read = Array.fromAsync(body ?? [])
    await expect(read).rejects.toBeInstanceOf(DavNetworkError)
  })

  it.each<[string, readonly RawPart[]]>([
    ['never begins', []],
    ['breaks before it begins', [20, RESET]],
    ['breaks behind its beginning', ['hi', 20, RESET]],
  ])('a 400 is an answer, also if its body %s', async (_, parts) => {
    const dav = await open('HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\n', ...parts)
    expect(await dav.delete('a', {timeout: {idle: 100}})).toMatchObject({
      reason: 'status',
      status: 400,
    })
  })

  it('reads a body without a length to the close', async () => {
    const dav = await open('HTTP/1.1 200 OK\r\n\r\nhi', 20, 'ho', CLOSE)
    const {body} = await dav.request('GET', 'a')
    expect(Buffer.concat(await Array.fromAsync(body ?? [])).toString()).toBe('hiho')
  })
})

describe.each([
  ['undici', undiciTransport],
  ['fetch', fetchTransport],
] as const)('the error of %s', (_name, make) => {
  async function failed(...parts: readonly RawPart[]): Promise<string> {
    server = await startRawServer(() => parts)
    const {url} = server
    const dav = new DavClient({url, transport: make()})
    const error: unknown = await dav.request('GET', 'a').then(
      async ({body}) => Array.fromAsync(body ?? []).catch((reason: unknown) => reason),
      (reason: unknown) => reason,
    )
    return error instanceof DavNetworkError ? error.message.replace(`GET ${url}a failed: `, '') : ''
  }

  it.each<[string, readonly RawPart[]]>([
    ['101', ['HTTP/1.1 101 Switching Protocols\r\n\r\n', CLOSE]],
    ['000', ['HTTP/1.1 000 Zero\r\nContent-Length: 0\r\n\r\n']],
    ['099', ['HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n']],
  ])('tells of the status %s', async (_, parts) => {
    expect(await failed(...parts)).toBe('no valid answer, such as one with the status 0 or 101')
  })

  it('tells what is wrong with a compressed body', async () => {
    const head = 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n'
    expect(await failed(`${head}abcd`)).toBe(
      'the compressed body is broken: incorrect header check',
    )
  })
})
