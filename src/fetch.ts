/**
 * The platform's `fetch` as the transport of a `DavClient`. It is the default in browsers, Bun, Deno and workers; import it for
 * its options, or to use it under Node.
 *
 * @packageDocumentation
 */

export {fetchTransport} from './transport/fetch.ts'
export type {FetchTransport, FetchTransportOptions} from './transport/fetch.ts'
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
