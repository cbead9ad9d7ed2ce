/**
 * A fake server behind msw, for programs that make their own client. Imports no msw: the test gives its own. msw sees the
 * platform's `fetch`, and not undici, which the client uses under Node. A request that goes past msw is stopped.
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

/** The URLs of all servers behind msw. */
const STOPPED = new Set<string>()

/** Breaks the requests of undici to this URL. undici publishes each request before it is sent. */
function stopOthers(url: string): void {
  // One listener serves all tests of a process.
  const isHeard = STOPPED.size > 0
  STOPPED.add(url)
  if (isHeard) return
  const {process} = globalThis as {readonly process?: unknown}
  const load = memberOf(process, 'getBuiltinModule')
  if (typeof load !== 'function') return
  const channels: unknown = Reflect.apply(load, process, ['node:diagnostics_channel'])
  const subscribe = memberOf(channels, 'subscribe')
  if (typeof subscribe !== 'function') return
  const onRequest = (message: unknown): void => {
    const request = memberOf(message, 'request')
    const target = URL.parse(String(memberOf(request, 'path')), String(memberOf(request, 'origin')))
    // Node's own fetch is undici too. Its requests have this header, and msw sees them.
    const isFetch = String(memberOf(request, 'headers')).includes('sec-fetch-mode')
    const isStopped = [...STOPPED].some((one) => target?.href.startsWith(one) === true)
    if (isFetch || !isStopped) return
    const error = new Error(
      'msw does not see undici: give the client {transport: fetchTransport()} from multistatus/fetch',
    )
    const fail = memberOf(request, 'onResponseError')
    // An error that is thrown here ends the process.
    if (typeof fail !== 'function') throw error
    Reflect.apply(fail, request, [error])
  }
  Reflect.apply(subscribe, undefined, ['undici:request:create', onRequest])
}
