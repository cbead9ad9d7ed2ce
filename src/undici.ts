/**
 * undici as the transport of a `DavClient`: the default under Node, here for its options.
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
