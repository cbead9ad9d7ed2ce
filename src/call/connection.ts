/**
 * The connection of one call to the server: its signals, its counters, and the transport with credentials, redirects, time limits
 * and pace around it. It retries nothing by itself.
 */

import {visible} from '../protocol/errors.ts'
import type {SentScheme} from '../protocol/challenge.ts'
import {Pace} from '../retry/pace.ts'
import {withPace} from '../retry/paced.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import {Repeats} from '../retry/repeats.ts'
import {NotSentError} from '../retry/not-sent.ts'
import {withAuth} from '../transport/auth.ts'
import type {OpenTransport} from '../transport/deadlines.ts'
import {withDeadlines} from '../transport/deadlines.ts'
import {refuseElsewhere, withRedirects} from '../transport/redirects.ts'
import {withBodiesSentOnce} from '../transport/withheld.ts'
import type {DavRequest, Transport} from '../transport/transport.ts'
import type {StoredLock} from './lock-store.ts'
import type {Session} from './session.ts'
import {findDestructiveProblem} from './target.ts'

/** The connection of one call. */
export interface Connection {
  /** Sends a request at the pace of the call. Throws NotSentError if the call ends first. */
  readonly send: OpenTransport
  readonly pace: Pace
  /** The repetitions, for a call with a policy. */
  readonly repeats: Repeats | undefined
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Aborted to end the exchanges under way. */
  readonly signal: AbortSignal
  /** True if sent requests have time to be answered after `ending` and before `signal`, so that each target has its verdict. */
  readonly isGraceful: boolean
  /**
   * The locks that the call found lost. Its further requests submit their tokens all the same, because none of them may write what
   * the caller believes to be locked.
   */
  readonly lost: StoredLock[]
  /** The number of sent requests. */
  requests: number
  /** The number of received bytes in bodies. */
  bytes: number
  /** The scheme of the last sent credentials. */
  sent: SentScheme
  /** Reports if an error means the end of the call. */
  isEnd(error: unknown): boolean
  /** Stops listening to the signals. */
  close(): void
}

/** Settings of a connection. */
export interface ConnectionOptions {
  readonly policy: ResolvedPolicy | undefined
  readonly concurrency?: number
  /** The fewest exchanges at once, of a call that needs so many. Default: 1. */
  readonly minimum?: number
  /** The call's own signal. */
  readonly signal: AbortSignal | undefined
  /** Milliseconds for sent requests to be answered after a signal. Default: none. */
  readonly grace?: number
}

/**
 * Opens the connection of a call. The client's signal and the call's own signal end it.
 *
 * @param stop - Aborted after the reader has gone. Everything ends at once then.
 */
export function openConnection(
  session: Session,
  {policy, concurrency = session.concurrency, minimum, signal, grace = 0}: ConnectionOptions,
  stop?: AbortSignal,
): Connection {
  const sources = [...session.signals, signal, stop].filter((one) => one !== undefined)
  // Not AbortSignal.any: its signals stay in memory as long as their sources, and a client lives long.
  const ending = new AbortController()
  const end = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const onAbort = (): void => {
    ending.abort(sources.find(({aborted}) => aborted)?.reason)
    if (stop?.aborted === true) end.abort(stop.reason)
    else if (grace === 0) end.abort(ending.signal.reason)
    else timer ??= setTimeout(() => end.abort(ending.signal.reason), grace)
  }
  for (const source of sources) source.addEventListener('abort', onAbort, {once: true})
  if (sources.some(({aborted}) => aborted)) onAbort()

  const counted: Transport = async (request) => {
    connection.requests++
    connection.sent = schemeOf(request)
    const response = await session.transport(request)
    // A transport that follows redirects by itself may bring an answer from another origin.
    const {url: answerer = ''} = response
    const isOther = answerer !== '' && answerer !== request.url
    if (isOther && URL.parse(answerer, request.url)?.origin !== session.base.origin)
      return refuseElsewhere(response, request, `${visible(answerer, 200)}, another origin`)
    session.server.capabilities.addSeen(request.method, response.status)
    return response
  }
  const timed = withBodiesSentOnce(
    withDeadlines(counted, session.timeouts, end.signal),
    session.sentBodies,
  )
  const authorized =
    session.auth === undefined ? timed : withAuth(timed, session.auth, session.base.origin)
  const pace = new Pace(concurrency, session.server, minimum)
  const redirected = withRedirects(authorized, (url) => mayUpload(url, session.base))
  const send = withPace(redirected, pace, {
    maxRetryAfter: policy?.maxRetryAfter ?? 0,
    minDelay: policy?.minDelay ?? 0,
    ending: ending.signal,
    onBytes: (length) => (connection.bytes += length),
  })
  const connection: Connection = {
    send: (request) => {
      const headers = {...session.headers, ...request.headers}
      return send({...request, headers, signal: end.signal})
    },
    pace,
    repeats: policy && new Repeats(policy, pace, ending.signal),
    ending: ending.signal,
    signal: end.signal,
    isGraceful: grace > 0,
    lost: [],
    requests: 0,
    bytes: 0,
    sent: 'none',
    isEnd: (error) =>
      error instanceof NotSentError || (ending.signal.aborted && error === ending.signal.reason),
    close() {
      clearTimeout(timer)
      for (const source of sources) source.removeEventListener('abort', onAbort)
    },
  }
  return connection
}

/** Tells if an upload may be redirected to a URL, which has the guards of a target then. */
function mayUpload(url: URL, base: URL): boolean {
  try {
    const isCollection = url.pathname.endsWith('/')
    return !isCollection && findDestructiveProblem({method: 'PUT', url, base}) === undefined
  } catch {
    return false
  }
}

/** Reads the scheme of the credentials of a request. Keeps nothing else of them. */
function schemeOf({headers}: DavRequest): SentScheme {
  const {authorization} = headers
  if (authorization === undefined) return 'none'
  if (/^basic /i.test(authorization)) return 'Basic'
  return /^bearer /i.test(authorization) ? 'Bearer' : 'other'
}
