/** The default transport under Node. package.json picks this file by the condition `node`. */

import type {UndiciTransport} from './undici.ts'
import {undiciTransport} from './undici.ts'

/** Makes the transport, with a time limit for the connection. */
export function defaultTransport(connectTimeout?: number): UndiciTransport {
  return undiciTransport({connectTimeout})
}
