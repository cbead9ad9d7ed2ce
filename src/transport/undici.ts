/**
 * undici as a transport: an Agent with keep-alive, streamed bodies, content codings removed. It uses the dispatcher itself, below
 * undici's `request`, which makes a stream for each answer. Node only.
 */

import type {IncomingHttpHeaders} from 'node:http'
import {Readable} from 'node:stream'

import {Agent} from 'undici'
import type {Dispatcher} from 'undici'

import {
  HTTP2_CONNECTION_BYTES,
  HTTP2_STREAM_BYTES,
  HTTP2_STREAMS,
  KEEP_ALIVE_MARGIN_MILLISECONDS,
} from '../protocol/bounds.ts'
import {DavError, DavTimeoutError, messageOf} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, NUMBER, readOptions, assertCount} from '../protocol/options.ts'
import {BarredError} from './barred.ts'
import {ByteQueue} from './byte-queue.ts'
import {explainTls} from './certificates.ts'
import {makeConnector} from './connector.ts'
import type {Holder} from './connections.ts'
import {Connections} from './connections.ts'
import type {Route} from './env-proxy.ts'
import {readEnvironment, usesEnvironment} from './env-proxy.ts'
import type {Sender} from './global-dispatcher.ts'
import {GlobalDispatcher} from './global-dispatcher.ts'
import {HeldAnswer} from './held-answer.ts'
import type {WatchedStream} from './http2.ts'
import {expectStream, repeatUnprocessed} from './http2.ts'
import {decodeAnswer, isBodiless, readHeaders} from './node-answer.ts'
import {formatHeaders, readUpload} from './node-request.ts'
import type {Proxy} from './proxy.ts'
import {
  formatProxyAuthorization,
  PROXY,
  proxyBroken,
  ProxyError,
  proxyUnauthorized,
  readProxy,
} from './proxy.ts'
import {Settling} from './settling.ts'
import type {TlsOptions} from './tls.ts'
import {readTls, TLS_OPTIONS} from './tls.ts'
import type {DavHeaders, DavRequest, DavResponse, Transport} from './transport.ts'

/** Options of `undiciTransport`. */
export interface UndiciTransportOptions extends TlsOptions {
  /**
   * The dispatcher to send with, such as an Agent with other settings or a MockAgent. It has settings of its own, so no other option
   * goes with it. With one, undici takes an unasked 100 Continue for an error, and a reset for the end of a body without a length.
   *
   * @defaultValue the one of `setGlobalDispatcher`, if the application has set one with options; else an Agent of the transport's
   *   own
   */
  readonly dispatcher?: Dispatcher | undefined
  /**
   * The URL of a proxy, with its user and password if it wants them: `http:`, `https:` or `socks5:`.
   *
   * Requests to an `https:` server go through a tunnel (CONNECT; RFC 9110, section 9.3.6). Those to an `http:` server are forwarded
   * by an HTTP proxy, because most proxies allow no tunnel to other ports than 443. SOCKS has tunnels for both, and the proxy
   * looks up the name of the server. `ca` is for the server and for an `https:` proxy.
   *
   * @defaultValue the proxies of the environment, if Node uses them by NODE_USE_ENV_PROXY=1 or `--use-env-proxy`
   */
  readonly proxy?: string | URL | undefined
  /**
   * The most connections to an origin at once, with the transport's own Agent.
   *
   * @defaultValue no limit: the client limits the requests at once
   */
  readonly connections?: number | undefined
  /**
   * The most milliseconds to connect, with the transport's own Agent. A tunnel through a proxy is a part of that.
   *
   * @defaultValue 10,000
   */
  readonly connectTimeout?: number | undefined
  /**
   * Uses HTTP/2 with https servers that offer it, with the transport's own Agent: one connection for many requests. Other
   * servers get HTTP/1.1. A reset stream, GOAWAY or a lost connection is an error. A request that the server did not
   * process, as it says, is sent again. RFC 9113.
   *
   * Some proxies, such as HAProxy 2.6, end a broken answer in order over HTTP/2. A cut 207 lacks its end, so it is found.
   * Content of a GET with neither a Content-Length nor a content coding ends with an error, unless `resume` can ask for its
   * length. Other cut answers cannot be told, such as the text of a 200 to a DELETE.
   *
   * @defaultValue `false`
   */
  readonly http2?: boolean | undefined
}

