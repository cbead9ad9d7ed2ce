/** The default transport in browsers, Bun, Deno and workers. package.json picks this file by its conditions. */

export {fetchTransport as defaultTransport} from './fetch.ts'
