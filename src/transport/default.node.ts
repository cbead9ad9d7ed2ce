/** The transport of a client that is given none, under Node. */

export {undiciTransport as defaultTransport} from './undici.ts'
