// An HTTP/2 server that writes each frame by itself, because Node's own puts END_STREAM before most resets. It reads the kinds of
// frames, and no headers: a test scripts the streams in their order. RFC 9113, section 6; RFC 7541, section 6.2.2.

import {once} from 'node:events'
import type {Socket} from 'node:net'
import {createServer, type TLSSocket} from 'node:tls'

import type {Certificate} from './certificate.ts'

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length
const DATA = 0
const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
const END_STREAM = 1
const END_HEADERS = 4
const ACK = 1

/** One stream, which the test answers. */
export interface FrameStream {
  readonly id: number
  /** The number of its connection, 1 for the first. */
  readonly connection: number
  /** Resolves when the request has ended: `end`, or `reset` by the client. */
  readonly ended: Promise<'end' | 'reset'>
  /** Bytes of the request body so far. */
  readonly received: number
  /** Sends a head. With `end` it has END_STREAM. */
  head(status: number, headers?: Readonly<Record<string, string>>, end?: boolean): void
  data(text: string, end?: boolean): void
  /** Sends RST_STREAM. */
  reset(code: number): void
  /** Sends GOAWAY with the last stream that counts as processed. */
  goaway(code: number, lastId: number): void
  /** Ends the connection: in order, by a TCP reset, or by silence, as behind a NAT that has forgotten it. */
  disconnect(how: 'close' | 'reset' | 'silence'): void
}

export interface FrameServer extends AsyncDisposable {
  readonly url: string
  /** Connections so far. */
  readonly connections: number
  /** Streams so far. */
  readonly streams: number
  /** Sets the answer of each stream. */
  script(answer: (stream: FrameStream, number: number) => void): void
}

// Literal names, which need no table.
function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), ...[name, value].map(lengthFirst)])
}

function lengthFirst(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)])
}

function frame(type: number, flags: number, id: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

function words(...numbers: number[]): Buffer {
  const buffer = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) buffer.writeUInt32BE(number, 4 * index)
  return buffer
}

/** Starts a server on loopback. */
export async function startFrameServer({cert, key}: Certificate): Promise<FrameServer> {
  let connections = 0
  let streams = 0
  let answer: Parameters<FrameServer['script']>[0] = () => {}
  const sockets = new Set<TLSSocket>()
  // The sockets below TLS, by the port of the client: only they can be reset.
  const plain = new Map<number | undefined, Socket>()
  const server = createServer({cert, key, ALPNProtocols: ['h2']}, (socket) => {
    const connection = ++connections
    let isSilent = false
    sockets.add(socket)
    // Broken connections are the purpose.
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.write(frame(SETTINGS, 0, 0, Buffer.alloc(0)))
    socket.write(frame(WINDOW_UPDATE, 0, 0, words(1_000_000)))
    const open = new Map<number, {received: number; end: (how: 'end' | 'reset') => void}>()
    const begin = (id: number): void => {
      const {promise, resolve} = Promise.withResolvers<'end' | 'reset'>()
      const state = {received: 0, end: resolve}
      open.set(id, state)
      const send = (type: number, flags: number, payload: Uint8Array): void => {
        if (!socket.destroyed && !isSilent) socket.write(frame(type, flags, id, payload))
      }
      const stream: FrameStream = {
        id,
        connection,
        ended: promise,
        get received() {
          return state.received
        },
        head(status, headers = {}, end = false) {
          const fields = [[':status', String(status)], ...Object.entries(headers)]
          const block = Buffer.concat(fields.map(([name = '', value = '']) => field(name, value)))
          send(HEADERS, END_HEADERS | (end ? END_STREAM : 0), block)
        },
        data: (text, end = false) => send(DATA, end ? END_STREAM : 0, Buffer.from(text)),
        reset: (code) => send(RST_STREAM, 0, words(code)),
        goaway: (code, lastId) => socket.write(frame(GOAWAY, 0, 0, words(lastId, code))),
        disconnect(how) {
          if (how === 'silence') isSilent = true
          else if (how === 'close') socket.end()
          else plain.get(socket.remotePort)?.resetAndDestroy()
        },
      }
      answer(stream, ++streams)
    }
    const read = (type: number, flags: number, id: number, payload: Buffer): void => {
      if (isSilent) return
      if (type === SETTINGS && flags !== ACK) socket.write(frame(SETTINGS, ACK, 0, Buffer.alloc(0)))
      if (type === PING && flags !== ACK) socket.write(frame(PING, ACK, 0, payload))
      if (type === HEADERS) begin(id)
      const state = open.get(id)
      if (type === DATA && state !== undefined) state.received += payload.length
      if (type === RST_STREAM) state?.end('reset')
      else if ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0) state?.end('end')
    }
    let rest: Buffer = Buffer.alloc(0)
    let skip = PREFACE
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      if (rest.length < skip) return
      rest = rest.subarray(skip)
      skip = 0
      while (rest.length >= 9) {
        const length = rest.readUIntBE(0, 3)
        if (rest.length < 9 + length) break
        const [type, flags, id] = [rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5)]
        const payload = rest.subarray(9, 9 + length)
        rest = rest.subarray(9 + length)
        read(type, flags, id, payload)
      }
    })
  })
  server.on('connection', (socket: Socket) => plain.set(socket.remotePort, socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `https://localhost:${address.port}/`,
    get connections() {
      return connections
    },
    get streams() {
      return streams
    },
    script(given) {
      answer = given
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
