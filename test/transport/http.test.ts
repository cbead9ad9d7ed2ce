// States the options of httpTransport: the question before a body, agents of the caller, closing. RFC 9110, sections 10.1.1 and
// 15.5.18.

import {once} from 'node:events'
import {Agent} from 'node:http'
import {createServer, type Socket} from 'node:net'
import {setTimeout} from 'node:timers/promises'

import {DavClient} from 'multistatus'
import {httpTransport, type HttpTransportOptions} from 'multistatus/http'
import {afterEach, describe, expect, it, onTestFinished} from 'vitest'

import {CLOSE, type FaultServer, startFaultServer} from '../support/fault-server.ts'
import {
  type RawOptions,
  type RawPart,
  type RawServer,
  startRawServer,
} from '../support/raw-server.ts'

let server: RawServer | undefined
let model: FaultServer | undefined
afterEach(async () => {
  server?.close()
  server = undefined
  await model?.close()
  model = undefined
})

const CREATED = 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n'
const BYTES = new TextEncoder().encode('some text')

/** A body that tells if somebody has read of it. */
function watched(): {body: AsyncIterable<Uint8Array>; reads: number} {
  const one = {
    reads: 0,
    body: {
      async *[Symbol.asyncIterator]() {
        one.reads++
        yield BYTES
      },
    },
  }
  return one
}

