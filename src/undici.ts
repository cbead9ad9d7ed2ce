/**
 * undici as the transport of a `DavClient`. It is the default under Node; import it for its options.
 *
 * @packageDocumentation
 */

export {undiciTransport} from './transport/undici.ts'
export type {UndiciTransport, UndiciTransportOptions} from './transport/undici.ts'
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
