/**
 * The platform's `fetch` as a transport, in browsers, Bun, Deno, workers, and Node too. Decides nothing about redirects or time.
 */

import type {Chunks} from '../multistatus/source.ts'
import {openStream} from '../multistatus/source.ts'
import {isWholeNumber, memberOf} from '../protocol/members.ts'
import {BROWSER_CONNECTIONS} from '../protocol/bounds.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, NUMBER, oneOf, readOptions} from '../protocol/options.ts'
import {explainInBrowser, isBrowser} from './browser.ts'
import {isSafe} from './methods.ts'
import {isStreamed} from './request-body.ts'
import type {Transport} from './transport.ts'

/** Options of `fetchTransport`. */
export interface FetchTransportOptions {
  /**
   * The `fetch` to call, such as the one of a test or a framework.
   *
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /**
   * The rule for the browser's own cookies and credentials.
   *
   * @defaultValue `omit`: only the client's own credentials are sent
   */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined
  /**
   * The most requests of a client at once. Further ones wait in the client, in their order. A time limit begins when its request
   * is sent. A place is free again after the body of the answer, or after the body was unread for a tenth of a second.
   *
   * @defaultValue 6 in browsers, which have as many connections to a server over HTTP/1.1, and `Infinity` elsewhere. Over HTTP/2
   *   browsers send more at once.
   */
  readonly connections?: number | undefined
}

const FETCH_OPTIONS: Rules<FetchTransportOptions> = {
  fetch: callback("a function such as the platform's fetch"),
  credentials: oneOf('omit', 'same-origin', 'include'),
  connections: NUMBER,
}

/** A transport that can be closed. */
export interface FetchTransport extends Transport {
  /** Closes the transport's HTTP client on Deno. Does nothing on other platforms. */
  close(): Promise<void>
}

/**
 * Makes a transport over `fetch`. Browsers hide redirects: the answer has status 0, the client makes an error of it, and does not
 * retry it.
 *
 * On Bun and Deno, a request that changes something gets a connection of its own. Those platforms send a request again by
 * themselves when a kept connection closes without an answer, although the server may have obeyed the first one.
 *
 * A streamed body is sent as it comes. In browsers that cannot do so, such as Firefox and Safari, it is read as a whole first.
 * Chromium sends it over HTTP/2 only, and the error of HTTP/1.1 says so.
 *
 * Browsers hide the reason for a failed request to another origin. The error names the origin, the method and the headers that
 * the server must allow.
 *
 * @throws TypeError for an unknown option or one of the wrong type, RangeError for a number out of range.
 * @example
 * ```ts
 * new DavClient({url, transport: fetchTransport({credentials: 'include'})})
 * ```
 */
export function fetchTransport(options: FetchTransportOptions = {}): FetchTransport {
  const given = readOptions('fetchTransport', options, FETCH_OPTIONS)
  const {credentials = 'omit', fetch} = given
  const {connections = isBrowser() ? BROWSER_CONNECTIONS : Number.POSITIVE_INFINITY} = given
  const isLimited = connections !== Number.POSITIVE_INFINITY
  if (isLimited && !isWholeNumber(connections, 1))
    throw new RangeError('fetchTransport: connections is a whole number above zero, or Infinity')
  let poolless: DenoClient | undefined
  const once = (): RequestInit => {
    poolless ??= makeDenoClient()
    // On Bun, `keepalive: false` means a new connection. Elsewhere it is the default, and means something else.
    return {keepalive: false, ...(poolless !== undefined && {client: poolless})}
  }
  const transport: Transport = async (request) => {
    const {method, url, headers, body, signal} = request
    const chunks = isStreamed(body) ? openStream(body) : undefined
    try {
      const init: RequestInit = {
        method,
        headers,
        credentials,
        redirect: 'manual',
        // workerd refuses the option before the compatibility date 2024-11-11. It has no such property then, and no cache.
        ...('cache' in Request.prototype && {cache: 'no-store'}),
        ...(!isSafe(method) && once()),
        ...(chunks === undefined ? {body: body as BodyInit} : await formatBody(url, chunks)),
        ...(signal !== undefined && {signal}),
      }
      return await (fetch ?? globalThis.fetch)(url, init).catch((error: unknown) => {
        throw explainInBrowser(error, request, credentials)
      })
    } catch (error) {
      void chunks?.return().catch(() => {})
      throw error
    }
  }
  return Object.assign(transport, {
    ...(isLimited && {connections}),
    close: async () => {
      poolless?.close()
      poolless = undefined
    },
  })
}

/** Formats a streamed body for `fetch`. `duplex: 'half'` allows the answer to come only after the whole body. */
async function formatBody(url: string, chunks: Chunks<Uint8Array>): Promise<RequestInit> {
  const stream = streamOf(chunks) as BodyInit
  if (!sendsStreams(url)) return {body: await new Response(stream).blob()}
  const init: RequestInit & {readonly duplex: 'half'} = {body: stream, duplex: 'half'}
  return init
}

/** Tests if the platform sends streams. Safari and Firefox send the text `[object ReadableStream]` instead. */
function sendsStreams(url: string): boolean {
  let isAsked = false
  const probe = {
    method: 'POST',
    body: new ReadableStream(),
    get duplex() {
      isAsked = true
      return 'half'
    },
  }
  return !new Request(url, probe).headers.has('content-type') && isAsked
}

/** Makes a stream of chunks. The platform leaves the caller's own stream open when the exchange breaks. */
export function streamOf(chunks: Chunks<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await chunks.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await chunks.return()
    },
  })
}

/** The used part of a `Deno.HttpClient`. */
interface DenoClient {
  close(): void
}

/** Makes an HTTP client of Deno that keeps no idle connection; `undefined` on other platforms. */
function makeDenoClient(): DenoClient | undefined {
  const createHttpClient = memberOf(Reflect.get(globalThis, 'Deno'), 'createHttpClient')
  if (typeof createHttpClient !== 'function') return undefined
  const client: unknown = createHttpClient({poolMaxIdlePerHost: 0})
  return isDenoClient(client) ? client : undefined
}

function isDenoClient(value: unknown): value is DenoClient {
  return typeof memberOf(value, 'close') === 'function'
}
