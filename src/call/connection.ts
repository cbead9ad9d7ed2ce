/** The connection of one call: its pace, signals and counters around the transport. */

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
import type {Session} from './session.ts'

/** The way to the server for one call. */
export interface Connection {
  /** Sends a request at the pace of the call. Throws NotSentError if the call ends before. */
  readonly send: OpenTransport
  readonly pace: Pace
  /** The repetitions of a call with a policy. */
  readonly repeats: Repeats | undefined
  /** Aborted when no new request may start. */
  readonly ending: AbortSignal
  /** Ends the exchanges under way. */
  readonly signal: AbortSignal
  /** True if exchanges under way have time to end then, so that every target has its verdict. */
  readonly isGraceful: boolean
  /** The number of requests that were sent so far. */
  requests: number
  /** The number of bytes of answers that have arrived so far. */
  bytes: number
  /** The scheme of the credentials that were sent last. */
  sent: SentScheme
  /** Reports if an error means the end of the call. */
  isEnd(error: unknown): boolean
  /** Lets go of the signals. */
  close(): void
}

/** Settings of a connection. */
export interface ConnectionOptions {
  readonly policy: ResolvedPolicy | undefined
  readonly concurrency?: number
  /** The call's own signal. */
  readonly signal: AbortSignal | undefined
  /** Milliseconds that exchanges under way have to end after a signal. */
  readonly grace?: number
}

/**
 * Opens the way to the server for one call. The client's signal and its own end it.
 *
 * @param stop - Aborted when the reader goes away. Everything ends at once then.
 */
export function openConnection(
  session: Session,
  {policy, concurrency = session.concurrency, signal, grace = 0}: ConnectionOptions,
  stop?: AbortSignal,
): Connection {
  const sources = [...session.signals, signal, stop].filter((one) => one !== undefined)
  // Not AbortSignal.any: each signal that it makes stays in memory as long as its sources do, and a client lives long.
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
    // A transport that follows redirects by itself may bring the answer of another origin.
    const {url: answerer = ''} = response
    const isOther = answerer !== '' && answerer !== request.url
    return isOther && URL.parse(answerer, request.url)?.origin !== session.base.origin
      ? refuseElsewhere(response, request, `${visible(answerer, 200)}, another origin`)
      : response
  }
  const timed = withBodiesSentOnce(
    withDeadlines(counted, session.timeouts, end.signal),
    session.sentBodies,
  )
  const authorized =
    session.auth === undefined ? timed : withAuth(timed, session.auth, session.base.origin)
  const pace = new Pace(concurrency, session.server)
  const send = withPace(withRedirects(authorized), pace, {
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

/** The scheme of a request's credentials. Nothing else of them is kept. */
function schemeOf({headers}: DavRequest): SentScheme {
  const {authorization} = headers
  if (authorization === undefined) return 'none'
  if (/^basic /i.test(authorization)) return 'Basic'
  return /^bearer /i.test(authorization) ? 'Bearer' : 'other'
}