const UNDICI_OPTIONS: Rules<UndiciTransportOptions> = {
  dispatcher: {
    words: 'a dispatcher of undici, such as an Agent or a ProxyAgent',
    accepts: (value) => typeof memberOf(value, 'dispatch') === 'function',
  },
  proxy: PROXY,
  ...TLS_OPTIONS,
  connections: NUMBER,
  connectTimeout: NUMBER,
  http2: BOOLEAN,
}

/** A transport that can be closed. */
export interface UndiciTransport extends Transport {
  /**
   * Closes idle connections and waits for the others; later requests fail. Calling it is optional, because idle connections do
   * not keep a process alive. A dispatcher of yours stays open.
   */
  close(): Promise<void>
}

/**
 * Makes a transport over undici.
 *
 * @throws TypeError for an unknown option or one of the wrong type, for unreadable certificates, and for options that do not go
 *   together. TypeError on platforms without undici's dispatcher, such as Bun. RangeError for a number out of range.
 * @example
 * ```ts
 * const transport = undiciTransport({proxy: 'http://proxy.example:3128', ca: readFileSync('corp-ca.pem')})
 * const dav = new DavClient({url, transport})
 * ```
 */
export function undiciTransport(options: UndiciTransportOptions = {}): UndiciTransport {
  const given = readOptions('undiciTransport', options, UNDICI_OPTIONS)
  const {connections: most, connectTimeout = 10_000, http2: allowH2 = false} = given
  assertCount('undiciTransport: connections', most)
  if (!(connectTimeout >= 0))
    throw new RangeError('undiciTransport: connectTimeout is a number of milliseconds')
  const {dispatcher: theirs, proxy, ca, cert, key} = given
  const beside = Object.keys(given).find((name) => name !== 'dispatcher')
  if (theirs !== undefined && beside !== undefined)
    throw new TypeError(
      `undiciTransport: ${beside} cannot go with dispatcher; give it to the dispatcher`,
    )
  const isOwn = theirs === undefined
  const inherits = usesEnvironment(process.env, process.execArgv)
  const route = isOwn ? findRoute(proxy, inherits) : () => undefined
  const secureContext = readTls('undiciTransport', {ca, cert, key})
  const proxyContext = readTls('undiciTransport', {ca})
  const needsOwn = ['http2', 'proxy', ...Object.keys(TLS_OPTIONS)].some((name) => name in given)
  const common = isOwn && !needsOwn ? new GlobalDispatcher(inherits) : undefined
  const own = new Connections(most ?? Number.POSITIVE_INFINITY)
  // The number of connections of a given dispatcher is unknown. It may be one, so that is assumed.
  const foreign = new Connections(1)
  const dispatcher =
    theirs ??
    new Agent({
      // The client has its own time limits, the same on every platform.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MILLISECONDS,
      allowH2,
      h2Options: {
        maxConcurrentStreams: HTTP2_STREAMS,
        connectionWindowSize: HTTP2_CONNECTION_BYTES,
        settings: {initialWindowSize: HTTP2_STREAM_BYTES},
      },
      connect: makeConnector({
        timeout: connectTimeout,
        connections: own,
        route,
        secureContext,
        proxyContext,
        allowH2,
      }),
      ...(most !== undefined && {connections: most}),
    })
  // Bun replaces undici by a module of its own. Its Agent sends nothing.
  if (typeof dispatcher.dispatch !== 'function')
    throw new TypeError('undiciTransport needs a dispatcher of undici; on Bun, use fetchTransport')
  // undici counts a connection as busy for a turn more. A request that comes earlier would open another one.
  const settling = new Settling(1)
  // The origin of the last request, and its proxy. Look-ups find the same string faster than an equal one.
  let origin = ''
  let through: Proxy | undefined
  let wasForeign = !isOwn
  let closed: Promise<void> | undefined

  const send: Transport = async (request) => {
    await settling.last
    request.signal?.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const {method, url} = request
      if (!(url.startsWith(origin) && url.charAt(origin.length) === '/')) {
        origin = /^[^:]+:\/\/[^/?#]+/.exec(url)?.[0] ?? ''
        through = route(origin)
      }
      const hash = url.indexOf('#')
      const path = url.slice(origin.length, hash === -1 ? undefined : hash)
      const upload = openBody(request)
      const shared = common?.find()
      const isForeign = !isOwn || shared !== undefined
      wasForeign ||= isForeign
      const forwarder = isForeign ? undefined : forwarderOf(origin, through)
      const sent: Dispatcher.DispatchOptions = {
        origin,
        path: `${forwarder === undefined ? '' : origin}${path.startsWith('/') ? path : `/${path}`}`,
        method,
        headers: formatHeaders(request, forwarder && formatProxyAuthorization(forwarder)),
        body: upload,
        ...resetOf(method, forwarder),
      }
      const connections = isForeign ? foreign : own
      const around = {connections, settling, resolve, reject, upload, forwarder}
      const exchange = new Exchange(request, origin, around)
      const sender: Sender = shared ?? dispatcher
      try {
        sender.dispatch(sent, exchange)
      } catch (error) {
        // A MockAgent throws for a request that it does not know.
        exchange.refuse(error instanceof Error ? error : new Error(messageOf(error)))
      }
    })
  }
  const transport: Transport = (request) => repeatUnprocessed(send, request)
  Object.defineProperty(transport, 'givesChunksAway', {
    // A dispatcher of the caller may keep chunks, as a cache does.
    get: () => !wasForeign && common?.find() === undefined,
  })
  return Object.assign(transport, {
    sendsLength: true,
    close: async () => (isOwn ? (closed ??= dispatcher.close()) : undefined),
  })
}

