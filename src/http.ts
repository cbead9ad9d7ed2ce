/**
 * Node's own HTTP client as the transport of a `DavClient`: for agents of other packages, for `Expect: 100-continue`, and for answers
 * that undici refuses.
 *
 * @packageDocumentation
 */

export {httpTransport} from './transport/http.ts'
export type {HttpTransport, HttpTransportOptions} from './transport/http.ts'
export type {TlsOptions} from './transport/tls.ts'
export type {
  DavBody,
  DavHeaders,
  DavRequest,
  DavResponse,
  IterableBody,
  RequestBody,
  StreamedBody,
  Transport,
} from './transport/transport.ts'
