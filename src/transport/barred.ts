/** Keeps a request from being repeated that would fail in the same way each time. */

import {DavNetworkError} from '../protocol/errors.ts'

/** A request that will not reach its resource the next time either: a certificate or a proxy refuses, or a redirect is hidden. */
export class BarredError extends DavNetworkError {
  // Node prints the name of the class before that of the error, if they differ.
  static override readonly name = 'DavNetworkError'
}
