/**
 * A fake server behind msw, for programs whose client a test cannot choose. Imports no msw: the test gives its own. msw sees the
 * platform's `fetch` and not undici, which the client uses under Node, so a request that goes past msw is stopped.
 */

import {memberOf} from '../protocol/members.ts'
import type {FakeServer} from './fake-server.ts'

/** The used part of `http` of msw. */
export interface MockHttp<Handler> {
  /** Makes a handler for the requests of all methods to some URLs. */
  all(url: RegExp, resolver: (info: {readonly request: Request}) => Promise<Response>): Handler
}

/**
 * Makes handlers of msw that answer as a fake server does. Under Node, give the client `fetchTransport()` of `multistatus/fetch`: its
 * default transport goes past msw. Such a request to the URL of the server breaks with an error that says so, and nothing is sent.
 *
 * @param http - The `http` of `msw` or of `msw/http`.
 * @returns The handlers, for `setupServer`, `setupWorker` or `use`.
 * @example
 * ```ts
 * import {http} from 'msw/http'
 * import {setupServer} from 'msw/node'
 *
 * const server = fakeServer({files: {'a.txt': 'a'}})
 * const network = setupServer(...fakeHandlers(server, http))
 * ```
 */
export function fakeHandlers<Handler>(server: FakeServer, http: MockHttp<Handler>): Handler[] {
  stopOthers(server.url)
  const url = new RegExp(`^${server.url.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}`)
  return [
    // A rejection would become an answer with status 500.
    http.all(url, ({request}) => server.fetch(request).catch(() => Response.error())),
  ]
}

/** Breaks the requests of undici to this URL. undici publishes each of them before it is sent. */
function stopOthers(url: string): void {
  const {process} = globalThis as {readonly process?: unknown}
  const load = memberOf(process, 'getBuiltinModule')
  if (typeof load !== 'function') return
  const subscribe = memberOf(
    Reflect.apply(load, process, ['node:diagnostics_channel']),
    'subscribe',
  )
  if (typeof subscribe !== 'function') return
  const onRequest = (message: unknown): void => {
    const request = memberOf(message, 'request')
    const [method, origin, path] = ['method', 'origin', 'path'].map((name) =>
      String(memberOf(request, name)),
    )
    const target = URL.parse(path ?? '', origin)?.href
    if (target?.startsWith(url) !== true) return
    const error = new Error(
      `msw did not see ${method} ${target}: give the client {transport: fetchTransport()} from multistatus/fetch, and let msw listen`,
    )
    const fail = memberOf(request, 'onResponseError') ?? memberOf(request, 'onError')
    // An error that is thrown here ends the process.
    if (typeof fail !== 'function') throw error
    Reflect.apply(fail, request, [error])
  }
  Reflect.apply(subscribe, undefined, ['undici:request:create', onRequest])
}
