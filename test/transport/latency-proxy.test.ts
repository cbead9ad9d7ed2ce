// States what the delaying proxy of the benchmarks keeps: order, the end of one direction, and resets. Its timers are fake, so that no
// test takes or asserts a time.

import {once} from 'node:events'
import {connect, createServer, type Server, type Socket} from 'node:net'
import {setImmediate as turn} from 'node:timers/promises'

import {afterEach, beforeEach, expect, it, vi} from 'vitest'

import {type LatencyProxy, startLatencyProxy} from '../support/latency-proxy.ts'

const DELAY = 50

let server: Server
let proxy: LatencyProxy
let client: Socket
let served: Socket
let sockets: Socket[]

beforeEach(async () => {
  sockets = []
  server = createServer({allowHalfOpen: true}, (socket) => void sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await open(DELAY)
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout']})
})

afterEach(async () => {
  vi.useRealTimers()
  for (const socket of [client, ...sockets]) socket.destroy()
  await proxy[Symbol.asyncDispose]()
  await new Promise((resolve) => server.close(resolve))
})

it('gives bytes on after its milliseconds, in either direction', async () => {
  for (const [from, to] of [
    [client, served],
    [served, client],
  ] as const) {
    const got = textOf(to)
    from.write('bytes')
    await untilDelayed(1)
    vi.advanceTimersByTime(DELAY - 1)
    await turns()
    expect(got()).toBe('')
    vi.advanceTimersByTime(1)
    await until(() => got() === 'bytes')
  }
})

it('keeps the order of bytes, and their distance', async () => {
  const got = textOf(served)
  client.write('one ')
  await untilDelayed(1)
  vi.advanceTimersByTime(DELAY / 2)
  client.write('two')
  await untilDelayed(2)
  vi.advanceTimersByTime(DELAY / 2)
  await until(() => got() !== '')
  await turns()
  expect(got()).toBe('one ')
  vi.advanceTimersByTime(DELAY / 2)
  await until(() => got() === 'one two')
})

it('gives on many megabytes to a slow reader, in order', async () => {
  const sent = Buffer.from(Array.from({length: 500_000}, (_, number) => `${number}`).join(' '))
  const chunks: Buffer[] = []
  served.end(sent)
  client.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    client.pause()
    setImmediate(() => client.resume())
  })
  await until(() => {
    vi.advanceTimersByTime(DELAY)
    return client.readableEnded
  })
  expect(Buffer.concat(chunks).equals(sent)).toBe(true)
})

it('passes the end of one direction on behind its bytes, and keeps the other open', async () => {
  const request = textOf(served)
  const answer = textOf(client)
  const ended = vi.fn<() => void>()
  served.once('end', ended)
  client.end('request')
  await untilDelayed(2)
  await turns()
  expect(ended).not.toHaveBeenCalled()
  vi.advanceTimersByTime(DELAY)
  await until(() => ended.mock.calls.length > 0)
  expect(request()).toBe('request')
  served.end('answer')
  await untilDelayed(2)
  vi.advanceTimersByTime(DELAY)
  await once(client, 'close')
  expect(answer()).toBe('answer')
})

it.each(['client', 'server'] as const)('passes a reset by the %s on', async (side) => {
  const [from, to] = side === 'client' ? [client, served] : [served, client]
  const got = textOf(to)
  const reset = once(to, 'error')
  from.write('last words')
  await untilDelayed(1)
  from.resetAndDestroy()
  await untilDelayed(2)
  await turns()
  expect(to.destroyed).toBe(false)
  vi.advanceTimersByTime(DELAY)
  expect(await reset).toMatchObject([{code: 'ECONNRESET'}])
  expect(got()).toBe('last words')
})

it('resets a connection where nobody listens at the port', async () => {
  await using deaf = await startLatencyProxy(await closedPort(), 0)
  const socket = connect(deaf.port, '127.0.0.1')
  const [error] = await once(socket, 'error')
  expect(error).toMatchObject({code: 'ECONNRESET'})
})

it('sets no timer without a delay', async () => {
  await proxy[Symbol.asyncDispose]()
  await open(0)
  const got = textOf(served)
  client.write('bytes')
  await until(() => got() === 'bytes')
  expect(vi.getTimerCount()).toBe(0)
})

it('ends all connections at its close, with bytes on their way', async () => {
  const ended = [client, served].map((socket) => once(socket, 'end'))
  textOf(client)
  const got = textOf(served)
  client.write('bytes')
  await untilDelayed(1)
  await proxy[Symbol.asyncDispose]()
  vi.advanceTimersByTime(DELAY)
  await Promise.all(ended)
  expect(got()).toBe('')
  const late = connect(proxy.port, '127.0.0.1')
  expect(await once(late, 'error')).toMatchObject([{code: 'ECONNREFUSED'}])
})

/** Connects a client through a new proxy. */
async function open(milliseconds: number): Promise<void> {
  const {port} = addressOf(server)
  proxy = await startLatencyProxy(port, milliseconds)
  const connection = once(server, 'connection')
  client = connect({port: proxy.port, host: '127.0.0.1', allowHalfOpen: true})
  ;[served] = await connection
}

function addressOf(listening: Server): {port: number} {
  const address = listening.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address
}

async function closedPort(): Promise<number> {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const {port} = addressOf(other)
  await new Promise((resolve) => other.close(resolve))
  return port
}

/** Collects the text that a socket gets. */
function textOf(socket: Socket): () => string {
  let text = ''
  socket.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  return () => text
}

/** Waits until the proxy holds so many steps back. */
function untilDelayed(steps: number): Promise<void> {
  return until(() => vi.getTimerCount() === steps)
}

/** Waits for sockets without a timer, as each timer is fake. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turn()
}

/** Lets the sockets do all that they can do without timers. */
async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await turn()
}
