/**
 * One raw request through the client: its credentials, redirects, pace, time limits and guards. The caller reads the answer; no
 * status is an error. RFC 9110, section 9.
 */

import {captureCaller} from '../protocol/caller.ts'
import type {Depth} from '../protocol/depth.ts'
import {assertDepth, formatDepth} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, readOptions, RECORD, SIGNAL} from '../protocol/options.ts'
import {resolveHeaders} from '../transport/headers.ts'
import {isDestructive} from '../transport/methods.ts'
import {checkBody} from '../transport/request-body.ts'
import type {RawResponse, RequestBody} from '../transport/transport.ts'
import {openCall} from './call.ts'
import {assertApart} from './apart.ts'
import type {Session} from './session.ts'
import type {Target} from './target.ts'
import {findDestructiveProblem, resolveTarget} from './target.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `request`. */
export interface RequestOptions {
  /**
   * Headers of the request. They win over the headers of the client. A `Destination` may be a URL reference; it is sent as an
   * absolute URL.
   *
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /**
   * The body. A stream or an iterable can be sent once only, so no redirect with it is followed.
   *
   * @defaultValue none
   */
  readonly body?: RequestBody | undefined
  /**
   * The Depth header. RFC 4918, section 10.2.
   *
   * @defaultValue no header
   */
  readonly depth?: Depth | undefined
  /**
   * Allows methods that remove or replace resources to reach the client's own base, its parents, and resources outside it. Allows
   * a PUT with `Content-Range`, which most servers take for the whole content, and an `Overwrite` that is neither T nor F.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /** Ends the exchange, the body of the answer included. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const REQUEST_OPTIONS: Rules<RequestOptions> = {
  headers: RECORD,
  body: ANY,
  depth: ANY,
  unguarded: BOOLEAN,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/** Sends a request. The connection of the call stays open until the body of the answer has ended. */
export async function request(
  session: Session,
  method: string,
  target: Target,
  options: RequestOptions = {},
): Promise<RawResponse> {
  const showCaller = captureCaller(request)
  const given = readOptions('request', options, REQUEST_OPTIONS)
  const {body, depth, unguarded = false, signal, timeout} = given
  if (typeof method !== 'string') throw new TypeError('request: method is a string such as GET')
  checkBody(body)
  if (depth !== undefined) assertDepth(depth)
  const verb = method.toUpperCase()
  const headers = resolveHeaders(given.headers)
  const {destination} = headers
  const {base} = session
  const source = resolve(target, base, verb, unguarded || !isDestructive(verb))
  const {href: url} = source
  const to = destination === undefined ? undefined : resolve(destination, base, verb, unguarded)
  if (to !== undefined) {
    const overwrite = headers['overwrite']?.trim() !== 'F'
    assertApart({method: verb, source, destination: to, overwrite, unguarded})
  }
  const problem = unguarded ? undefined : findHeaderProblem(verb, {...session.headers, ...headers})
  if (problem !== undefined) throw new TypeError(`${verb} ${url} is not sent: ${problem}`)
  const settings = {policy: session.retry, concurrency: 1, signal, timeout}
  return openCall(session, settings, showCaller, async (call) => {
    const response = await call.connection.send({
      method: verb,
      url,
      headers: {
        ...headers,
        ...(to !== undefined && {destination: to.href}),
        ...(depth !== undefined && {depth: formatDepth(depth)}),
      },
      ...(body !== undefined && {body}),
    })
    const {body: content} = response
    if (content === null) call.close()
    else {
      content.watch({onEnd: call.close})
      call.endWith(content)
    }
    return {...response, url: response.url ?? url}
  })
}

/** Finds a header that makes servers overwrite a resource. */
function findHeaderProblem(
  method: string,
  {overwrite, 'content-range': range}: Readonly<Record<string, string>>,
): string | undefined {
  // x/net 0.7, chezdav 3.0, PyWebDAV3 0.9 and Cyrus 3.6 take `f` for T. RFC 4918, section 10.6.
  if (overwrite !== undefined && !/^[TF]$/.test(overwrite.trim())) return 'Overwrite is T or F'
  // Eleven of seventeen servers store the range as the whole content. RFC 9110, section 14.5.
  return method === 'PUT' && range !== undefined
    ? 'most servers take a PUT with Content-Range for the whole content'
    : undefined
}

/**
 * Resolves a target or a destination.
 *
 * @throws TypeError for an invalid value, and for a resource that the guards refuse.
 */
function resolve(target: Target, base: URL, method: string, isAllowed: boolean): URL {
  const url = resolveTarget(target, base)
  const problem = isAllowed ? undefined : findDestructiveProblem({method, url, base, target})
  if (problem !== undefined) throw new TypeError(`${method} ${url.href} is not sent: ${problem}`)
  return url
}
