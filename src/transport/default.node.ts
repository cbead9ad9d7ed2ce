/**
 * The default transport under Node. package.json picks this file by the condition `node`. It loads undici with the first request, so
 * that a program that sends none starts sooner.
 */

import type {Transport} from './transport.ts'
import type {UndiciTransport} from './undici.ts'

// The place of the dispatcher of undici 6 and of Node 22's `fetch`.
const EARLIER_DISPATCHER = Symbol.for('undici.globalDispatcher.1')

/** Makes the transport, with a time limit for the connection. */
export function defaultTransport(connectTimeout?: number): UndiciTransport {
  let loading: Promise<UndiciTransport> | undefined
  let loaded: UndiciTransport | undefined
  const load = async (): Promise<UndiciTransport> => {
    const earlier: unknown = Reflect.get(globalThis, EARLIER_DISPATCHER)
    const {undiciTransport} = await import('./undici.ts')
    // undici 8 puts an Agent there as it is loaded, also in place of one that the application has set.
    if (earlier !== undefined) Reflect.set(globalThis, EARLIER_DISPATCHER, earlier)
    return (loaded = undiciTransport({connectTimeout}))
  }
  const send: Transport = (request) =>
    loaded === undefined
      ? (loading ??= load()).then((transport) => transport(request))
      : loaded(request)
  const transport = Object.assign(send, {
    sendsLength: true,
    close: async () => (await loading)?.close(),
  })
  return Object.defineProperty(transport, 'givesChunksAway', {
    get: () => loaded?.givesChunksAway ?? false,
  })
}
