/**
 * undici as a transport: an Agent with keep-alive, streamed bodies, content codings removed. It uses the dispatcher itself, below
 * undici's `request`, which makes a stream for each answer. Node only.
 */

import type {IncomingHttpHeaders} from 'node:http'
import {Socket} from 'node:net'
import {Readable} from 'node:stream'

import {Agent, buildConnector} from 'undici'
import type {Dispatcher} from 'undici'

import {KEEP_ALIVE_MARGIN_MILLISECONDS} from '../protocol/bounds.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'
import {AnswerStarts} from './answer-starts.ts'
import {ByteQueue} from './byte-queue.ts'
import type {Holder} from './connections.ts'
import {Connections} from './connections.ts'
import {noteWritten} from './lent.ts'
import {decodeAnswer, isBodiless, readHeaders} from './node-answer.ts'
import {formatHeaders, readUpload, titleCase} from './node-request.ts'
import type {DavHeaders, DavRequest, DavResponse, Transport} from './transport.ts'

/** Options of `undiciTransport`. */
export interface UndiciTransportOptions {
  /**
   * The dispatcher to send with, such as a ProxyAgent, or an Agent that trusts a private certificate. With one, undici takes an unasked 100
   * Continue for an error, and a reset for the end of a body without a length.
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
}

const UNDICI_OPTIONS: Rules<UndiciTransportOptions> = {
  dispatcher: {
    words: 'a dispatcher of undici, such as an Agent or a ProxyAgent',
    accepts: (value) => typeof memberOf(value, 'dispatch') === 'function',
  },
  connections: NUMBER,
  connectTimeout: NUMBER,
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
  const {connections: most, connectTimeout = 10_000} = given
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
      // No HTTP/2: undici 8.12 takes a cut HTTP/2 body for a complete one.
      allowH2: false,
      connect: connector(connectTimeout, connections),
      ...(most !== undefined && {connections: most}),
    })
  // Bun replaces undici by a module of its own. Its Agent sends nothing.
  if (typeof dispatcher.dispatch !== 'function')
    throw new TypeError('undiciTransport needs a dispatcher of undici; on Bun, use fetchTransport')
  const settling = new Settling()
  // The origin of the last request. Look-ups find the same string faster than an equal one.
  let origin = ''

  const transport: Transport = async (request) => {
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
  return Object.assign(transport, {
    sendsLength: true,
    // A dispatcher of the caller may keep chunks, as a cache does.
    givesChunksAway: isOwn,
    close: async () => (isOwn ? dispatcher.close() : undefined),
  })
}

/** Converts a body to a kind that undici sends. undici destroys a stream at the end of the exchange, and that ends its source. */
function openBody(request: DavRequest): string | Uint8Array | Readable | null {
  const upload = readUpload(request)
  if (typeof upload !== 'function') return upload
  const pieces = upload()
  return Readable.from({[Symbol.asyncIterator]: () => pieces}, {objectMode: false})
}

/** Makes the connector of the Agent. A socket that is being connected is destroyed as soon as no exchange waits. */
function connector(timeout: number, connections: Connections): buildConnector.connector {
  const connect = buildConnector({timeout, allowH2: false})
  return (options, callback) => {
    const made: unknown = connect(options, (...result) => {
      if (made instanceof Socket) connections.connected(made)
      callback(...result)
    })
    if (!(made instanceof Socket)) return
    connections.connecting(made)
    made.on('error', hideReset)
    const answers = new AnswerStarts(made)
    watchWrites(made, () => answers.expect())
  }
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
  #body: ByteQueue | undefined
  #trailers: IncomingHttpHeaders = {}
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
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // An interim answer, such as 102 Processing.
    if (status < 200) return
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
    this.#around.resolve({status, headers: texts, body, trailers})
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body === undefined || this.#body.push(chunk)) return
    if (!this.#around.connections.mustFlow(this.#origin, this)) controller.pause()
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#trailers = trailers
    this.#around.settling.begin()
    this.#finish()
    this.#body?.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish()
    this.#freeUpload()
    if (this.#body === undefined) this.#around.reject(error)
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
