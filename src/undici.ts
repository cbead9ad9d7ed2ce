/**
 * undici as the transport of a {@link DavClient}: the default under Node, here for its options.
 *
 * @packageDocumentation
 */

export {undiciTransport} from './transport/undici.ts'
export type {UndiciTransport, UndiciTransportOptions} from './transport/undici.ts'
export type {DavBody, DavRequest, DavResponse, Transport} from './transport/transport.ts'