/** Makes the route of the options, or of the environment if Node uses that. */
function findRoute(proxy: string | URL | undefined, inherits: boolean): Route {
  if (proxy !== undefined) {
    const read = readProxy('undiciTransport: proxy', proxy)
    return () => read
  }
  return inherits ? readEnvironment(process.env) : () => undefined
}

/** Returns the proxy that forwards requests to an origin; `undefined` if they go directly or through a tunnel. */
function forwarderOf(origin: string, proxy: Proxy | undefined): Proxy | undefined {
  return proxy?.kind === 'socks' || origin.startsWith('https:') ? undefined : proxy
}

/** Tells undici to close the connection behind a request, or to keep it. */
function resetOf(
  method: string,
  forwarder: Proxy | undefined,
): Pick<Dispatcher.DispatchOptions, 'reset'> {
  // tinyproxy 1.11 closes the connection behind each answer, and does not say so. The next request would be lost.
  if (forwarder !== undefined) return {reset: true}
  // undici 8 closes it behind a HEAD, and behind the body of a LOCK, a REPORT and most others.
  return MAY_IGNORE_BODY.has(method) ? {} : {reset: false}
}

// A server may leave a body of these unread, and take it for the next request.
const MAY_IGNORE_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE', 'OPTIONS'])

/** Converts a body to a kind that undici sends. undici destroys a stream at the end of the exchange, and that ends its source. */
function openBody(request: DavRequest): string | Uint8Array | Readable | null {
  const upload = readUpload(request)
  if (typeof upload !== 'function') return upload
  const pieces = upload()
  return Readable.from({[Symbol.asyncIterator]: () => pieces}, {objectMode: false})
}

/** The parts of the transport to which an exchange reports, and its request body. */
interface Surroundings {
  readonly connections: Connections
  readonly settling: Settling
  readonly resolve: (response: DavResponse) => void
  readonly reject: (error: unknown) => void
  readonly upload: string | Uint8Array | Readable | null
  /** The proxy that forwards the request, if one does. */
  readonly forwarder: Proxy | undefined
}

/**
 * One exchange on the dispatcher. undici's own `request` makes a stream for each answer, but most answers to a DELETE have no
 * body.
 */
class Exchange implements Dispatcher.DispatchHandler, Holder {
  readonly #request: DavRequest
  readonly #origin: string
  readonly #around: Surroundings
  #controller: Dispatcher.DispatchController | undefined
  /** The stream of an exchange over HTTP/2. */
  #stream: WatchedStream | undefined
  /** False for content whose end nothing confirms over HTTP/2. */
  #isCounted = true
  /** True for content in a coding whose end is known once it has begun. */
  #isCoded = false
  #body: ByteQueue | undefined
  #trailers: IncomingHttpHeaders = {}
  #held: HeldAnswer | undefined
  #isOver = false