describe('expectContinue', () => {
  const open = async (
    options: RawOptions,
    answer: readonly RawPart[] = [CREATED],
  ): Promise<ReturnType<typeof httpTransport>> => {
    server = await startRawServer(() => answer, options)
    return httpTransport({expectContinue: true})
  }
  const put = {method: 'PUT', headers: {}, length: BYTES.length}

  it('sends the body after the server’s consent', async () => {
    const transport = await open({})
    const {body} = watched()
    const {status} = await transport({...put, url: `${server?.url}a`, body})
    expect(status).toBe(201)
    expect(server?.requests).toMatchObject([{method: 'PUT', body: 'some text'}])
    const headers = new Map(server?.requests[0]?.headers)
    expect(headers.get('Expect')).toBe('100-continue')
    expect(headers.get('Content-Length')).toBe('9')
  })

  it.each(['401 Unauthorized', '413 Content Too Large', '507 Insufficient Storage'])(
    'sends and reads no body that is refused with %s, and goes on over another connection',
    async (refusal) => {
      let isRefused = false
      const transport = await open({
        onExpect: () => {
          if (isRefused) return ['HTTP/1.1 100 Continue\r\n\r\n']
          isRefused = true
          return [`HTTP/1.1 ${refusal}\r\nContent-Length: 2\r\n\r\nNo`]
        },
      })
      const one = watched()
      const answer = await transport({...put, url: `${server?.url}a`, body: one.body})
      const chunks = await Array.fromAsync(answer.body ?? [])
      expect(answer.status).toBe(Number.parseInt(refusal, 10))
      expect(Buffer.concat(chunks).toString()).toBe('No')
      expect(one.reads).toBe(0)
      const again = await transport({...put, url: `${server?.url}a`, body: one.body})
      expect(again.status).toBe(201)
      expect(server?.requests.map(({body}) => body)).toEqual(['', 'some text'])
      expect(server?.requests.map(({connection}) => connection)).toEqual([1, 2])
    },
  )

  it('does not ask for consent to an empty stream, which a server may answer at once', async () => {
    const transport = await open({onExpect: () => ['HTTP/1.1 100 Continue\r\n\r\n', CREATED]})
    const body = new Blob([]).stream()
    const url = `${server?.url}a`
    const {status} = await transport({...put, url, length: 0, body})
    expect(status).toBe(201)
    const headers = new Map(server?.requests[0]?.headers)
    expect([headers.get('Expect'), headers.get('Content-Length')]).toEqual([undefined, '0'])
  })

  it('sends the body after a while to a server that does not consent', async () => {
    const transport = await open({onExpect: () => 'body'})
    const {status} = await transport({...put, url: `${server?.url}a`, body: watched().body})
    expect(status).toBe(201)
    expect(server?.requests).toMatchObject([{body: 'some text'}])
  })

  it('does without the question after a 417, for all further requests too', async () => {
    const transport = await open({
      onExpect: () => ['HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n', CLOSE],
    })
    for (const name of ['a', 'b']) {
      const one = watched()
      const {status} = await transport({...put, url: server?.url + name, body: one.body})
      expect([status, one.reads]).toEqual([201, 1])
    }
    const asked = server?.requests.map(({headers}) => new Map(headers).has('Expect'))
    expect(asked).toEqual([true, false, false])
  })

  it('is not asked for a short body, and for none without the option', async () => {
    const transport = await open({})
    await transport({method: 'PUT', headers: {}, url: `${server?.url}a`, body: 'short'})
    await httpTransport()({...put, url: `${server?.url}b`, body: watched().body})
    const asked = server?.requests.map(({headers}) => new Map(headers).has('Expect'))
    expect(asked).toEqual([false, false])
  })

  it('sends a long text, a Blob and chunks too', async () => {
    const transport = await open({})
    const long = 'x'.repeat(200_000)
    for (const body of [long, new Blob([long]), Buffer.from(long)])
      await transport({method: 'PUT', headers: {}, url: `${server?.url}a`, body})
    await transport({method: 'PUT', headers: {}, url: `${server?.url}a`, body: watched().body})
    expect(server?.requests.map(({body}) => body.length)).toEqual([200_000, 200_000, 200_000, 9])
  })

  it.each(['200 OK', '201 Created', '204 No Content'])(
    'takes no success for stored content before the body was sent: %s',
    async (status) => {
      const transport = await open({
        onExpect: () => [`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`],
      })
      const dav = new DavClient({url: server?.url ?? '', transport})
      const one = watched()
      const stored = dav.put('a', one.body, {length: BYTES.length})
      await expect(stored).rejects.toThrow(
        `answered ${status.slice(0, 3)} before the body was sent`,
      )
      expect(one.reads).toBe(0)
      const long = dav.put('a', 'x'.repeat(200_000))
      await expect(long).rejects.toThrow('before the body was sent')
    },
  )

  it.each([
    ['without a body', 'Content-Length: 0\r\n\r\n'],
    ['with a body', 'Content-Length: 2\r\n\r\nOK'],
  ])('takes no success %s in one packet with the consent', async (_, rest) => {
    const transport = await open({
      onExpect: () => [`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\n${rest}`],
    })
    const dav = new DavClient({url: server?.url ?? '', transport})
    const long = 'x'.repeat(50_000) + 'y'.repeat(50_000)
    for (const send of [
      () => dav.put('a', watched().body, {length: BYTES.length}),
      () => dav.put('a', watched().body, {unknownLength: 'send'}),
      () => dav.put('a', long),
      () => dav.put('a', new Blob([long])),
    ])
      await expect(send()).rejects.toThrow('answered 201 before the body was sent')
  })

  it('takes a success for an empty stream after the consent', async () => {
    const transport = await open({})
    const dav = new DavClient({url: server?.url ?? '', transport})
    async function* nothing(): AsyncGenerator<Uint8Array> {}
    const sent = await dav.put('a', nothing(), {unknownLength: 'send'})
    expect(sent).toMatchObject({ok: true, status: 201})
  })

  it('is ended by an abort while it waits, and the body is not read', async () => {
    const transport = await open({onExpect: () => []})
    const one = watched()
    const signal = AbortSignal.timeout(50)
    const sent = transport({...put, url: `${server?.url}a`, body: one.body, signal})
    await expect(sent).rejects.toMatchObject({name: 'TimeoutError'})
    expect(one.reads).toBe(0)
  })
})

it('a header that Node refuses is an error, and no uncaught one later', async () => {
  const uncaught: unknown[] = []
  const keep = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtException', keep)
  onTestFinished(() => void process.off('uncaughtException', keep))
  server = await startRawServer(() => [CREATED])
  const sent = httpTransport()({method: 'GET', url: server.url, headers: {cookie: 'a\n'}})
  await expect(sent).rejects.toThrow('Invalid character in header content')
  await setTimeout(20)
  expect(uncaught).toEqual([])
})

