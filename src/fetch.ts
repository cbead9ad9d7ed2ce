/**
 * The platform's `fetch` as the transport of a {@link DavClient}: the default in browsers, Bun, Deno and workers.
 *
 * @packageDocumentation
 */

export {fetchTransport} from './transport/fetch.ts'
export type {FetchTransportOptions} from './transport/fetch.ts'
export type {DavBody, DavRequest, DavResponse, Transport} from './transport/transport.ts'
