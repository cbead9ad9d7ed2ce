/**
 * The connections of undici's Agent: direct or through a proxy, watched, with the header names that servers understand. Node only.
 */

import {Socket} from 'node:net'
import type {SecureContext} from 'node:tls'

import {buildConnector, errors} from 'undici'

import {startTimer} from '../protocol/wait.ts'
import {AnswerStarts} from './answer-starts.ts'
import type {Connections} from './connections.ts'
import type {Route} from './env-proxy.ts'
import {noteWritten} from './lent.ts'
import {titleCase} from './node-request.ts'
import type {Proxy} from './proxy.ts'
import {openTunnel, proxyUnreachable} from './proxy.ts'
import {openSocks} from './socks.ts'

/** Settings of a connector. */
export interface ConnectorOptions {
  /** Milliseconds until the connection, a tunnel through a proxy included; 0 for no limit. */
  readonly timeout: number
  /** The connections of the transport, which learn of each socket. */
  readonly connections: Connections
  readonly route: Route
  /** The certificates for servers. */
  readonly secureContext: SecureContext | undefined
  /** The certificates for proxies. */
  readonly proxyContext: SecureContext | undefined
  /** True to offer HTTP/2 to servers. */
  readonly allowH2: boolean
}

/**
 * Makes the connector of the Agent, directly or through a proxy. A socket that is being connected is destroyed as soon as no
 * exchange waits.
 */
export function makeConnector({
  timeout,
  connections,
  route,
  secureContext,
  proxyContext,
  allowH2,
}: ConnectorOptions): buildConnector.connector {
  const connect = buildConnector({
    timeout,
    allowH2,
    preferH2: true,
    ...(secureContext && {secureContext}),
  })
  const connectProxy = buildConnector({
    timeout,
    allowH2: false,
    ...(proxyContext && {secureContext: proxyContext}),
  })
  return (options, callback) => {
    const {protocol, hostname, host = hostname} = options
    const proxy = route(`${protocol}//${host}`)
    if (proxy !== undefined) {
      connectThrough(proxy, options, callback)
      return
    }
    const made: unknown = connect(options, (...result) => {
      if (made instanceof Socket) connections.connected(made)
      callback(...result)
    })
    if (!(made instanceof Socket)) return
    connections.connecting(made)
    watchSocket(made)
  }

  function connectThrough(
    proxy: Proxy,
    options: buildConnector.Options,
    callback: buildConnector.Callback,
  ): void {
    const isSecure = options.protocol === 'https:'
    const {hostname, port} = proxy
    const address = {
      hostname,
      host: hostname,
      port,
      protocol: proxy.kind === 'https' ? 'https:' : 'http:',
    }
    const made: unknown = connectProxy(address, (error, socket) => {
      if (error === null) void open(socket)
      else end(proxyUnreachable(proxy, error))
    })
    if (!(made instanceof Socket)) return
    connections.connecting(made)
    let [isTunnelled, isOver] = [false, false]
    const limit = timeout === 0 ? undefined : startTimer(() => endLate(made), timeout)

    async function open(socket: Socket): Promise<void> {
      const at = options.port === '' ? (isSecure ? '443' : '80') : options.port
      try {
        if (proxy.kind === 'socks') await openSocks(proxy, socket, options.hostname, Number(at))
        else if (isSecure) await openTunnel(proxy, socket, authorityOf(options.hostname, at))
      } catch (error) {
        socket.destroy()
        end(proxyUnreachable(proxy, error))
        return
      }
      isTunnelled = true
      if (isSecure)
        connect({...options, httpSocket: socket}, (...[error, secured]) => end(error, secured))
      else end(null, socket)
    }

    function endLate(socket: Socket): void {
      const late = new errors.ConnectTimeoutError(`Connect Timeout Error (timeout: ${timeout}ms)`)
      end(isTunnelled ? late : proxyUnreachable(proxy, late))
      socket.destroy(late)
    }

    function end(...[error, socket]: [Error, null?] | [Error | null, Socket | null]): void {
      if (isOver) return
      isOver = true
      clearTimeout(limit)
      if (made instanceof Socket) connections.connected(made)
      if (socket instanceof Socket) {
        watchSocket(socket)
        callback(null, socket)
      } else callback(error ?? new Error('No connection came about'), null)
    }
  }
}

/** Watches a socket of the Agent. */
function watchSocket(socket: Socket): void {
  socket.on('error', hideReset)
  const answers = new AnswerStarts(socket)
  watchWrites(socket, () => answers.expect())
  // A server refuses a client certificate by an alert, and closes. undici would report the close, and not the alert.
  socket.on('error', () => socket.destroy())
}

function authorityOf(hostname: string, port: string): string {
  return hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
}

/** Renames a reset, which undici 8.12 takes for the end of a body without a length. A file would be cut without a word. */
function hideReset(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'ECONNABORTED'
}

// Each is in a head at most once. To replace them by a pattern takes longer than the rest of the sending.
const OWN_NAMES = ['host', 'connection', 'content-length', 'transfer-encoding'].map(
  (name) => [`\r\n${name}:`, `\r\n${titleCase(name)}:`] as const,
)

/**
 * Converts the headers that undici writes by itself in lower case: XRootD 5.5 would read the body as the next request. Notes the
 * pieces of bodies that were written.
 *
 * @param onHead - Called before the head of each request is written.
 */
function watchWrites(socket: Socket, onHead: () => void): void {
  const write = socket.write.bind(socket)
  type Done = (error?: Error | null) => void
  socket.write = (chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done) => {
    if (typeof chunk !== 'string' && encoding === undefined)
      return write(chunk, () => noteWritten(chunk))
    const isHead = typeof chunk === 'string' && chunk.includes(' HTTP/1.1\r\n')
    if (isHead) onHead()
    const text = isHead
      ? OWN_NAMES.reduce((head, [own, titled]) => head.replace(own, titled), chunk)
      : chunk
    return typeof encoding === 'string' ? write(text, encoding, done) : write(text, encoding)
  }
}
