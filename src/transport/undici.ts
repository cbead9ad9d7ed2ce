/**
 * undici as a transport: an Agent with keep-alive, streamed bodies, content codings removed. It uses the dispatcher itself, below
 * undici's `request`, which makes a stream for each answer. Node only.
 */

import type {IncomingHttpHeaders} from 'node:http'
import {Socket} from 'node:net'
import {Readable} from 'node:stream'

import {Agent, buildConnector} from 'undici'
import type {Dispatcher} from 'undici'

import {
  HTTP2_CONNECTION_BYTES,
  HTTP2_STREAM_BYTES,
  HTTP2_STREAMS,
  KEEP_ALIVE_MARGIN_MILLISECONDS,
  SENT_PIECE_BYTES,
} from '../protocol/bounds.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, NUMBER, readOptions, TEXT} from '../protocol/options.ts'
import {ByteQueue} from './byte-queue.ts'
import {decodeBody} from './codings.ts'
import type {Holder} from './connections.ts'
import {Connections} from './connections.ts'
import type {WatchedStream} from './http2.ts'
import {expectStream, repeatUnprocessed} from './http2.ts'
import {noteWritten} from './lent.ts'
import {isStreamed, openPieces} from './request-body.ts'
import {USER_AGENT} from './user-agent.ts'
import type {
  DavBody,
  DavHeaders,
  DavRequest,
  DavResponse,
  StreamedBody,
  Transport,
} from './transport.ts'

/** Options of `undiciTransport`. */
export interface UndiciTransportOptions {
  /**
   * The dispatcher to send with, such as a ProxyAgent, or an Agent that trusts a private certificate.
   *
   * @defaultValue an Agent of the transport's own
   */
  readonly dispatcher?: Dispatcher | undefined
  /**
   * The most connections to an origin at once, with the transport's own Agent.
   *
   * @defaultValue no limit: the client limits the requests at once
   */
  readonly connections?: number | undefined
  /**
   * The most milliseconds to connect, with the transport's own Agent.
   *
   * @defaultValue 10,000
   */
  readonly connectTimeout?: number | undefined
  /**
   * Certificates to trust instead of those of the platform, in PEM, with the transport's own Agent.
   *
   * @defaultValue the certificates of the platform
   */
  readonly ca?: string | undefined
  /**
   * Uses HTTP/2 with https servers that offer it, with the transport's own Agent: one connection for many requests. Other
   * servers get HTTP/1.1. A reset stream, GOAWAY or a lost connection is an error. A request that the server did not
   * process, as it says, is sent again. RFC 9113.
   *
   * Some proxies, such as HAProxy 2.6, end a broken answer in order over HTTP/2. A cut 207 lacks its end, so it is found.
   * Content of a GET without a Content-Length ends with an error, unless `resume` can ask for its length. Other cut answers
   * cannot be told, such as the text of a 200 to a DELETE.
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
  connections: NUMBER,
  connectTimeout: NUMBER,
  ca: TEXT,
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

// Servers are asked for errors as XML. Some gateways answer 403 to a request without an Accept.
const ACCEPT = 'application/xml, text/xml;q=0.9, */*;q=0.1'

/**
 * Makes a transport over undici.
 *
 * @throws TypeError for an unknown option or one of the wrong type, and on platforms without undici's dispatcher, such as Bun.
 *   RangeError for a number out of range.
 * @example
 * ```ts
 * const transport = undiciTransport({dispatcher: new ProxyAgent('http://proxy.example:3128')})
 * const dav = new DavClient({url, transport})
 * ```
 */
export function undiciTransport(options: UndiciTransportOptions = {}): UndiciTransport {
  const given = readOptions('undiciTransport', options, UNDICI_OPTIONS)
  const {connections: most, connectTimeout = 10_000, http2: allowH2 = false, ca} = given
  if (most !== undefined && !(Number.isSafeInteger(most) && most > 0))
    throw new RangeError('undiciTransport: connections is a whole number above zero')
  if (!(connectTimeout >= 0))
    throw new RangeError('undiciTransport: connectTimeout is a number of milliseconds')
  const isOwn = given.dispatcher === undefined
  // The number of connections of a given dispatcher is unknown. It may be one, so that is assumed.
  const connections = new Connections(isOwn ? (most ?? Number.POSITIVE_INFINITY) : 1)
  const dispatcher =
    given.dispatcher ??
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
      connect: connector(
        {timeout: connectTimeout, allowH2, preferH2: true, ...(ca !== undefined && {ca})},
        connections,
      ),
      ...(most !== undefined && {connections: most}),
    })
  // Bun replaces undici by a module of its own. Its Agent sends nothing.
  if (typeof dispatcher.dispatch !== 'function')
    throw new TypeError('undiciTransport needs a dispatcher of undici; on Bun, use fetchTransport')
  const settling = new Settling()
  // The origin of the last request. Look-ups find the same string faster than an equal one.
  let origin = ''

  const send: Transport = async (request) => {
    await settling.last
    request.signal?.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const {method, url} = request
      if (!(url.startsWith(origin) && url.charAt(origin.length) === '/'))
        origin = /^[^:]+:\/\/[^/?#]+/.exec(url)?.[0] ?? ''
      const hash = url.indexOf('#')
      const path = url.slice(origin.length, hash === -1 ? undefined : hash)
      const upload = openBody(request)
      const sent: Dispatcher.DispatchOptions = {
        origin,
        path: path.startsWith('/') ? path : `/${path}`,
        method,
        headers: formatHeaders(request),
        body: upload,
      }
      const around = {connections, settling, resolve, reject, upload}
      dispatcher.dispatch(sent, new Exchange(request, origin, around))
    })
  }
  const transport: Transport = (request) => repeatUnprocessed(send, request)
  return Object.assign(transport, {
    sendsLength: true,
    // A dispatcher of the caller may keep chunks, as a cache does.
    givesChunksAway: isOwn,
    close: async () => (isOwn ? dispatcher.close() : undefined),
  })
}

