/** Keeps a request from being repeated that would fail in the same way each time. */

import {DavNetworkError} from '../protocol/errors.ts'

/** A request that never reached the server, and will not the next time: a certificate is refused, or the proxy refuses. */
export class BarredError extends DavNetworkError {}
