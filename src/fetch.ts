/**
 * The platform's `fetch` as the transport of a `DavClient`: the default in browsers, Bun, Deno and workers.
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