/**
 * Converts a body to a kind that undici sends. A Blob is read in pieces, so that a large file is never in memory as a whole. Long
 * bytes are sent in pieces too, so that their progress is seen.
 */
function openBody({body, onSent}: DavRequest): string | Uint8Array | Readable | null {
  if (body === undefined) return null
  if (isStreamed(body)) return readableOf(body, onSent)
  if (typeof body !== 'string' && 'stream' in body)
    return body.size === 0 ? null : readableOf(body.stream(), onSent)
  if (typeof body === 'string' && body.length <= SENT_PIECE_BYTES) return body
  const bytes =
    typeof body === 'string'
      ? Buffer.from(body)
      : ArrayBuffer.isView(body)
        ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
        : Buffer.from(body)
  return bytes.length <= SENT_PIECE_BYTES ? bytes : readableOf(streamOf(bytes), onSent)
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Makes a stream of Node. undici destroys it at the end of the exchange, and that ends the source. */
function readableOf(source: StreamedBody, onSent: DavRequest['onSent']): Readable {
  const pieces = openPieces(source)
  let sent = 0
  const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const piece = await pieces.next()
    if (piece.done !== true) onSent?.((sent += piece.value.length))
    return piece
  }
  const counted = {next, return: () => pieces.return()}
  return Readable.from({[Symbol.asyncIterator]: () => counted}, {objectMode: false})
}

/** Returns the headers that a body brings: its length, if undici cannot see it, and the type of a Blob, as `fetch` does. */
function headersOf({body, length}: DavRequest): Record<string, string> {
  if (typeof body === 'string')
    return body.length <= SENT_PIECE_BYTES ? {} : lengthHeader(Buffer.byteLength(body))
  if (body === undefined) return {}
  if (isStreamed(body)) return length === undefined ? {} : lengthHeader(length)
  if (!('size' in body)) return lengthHeader(body.byteLength)
  return {...lengthHeader(body.size), ...(body.type !== '' && {'content-type': body.type})}
}

function lengthHeader(length: number): Record<string, string> {
  return {'content-length': String(length)}
}

/** Formats headers with names in Title-Case. XRootD 5.5 compares names with case, and answers `depth: 1` as Depth 0. */
function formatHeaders(request: DavRequest): string[] {
  const {method} = request
  const headers: Readonly<Record<string, string>> = {
    'user-agent': USER_AGENT,
    accept: method === 'GET' || method === 'HEAD' ? '*/*' : ACCEPT,
    'accept-encoding': 'gzip, br, zstd',
    ...headersOf(request),
    ...request.headers,
  }
  const titled: string[] = []
  for (const name of Object.keys(headers)) titled.push(titleCase(name), headers[name] ?? '')
  return titled
}

// The names of the client's own headers. To convert them for each request would take longer than the rest of it.
const TITLES: ReadonlyMap<string, string> = new Map(
  [
    'User-Agent',
    'Accept',
    'Accept-Encoding',
    'Connection',
    'Host',
    'Transfer-Encoding',
    'Authorization',
    'Content-Length',
    'Content-Type',
    'Depth',
    'Destination',
    'If-Match',
    'If-None-Match',
    'Overwrite',
  ].map((title) => [title.toLowerCase(), title]),
)

function titleCase(name: string): string {
  return TITLES.get(name) ?? name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase())
}

/** Makes the connector of the Agent. A socket that is being connected is destroyed as soon as no exchange waits. */
function connector(
  options: buildConnector.BuildOptions,
  connections: Connections,
): buildConnector.connector {
  const connect = buildConnector(options)
  return (place, callback) => {
    const made: unknown = connect(place, (...result) => {
      if (made instanceof Socket) connections.connected(made)
      callback(...result)
    })
    if (!(made instanceof Socket)) return
    connections.connecting(made)
    watchWrites(made)
  }
}

