// A server on loopback that answers with bytes as they are: interim answers, odd status lines, connections that close at an odd time.
// It reads requests with a Content-Length, with chunks, or without a body. RFC 9112.

import {once} from 'node:events'
import {createServer, type Socket} from 'node:net'
import {setTimeout as delay} from 'node:timers/promises'

import {CLOSE, RESET} from './fault-server.ts'

/** Bytes of an answer, milliseconds to wait for, or an end of the connection. */
export type RawPart = string | number | typeof CLOSE | typeof RESET

/** A request as it arrived. */
export interface RawRequest {
  readonly method: string
  readonly url: string
  /** Names as they were written, each with its value. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The body, in Latin-1. */
  readonly body: string
  /** The number of its connection, from 1. */
  readonly connection: number
}

export interface RawServer {
  readonly url: string
  readonly requests: readonly RawRequest[]
  /** Number of connections that were ever accepted. */
  readonly connections: number
  close(): void
}

export interface RawOptions {
  /** Called at the head of a request with `Expect`, before its body. Default: 100 Continue. */
  readonly onExpect?: (request: RawRequest) => readonly RawPart[] | 'body'
  /** Called for each new connection; `false` keeps it unread until it is called by `serve`. */
  readonly onConnection?: (socket: Socket, serve: () => void) => void
}

/** Starts a server that answers each request with these parts. */
export async function startRawServer(
  answer: (request: RawRequest) => readonly RawPart[],
  {onExpect, onConnection}: RawOptions = {},
): Promise<RawServer> {
  const requests: RawRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    const serve = (): void => void serveSocket(socket, connection)
    if (onConnection === undefined) serve()
    else onConnection(socket, serve)
  })

  async function serveSocket(socket: Socket, connection: number): Promise<void> {
    let bytes = ''
    let isAsked = false
    let isBusy = false
    const next = async (): Promise<void> => {
      // A server that has closed a connection reads nothing more from it.
      if (isBusy || socket.writableEnded) return
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) return
      const [start = '', ...lines] = bytes.slice(0, end).split('\r\n')
      const [method = '', url = ''] = start.split(' ')
      const headers = lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
      })
      const head = {method, url, headers, connection, body: ''}
      if (!isAsked && headers.some(([name]) => name.toLowerCase() === 'expect')) {
        isAsked = true
        const reply = onExpect?.(head) ?? ['HTTP/1.1 100 Continue\r\n\r\n']
        if (reply !== 'body') {
          isBusy = true
          const isFinal = reply.some((part) => typeof part === 'string' && !/^HTTP\S+ 1/.test(part))
          if (isFinal) {
            requests.push(head)
            bytes = ''
          }
          await send(socket, reply)
          isBusy = false
        }
      }
      const whole = bytes === '' ? undefined : readBody(bytes.slice(end + 4), headers)
      if (whole === undefined) return
      bytes = whole.rest
      isAsked = false
      isBusy = true
      const request = {...head, body: whole.body}
      requests.push(request)
      await send(socket, answer(request))
      isBusy = false
      await next()
    }
    socket.on('data', (chunk) => {
      bytes += chunk.toString('latin1')
      void next()
    })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    requests,
    get connections() {
      return connections
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

function readBody(
  bytes: string,
  headers: RawRequest['headers'],
): {readonly body: string; readonly rest: string} | undefined {
  const valueOf = (wanted: string): string | undefined =>
    headers.find(([name]) => name.toLowerCase() === wanted)?.[1]
  if (valueOf('transfer-encoding') === 'chunked') {
    let [body, at] = ['', 0]
    for (;;) {
      const line = bytes.indexOf('\r\n', at)
      if (line === -1) return undefined
      const size = Number.parseInt(bytes.slice(at, line), 16)
      if (bytes.length < line + 2 + size + 2) return undefined
      body += bytes.slice(line + 2, line + 2 + size)
      at = line + 2 + size + 2
      if (size === 0) return {body, rest: bytes.slice(at)}
    }
  }
  const length = Number(valueOf('content-length') ?? 0)
  return bytes.length < length
    ? undefined
    : {body: bytes.slice(0, length), rest: bytes.slice(length)}
}

async function send(socket: Socket, parts: readonly RawPart[]): Promise<void> {
  for (const part of parts) {
    if (typeof part === 'string') socket.write(part, 'latin1')
    else if (typeof part === 'number') await delay(part)
    else if (part === CLOSE) socket.end()
    else if (part === RESET) socket.resetAndDestroy()
  }
}
