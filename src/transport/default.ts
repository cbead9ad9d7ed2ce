/** The transport of a client that is given none, in browsers, Bun, Deno and workers. */

export {fetchTransport as defaultTransport} from './fetch.ts'