  constructor(request: DavRequest, origin: string, around: Surroundings) {
    this.#request = request
    this.#origin = origin
    this.#around = around
    request.signal?.addEventListener('abort', this.#onAbort, {once: true})
    around.connections.wait(origin, this)
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return this.#request.url
  }

  get held(): number {
    return this.#body?.held ?? 0
  }

  flow(): void {
    this.#controller?.resume()
  }

  refuse(error: Error): void {
    this.#finish()
    this.#freeUpload()
    this.#around.reject(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Given up while it waited for a connection. An error leaves the connection open, an abort would close it.
    if (this.#isOver) throw new Error('The request was given up')
    this.#controller = controller
    this.#around.connections.start(this.#origin, this)
    expectStream(this.#request, (stream) => {
      this.#stream = stream
      this.#around.connections.share(this.#origin, () => stream.mostAtOnce)
    })
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200) {
      this.#request.onInterim?.()
      return
    }
    const {forwarder} = this.#around
    if (status === 407 && forwarder !== undefined) {
      controller.abort(proxyUnauthorized(forwarder, headers['proxy-authenticate'] ?? ''))
      return
    }
    const texts = readHeaders(headers)
    if (isBodiless(this.#request.method, status, headers)) {
      this.#around.resolve({status, headers: texts, body: null})
      return
    }
    const queue = new ByteQueue({
      resume: () => controller.resume(),
      abandon: () => this.#end(new Error('The body was given up')),
    })
    this.#body = queue
    const body = decodeAnswer(this.#request, texts, queue)
    const trailers = (): DavHeaders => readHeaders(this.#trailers)
    this.#isCoded = body !== queue
    this.#isCounted =
      texts.get('content-length') !== null || this.#request.method !== 'GET' || status >= 300
    const report = (): void => this.#around.resolve({status, headers: texts, body, trailers})
    if (status === 400) this.#held = new HeldAnswer(report)
    else report()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#isCounted ||= this.#isCoded
    const refused = this.#held?.look(chunk, this.#request)
    if (refused !== undefined) {
      controller.abort(refused)
      return
    }
    if (this.#body === undefined || this.#body.push(chunk)) return
    if (!this.#around.connections.mustFlow(this.#origin, this)) controller.pause()
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    const problem = this.#stream?.findBreak(this.#isCounted)
    this.#trailers = trailers
    this.#around.settling.begin()
    this.#finish()
    // Over HTTP/2, an upload would go on after its answer.
    this.#freeUpload()
    this.#held?.release()
    if (problem === undefined) this.#body?.end()
    else this.#body?.fail(problem)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish()
    this.#freeUpload()
    if (this.#body === undefined || error instanceof BarredError)
      this.#around.reject(this.#explain(this.#stream?.explain(error, this.#request) ?? error))
    else {
      this.#held?.release()
      this.#body.fail(error)
    }
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason
    if (DavTimeoutError.is(reason)) this.#stream?.probe()
    this.#end(reason instanceof Error ? reason : new Error('Aborted', {cause: reason}))
  }

  /** Ends the exchange early. */
  #end(reason: Error): void {
    if (this.#isOver) return
    if (this.#controller === undefined) this.refuse(reason)
    else this.#controller.abort(reason)
  }

  /** Makes the public error of a request that did not reach its server. Any other is explained by the client. */
  #explain(error: Error): Error {
    if (error instanceof ProxyError) return error.explain(this.#request)
    const {forwarder} = this.#around
    const isConnected = this.#controller !== undefined
    const explained = DavError.is(error) ? error : explainTls(error, this.#request, isConnected)
    if (explained !== undefined || forwarder === undefined) return explained ?? error
    return proxyBroken(forwarder, error).explain(this.#request)
  }

  /** Ends the source of a request body that was not sent to its end. */
  #freeUpload(): void {
    const {upload} = this.#around
    if (upload instanceof Readable) upload.destroy()
  }

  #finish(): void {
    this.#isOver = true
    this.#held?.stop()
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#around.connections.end(this.#origin, this)
  }
}
