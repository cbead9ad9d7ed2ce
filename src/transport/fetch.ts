/** The platform's `fetch` as a transport: browsers, Bun, Deno, workers, and Node too. */

import {DavNetworkError} from '../protocol/errors.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, oneOf, readOptions} from '../protocol/options.ts'
import type {Transport} from './transport.ts'

/** What the fetch transport can be told. */
export interface FetchTransportOptions {
  /**
   * The function to call, such as one that a test or a framework gives.
   *
   * @defaultValue the platform's `fetch`, looked up at each request
   */
  readonly fetch?: ((url: string, init: RequestInit) => Promise<Response>) | undefined
  /**
   * Whether a browser sends its own cookies and credentials.
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

/**
 * A transport over `fetch`. A browser hides where a redirect leads, so there one is a {@link DavNetworkError} that says so.
 *
 * @example
 * ```ts
 * new DavClient({url, transport: fetchTransport({credentials: 'include'})})
 * ```
 */
export function fetchTransport(options: FetchTransportOptions = {}): Transport {
  const {credentials = 'omit', fetch} = readOptions('fetchTransport', options, FETCH_OPTIONS)
  return async ({method, url, headers, body, signal}) => {
    const send = fetch ?? globalThis.fetch
    const response = await send(url, {
      method,
      headers,
      credentials,
      redirect: 'manual',
      cache: 'no-store',
      ...(body !== undefined && {body}),
      ...(signal !== undefined && {signal}),
    })
    if (response.type === 'opaqueredirect') {
      throw new DavNetworkError(
        `${method} ${url} was answered with a redirect, which browsers do not show: write the URL that is meant, with the slash that a collection ends with`,
        {method, url},
      )
    }
    return response
  }
}