describe('an agent of the caller', () => {
  it('is sent with, and left open', async () => {
    model = await startFaultServer()
    model.answers({status: 204})
    const agent = new Agent({keepAlive: true, maxSockets: 2})
    const transport = httpTransport({agent})
    const names = Array.from({length: 20}, (_, number) => `f${number}`)
    const dav = new DavClient({url: model.url, transport})
    await dav.deleteMany(names, {concurrency: 8}).collect()
    expect(model.connections).toBe(2)
    await transport.close()
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(2)
    agent.destroy()
  })

  it('of another scheme is an error', async () => {
    const transport = httpTransport({agent: new Agent()})
    const request = {method: 'GET', url: 'https://127.0.0.1:9/', headers: {}}
    await expect(transport(request)).rejects.toThrow('Protocol "https:" not supported')
  })

  it.each<[string, HttpTransportOptions]>([
    ['connections', {connections: 1}],
    ['connectTimeout', {connectTimeout: 1}],
    ['ca', {ca: 'pem'}],
  ])('decides %s by itself', (name, options) => {
    expect(() => httpTransport({agent: new Agent(), ...options})).toThrow(
      new TypeError(`httpTransport: give ${name} to your agent, which decides it`),
    )
  })
})

describe('the options', () => {
  it.each<[string, unknown, string]>([
    ['agent', {}, 'agent is an Agent of node:http or node:https'],
    ['expectContinue', 1, 'expectContinue is true or false'],
    ['connection', 1, 'connection'],
    ['ca', 'no certificate', 'ca has no readable certificate'],
    ['cert', 'x', 'cert needs key too'],
  ])('a wrong %s is a TypeError', (name, value, words) => {
    const open = (): unknown => httpTransport({[name]: value})
    expect(open).toThrow(TypeError)
    expect(open).toThrow(words)
  })

  it.each([
    {connections: 0},
    {connections: 1.5},
    {connectTimeout: -1},
    {connectTimeout: Number.NaN},
  ])('%o is a RangeError', (options) => {
    expect(() => httpTransport(options)).toThrow(RangeError)
  })

  it.each([Infinity, 3_000_000_000])('connectTimeout may be %d', async (connectTimeout) => {
    model = await startFaultServer()
    model.answers({status: 204})
    const dav = new DavClient({url: model.url, transport: httpTransport({connectTimeout})})
    expect(await dav.delete('a')).toMatchObject({ok: true})
  })

  it('connectTimeout ends a connection that is not made: TLS to a server that says nothing', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => {})))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const address = silent.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = `https://127.0.0.1:${address.port}/`
    const dav = new DavClient({url, transport: httpTransport({connectTimeout: 50})})
    await expect(dav.propfind('').collect()).rejects.toMatchObject({
      name: 'DavTimeoutError',
      timeout: 'connect',
      message: `PROPFIND ${url} could not connect within 50 ms: if the network is slow, raise timeout.connect, or connectTimeout of the transport`,
    })
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
})

describe('close', () => {
  it('waits for open answers, closes the connections, and refuses later requests', async () => {
    model = await startFaultServer()
    const gate = Promise.withResolvers<void>()
    model.script(({url}) =>
      url === '/slow' ? {status: 200, body: ['x', gate.promise, 'y']} : {status: 204},
    )
    const transport = httpTransport()
    const {url} = model
    await transport({method: 'DELETE', url: `${url}a`, headers: {}})
    const slow = await transport({method: 'GET', url: `${url}slow`, headers: {}})
    const closed = transport.close()
    const late = transport({method: 'GET', url, headers: {}})
    await expect(late).rejects.toThrow('the transport is closed')
    gate.resolve()
    expect(Buffer.concat(await Array.fromAsync(slow.body ?? [])).toString()).toBe('xy')
    await closed
    await expect.poll(() => model?.open()).toBe(0)
  })
})

describe('a server that closes behind each answer without saying so', () => {
  it('gets each request on a connection of its own', async () => {
    const closing = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
    })
    closing.listen(0, '127.0.0.1')
    await once(closing, 'listening')
    onTestFinished(() => void closing.close())
    const address = closing.address()
    if (address === null || typeof address === 'string') throw new Error('no port')
    const url = `http://127.0.0.1:${address.port}/`
    const dav = new DavClient({url, transport: httpTransport()})
    const names = Array.from({length: 40}, (_, number) => `${number}`)
    const {failures} = await dav.deleteMany(names, {concurrency: 1}).collect()
    expect(failures).toEqual([])
  })
})
