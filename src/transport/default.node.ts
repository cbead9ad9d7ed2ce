/** The default transport under Node. package.json picks this file by the condition `node`. */

export {undiciTransport as defaultTransport} from './undici.ts'
