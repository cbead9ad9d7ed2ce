/** The platform's `fetch` as a transport: browsers, Bun, Deno, workers, and Node too. */

import type {Chunks} from '../multistatus/source.ts'
import {openStream} from '../multistatus/source.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, oneOf, readOptions} from '../protocol/options.ts'
import {isSafe} from './methods.ts'
import {isStreamed} from './request-body.ts'
import type {Transport} from './transport.ts'

/** Options of `fetchTransport`. */
export interface FetchTransportOptions {
  /**
   * The function to call, such as that of a test or a framework.
   *
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /**
   * The browser's own cookies and credentials: sent or not.
   *
   * @defaultValue `omit`: only the client's own credentials are sent
   */
  readonly credentials?: 'omit' | 'same-origin' | 'include' | undefined
}

const FETCH_OPTIONS: Rules<FetchTransportOptions> = {
  fetch: callback("a function such as the platform's fetch"),
  credentials: oneOf('omit', 'same-origin', 'include'),
}

/** A transport that can be closed. */
export interface FetchTransport extends Transport {
  /** Closes the HTTP client that the transport made on Deno. It does nothing on other platforms. */
  close(): Promise<void>
}

/**
 * A transport over `fetch`. A browser hides a redirect, so there one has status 0. The client makes an error of it that says
 * so, and does not retry it.
 *
 * On Bun and Deno, a request that is not safe to repeat has a connection of its own. Those platforms send a request again by
 * themselves when a kept connection closes without an answer. The first one may have been obeyed.
 *
 * A body that is a stream is sent as it comes. Browsers that cannot do so, such as Firefox and Safari, read it as a whole
 * first, and Chromium sends it over HTTP/2 only.
 *
 * @example
 * ```ts
 * new DavClient({url, transport: fetchTransport({credentials: 'include'})})
 * ```
 */
export function fetchTransport(options: FetchTransportOptions = {}): FetchTransport {
  const {credentials = 'omit', fetch} = readOptions('fetchTransport', options, FETCH_OPTIONS)
  let poolless: DenoClient | undefined
  const once = (): RequestInit => {
    poolless ??= makeDenoClient()
    // Bun then takes no connection of its pool. In browsers and Node it is the default, and means something else.
    return {keepalive: false, ...(poolless !== undefined && {client: poolless})}
  }
  const transport: Transport = async ({method, url, headers, body, signal}) => {
    const send = fetch ?? globalThis.fetch
    const chunks = isStreamed(body) ? openStream(body) : undefined
    try {
      return await send(url, {
        method,
        headers,
        credentials,
        redirect: 'manual',
        cache: 'no-store',
        ...(!isSafe(method) && once()),
        ...(chunks === undefined ? {body: body as BodyInit} : await formatBody(url, chunks)),
        ...(signal !== undefined && {signal}),
      })
    } catch (error) {
      void chunks?.return().catch(() => {})
      throw error
    }
  }
  return Object.assign(transport, {
    close: async () => {
      poolless?.close()
      poolless = undefined
    },
  })
}

/** A body as `fetch` takes it. `duplex` says that the answer may come only after the whole body. */
async function formatBody(url: string, chunks: Chunks<Uint8Array>): Promise<RequestInit> {
  const stream = streamOf(chunks) as BodyInit
  if (!sendsStreams(url)) return {body: await new Response(stream).blob()}
  const init: RequestInit & {readonly duplex: 'half'} = {body: stream, duplex: 'half'}
  return init
}

/** Reports if the platform sends streams. Safari and Firefox send the text `[object ReadableStream]` instead. */
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

/** A stream of chunks. The platform leaves one that it was given open when the exchange breaks. */
function streamOf(chunks: Chunks<Uint8Array>): ReadableStream<Uint8Array> {
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

/** A `Deno.HttpClient`, as far as it is used. */
interface DenoClient {
  close(): void
}

/** An HTTP client of Deno that keeps no idle connection; `undefined` on other platforms. */
function makeDenoClient(): DenoClient | undefined {
  const createHttpClient = memberOf(Reflect.get(globalThis, 'Deno'), 'createHttpClient')
  if (typeof createHttpClient !== 'function') return undefined
  const client: unknown = createHttpClient({poolMaxIdlePerHost: 0})
  return isDenoClient(client) ? client : undefined
}

function isDenoClient(value: unknown): value is DenoClient {
  return typeof memberOf(value, 'close') === 'function'
}
