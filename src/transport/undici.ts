/** undici as a transport: its own Agent with keep-alive, bodies streamed and decompressed. Node only. */

import type {IncomingHttpHeaders} from 'node:http'
import type {Transform} from 'node:stream'
import {pipeline, Readable} from 'node:stream'
import {createBrotliDecompress, createGunzip, createInflate, createZstdDecompress} from 'node:zlib'

import {Agent} from 'undici'
import type {Dispatcher} from 'undici'

import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'
import type {DavBody, DavRequest, DavResponse, Transport} from './transport.ts'

/** What the undici transport can be told. */
export interface UndiciTransportOptions {
  /**
   * The dispatcher to send with, such as a ProxyAgent, or an Agent that trusts a certificate of your own.
   *
   * @defaultValue an Agent of its own
   */
  readonly dispatcher?: Dispatcher | undefined
  /**
   * Connections to an origin at once, with the transport's own Agent.
   *
   * @defaultValue no limit of its own: what is sent at once is limited by the client
   */
  readonly connections?: number | undefined
  /**
   * Milliseconds until a connection must be made, with the transport's own Agent.
   *
   * @defaultValue 10,000
   */
  readonly connectTimeout?: number | undefined
}

/** The options that the undici transport knows. */
const UNDICI_OPTIONS: Rules<UndiciTransportOptions> = {
  dispatcher: {
    words: 'a dispatcher of undici, such as an Agent or a ProxyAgent',
    accepts: (value) =>
      typeof value === 'object' &&
      value !== null &&
      'dispatch' in value &&
      typeof value.dispatch === 'function',
  },
  connections: NUMBER,
  connectTimeout: NUMBER,
}

/** A transport that can be closed. */
export interface UndiciTransport extends Transport {
  /**
   * Closes idle connections and waits for the others; later requests fail. Idle connections do not keep a process alive,
   * so that a program need not call it. A dispatcher that was given is left to its owner.
   */
  close(): Promise<void>
}

const DECODERS: ReadonlyMap<string, () => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', () => createInflate()],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
])

/**
 * A transport over undici.
 *
 * @throws TypeError for an option that is unknown or of another type, RangeError for a number that makes no sense.
 * @example
 * ```ts
 * const transport = undiciTransport({dispatcher: new ProxyAgent('http://proxy.example:3128')})
 * const dav = new DavClient({url, transport})
 * ```
 */
export function undiciTransport(options: UndiciTransportOptions = {}): UndiciTransport {
  const given = readOptions('undiciTransport', options, UNDICI_OPTIONS)
  const {connections, connectTimeout = 10_000} = given
  if (connections !== undefined && !(Number.isSafeInteger(connections) && connections > 0))
    throw new RangeError('undiciTransport: connections is a whole number above zero')
  if (!(connectTimeout >= 0))
    throw new RangeError('undiciTransport: connectTimeout is a number of milliseconds')
  const dispatcher =
    given.dispatcher ??
    new Agent({
      // Time limits are the client's, so that they are the same on every platform.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: {timeout: connectTimeout},
      ...(connections !== undefined && {connections}),
    })
  const isOwn = given.dispatcher === undefined

  const transport: Transport = (request) =>
    new Promise((resolve, reject) => {
      const [, origin = '', path = ''] = /^([^:]+:\/\/[^/?#]+)([^#]*)/.exec(request.url) ?? []
      const {method, headers, body = null} = request
      const sent: Dispatcher.DispatchOptions = {
        origin,
        path: path.startsWith('/') ? path : `/${path}`,
        method,
        headers: {'accept-encoding': 'gzip, br, zstd', ...headers},
        body,
      }
      dispatcher.dispatch(sent, new Exchange(request, resolve, reject))
    })
  return Object.assign(transport, {
    close: async () => (isOwn ? dispatcher.close() : undefined),
  })
}

/**
 * One exchange, on the dispatcher itself: its `request` makes a stream for each answer, and most answers to a DELETE have no
 * body.
 */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: DavRequest
  readonly #resolve: (response: DavResponse) => void
  readonly #reject: (error: unknown) => void
  #controller: Dispatcher.DispatchController | undefined
  #body: Readable | undefined
  #isOver = false

  constructor(
    request: DavRequest,
    resolve: (response: DavResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    request.signal?.addEventListener('abort', this.#onAbort, {once: true})
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#request.signal?.aborted === true) this.#onAbort()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    // 102 Processing: the answer is still to come.
    if (status < 200) return
    const get = (name: string): string | null => {
      const value = headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : (value ?? null)
    }
    const isEmpty = status === 204 || status === 304 || this.#request.method === 'HEAD'
    if (isEmpty) {
      this.#resolve({status, headers: {get}, body: null})
      return
    }
    this.#body = new Readable({
      read: () => controller.resume(),
      destroy: (error, callback) => {
        this.#end(error ?? new Error('The body was given up'))
        callback(error)
      },
    })
    const body = decoded(this.#body, get('content-encoding'))
    // It may break before anybody reads it; who reads it then hears of it.
    body.on('error', () => {})
    this.#resolve({status, headers: {get}, body: bodyOf(body)})
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause()
  }

  onResponseEnd(): void {
    this.#isOver = true
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#body?.push(null)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
    if (this.#body === undefined) this.#reject(error)
    else this.#body.destroy(error)
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.#request.signal?.reason
    this.#end(reason instanceof Error ? reason : new Error('Aborted', {cause: reason}))
  }

  /** Ends the exchange before its end. */
  #end(reason: Error): void {
    if (!this.#isOver) this.#controller?.abort(reason)
  }
}

/** The body without its content codings. One that is not known is left as it is. RFC 9110, section 8.4. */
function decoded(body: Readable, contentEncoding: string | null): Readable {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const decoders = codings.toReversed().map((coding) => DECODERS.get(coding))
  if (decoders.length === 0 || decoders.length > 3 || decoders.includes(undefined)) return body
  let current = body
  for (const create of decoders) {
    if (create === undefined) continue
    // What breaks in one stream ends the other ones too, and the reader of the last one hears of it.
    current = pipeline(current, create(), () => {})
  }
  return current
}

function bodyOf(stream: Readable): DavBody {
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    async cancel() {
      // The error that a destroyed stream may still emit has no reader.
      stream.on('error', () => {})
      stream.destroy()
    },
  }
}
