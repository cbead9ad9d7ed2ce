/** The default transport in browsers, Bun, Deno and workers. package.json picks this file by its conditions. */

import type {FetchTransport} from './fetch.ts'
import {fetchTransport} from './fetch.ts'

/** Makes the transport. `fetch` does not show the connection, so the limit for it has no effect. */
export function defaultTransport(_connectTimeout?: number): FetchTransport {
  return fetchTransport()
}
