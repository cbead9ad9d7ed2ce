/** The platform's `fetch` as a transport: browsers, Bun, Deno, workers, and Node too. */

import type {Rules} from '../protocol/options.ts'
import {callback, oneOf, readOptions} from '../protocol/options.ts'
import {withHeaderText} from './headers.ts'
import {isSafe} from './methods.ts'
import {HiddenRedirectError} from './redirects.ts'
import type {Transport} from './transport.ts'

/** Options of `fetchTransport`. */
export interface FetchTransportOptions {
  /**
   * The function to call, such as one that a test or a framework gives.
   *
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /**
   * The browser's own cookies and credentials: sent or not.
   *
   * @defaultValue `omit`: only what the client is given is sent
   */
  readonly credentials?: RequestCredentials | undefined
}

/** The options that the fetch transport knows. */
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
 * A transport over `fetch`. A browser hides where a redirect leads, so there one is an error that says so, and is not retried.
 *
 * On Bun and Deno, a request that is not safe to repeat has a connection of its own. Those platforms send a request again by
 * themselves when a kept connection closes without an answer. The first one may have been obeyed.
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
    const response = await send(url, {
      method,
      headers,
      credentials,
      redirect: 'manual',
      cache: 'no-store',
      ...(!isSafe(method) && once()),

      ...(body !== undefined && {body}),
      ...(signal !== undefined && {signal}),
    })
    if (response.type === 'opaqueredirect') {
      throw new HiddenRedirectError(
        `${method} ${url} was answered with a redirect, which browsers do not show: write the URL that is meant, with the slash that a collection ends with`,
        {method, url},
      )
    }
    const {status, body: content} = response
    return {status, headers: withHeaderText(response.headers), body: content, url: response.url}
  }
  return Object.assign(transport, {
    close: async () => {
      poolless?.close()
      poolless = undefined
    },
  })
}

/** A `Deno.HttpClient`, as far as it is used. */
interface DenoClient {
  close(): void
}

/** An HTTP client of Deno that keeps no idle connection; `undefined` on other platforms. */
function makeDenoClient(): DenoClient | undefined {
  const deno: unknown = Reflect.get(globalThis, 'Deno')
  if (typeof deno !== 'object' || deno === null || !('createHttpClient' in deno)) return undefined
  const {createHttpClient} = deno
  if (typeof createHttpClient !== 'function') return undefined
  const client: unknown = createHttpClient({poolMaxIdlePerHost: 0})
  return isDenoClient(client) ? client : undefined
}

function isDenoClient(value: unknown): value is DenoClient {
  return (
    typeof value === 'object' &&
    value !== null &&
    'close' in value &&
    typeof value.close === 'function'
  )
}