// Each is in a head at most once. To replace them by a pattern takes longer than the rest of the sending.
const OWN_NAMES = ['host', 'connection', 'content-length', 'transfer-encoding'].map(
  (name) => [`\r\n${name}:`, `\r\n${titleCase(name)}:`] as const,
)

/**
 * Converts the headers that undici writes by itself in lower case: XRootD 5.5 would read the body as the next request. Notes the
 * pieces of bodies that were written.
 */
function watchWrites(socket: Socket): void {
  const write = socket.write.bind(socket)
  type Done = (error?: Error | null) => void
  socket.write = (chunk: Uint8Array | string, encoding?: BufferEncoding | Done, done?: Done) => {
    if (typeof chunk !== 'string' && encoding === undefined)
      return write(chunk, () => noteWritten(chunk))
    const isHead = typeof chunk === 'string' && chunk.includes(' HTTP/1.1\r\n')
    const text = isHead
      ? OWN_NAMES.reduce((head, [own, titled]) => head.replace(own, titled), chunk)
      : chunk
    return typeof encoding === 'string' ? write(text, encoding, done) : write(text, encoding)
  }
}

/**
 * Waits for connections to become free. undici counts a connection as busy until one turn of the event loop after the end of its
 * answer. A request that comes earlier would open another connection.
 */
class Settling {
  /** Resolves when the connections of all ended exchanges are free. */
  last: Promise<void> | undefined

  /** Notes an exchange that is ending. undici waits for `setImmediate` after the handler has returned. */
  begin(): void {
    const {promise, resolve} = Promise.withResolvers<void>()
    this.last = promise
    process.nextTick(() => {
      setImmediate(() => {
        if (this.last === promise) this.last = undefined
        resolve()
      })
    })
  }
}

/** The parts of the transport to which an exchange reports, and its request body. */
interface Surroundings {
  readonly connections: Connections
  readonly settling: Settling
  readonly resolve: (response: DavResponse) => void
  readonly reject: (error: unknown) => void
  readonly upload: string | Uint8Array | Readable | null
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
  #body: ByteQueue | undefined
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
    // An interim answer, such as 102 Processing.
    if (status < 200) return
    const texts: DavHeaders = {
      get(name) {
        const value = headers[name.toLowerCase()]
        return Array.isArray(value) ? value.join(', ') : (value ?? null)
      },
    }
    const isEmpty =
      status === 204 ||
      status === 304 ||
      this.#request.method === 'HEAD' ||
      headers['content-length'] === '0'
    if (isEmpty) {
      this.#around.resolve({status, headers: texts, body: null})
      return
    }
    const queue = new ByteQueue({
      resume: () => controller.resume(),
      abandon: () => this.#end(new Error('The body was given up')),
    })
    this.#body = queue
    const {method, headers: asked} = this.#request
    // A coding that was not asked for belongs to the resource, as of a stored `a.tar.gz`. RFC 9110, section 8.4.
    const isStored = method === 'GET' && asked['accept-encoding'] === 'identity'
    const coding = isStored ? null : texts.get('content-encoding')
    this.#isCounted = texts.get('content-length') !== null || method !== 'GET' || status >= 300
    this.#around.resolve({
      status,
      headers: texts,
      body: coding === null ? queue : decoded(queue, coding),
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body === undefined || this.#body.push(chunk)) return
    if (!this.#around.connections.mustFlow(this.#origin, this)) controller.pause()
  }

  onResponseEnd(): void {
    const problem = this.#stream?.findBreak(this.#isCounted)
    this.#around.settling.begin()
    this.#finish()
    // Over HTTP/2, an upload would go on after its answer.
    this.#freeUpload()
    if (problem === undefined) this.#body?.end()
    else this.#body?.fail(problem)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish()
    this.#freeUpload()
    if (this.#body === undefined)
      this.#around.reject(this.#stream?.explain(error, this.#request) ?? error)
    else this.#body.fail(error)
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason
    this.#end(reason instanceof Error ? reason : new Error('Aborted', {cause: reason}))
  }

  /** Ends the exchange early. */
  #end(reason: Error): void {
    if (this.#isOver) return
    if (this.#controller === undefined) this.refuse(reason)
    else this.#controller.abort(reason)
  }

  /** Ends the source of a request body that was not sent to its end. */
  #freeUpload(): void {
    const {upload} = this.#around
    if (upload instanceof Readable) upload.destroy()
  }

  #finish(): void {
    this.#isOver = true
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#around.connections.end(this.#origin, this)
  }
}

/** Removes the content codings of a body. */
function decoded(queue: ByteQueue, coding: string): DavBody {
  const stream = decodeBody(Readable.from(queue, {objectMode: false}), coding)
  // The body may break before it is read. Its reader then gets the error, so this is no unhandled one.
  stream.on('error', () => {})
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    async cancel() {
      stream.destroy()
    },
  }
}
