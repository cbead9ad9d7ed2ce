/** What all calls that give a stream of results have in common: the way to the server, the count of requests, the end. */

import type {DavResult} from '../multistatus/result.ts'
import type {ResultStream, SourceSummary} from '../multistatus/result-stream.ts'
import {createResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {captureCaller} from '../protocol/caller.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import {NotSentError} from '../retry/not-sent.ts'
import type {Connection} from './connection.ts'
import type {Session} from './session.ts'
import {openConnection} from './connection.ts'

/** What a call says at its end. */
export type CallSummary = Omit<SourceSummary, 'requests'>

/** Where a call is sent, and what ends it. */
export interface Call {
  /** The collection concerned, for the summary of a call that was stopped. */
  readonly href: string
  readonly signal: AbortSignal | undefined
  readonly policy: ResolvedPolicy | undefined
  readonly concurrency?: number
  /** Milliseconds that what is under way has to its end after a signal. */
  readonly grace?: number
  /** What is known not to be whole, for the summary of a call that was stopped. */
  readonly incomplete?: readonly Incomplete[]
}

/**
 * The stream of a call. `read` runs when the stream is read; `stop` is aborted when its reader goes away while something is
 * waited for.
 */
export function createCall<P>(
  session: Session,
  {href, signal, policy, concurrency = session.concurrency, grace = 0, incomplete = []}: Call,
  read: (
    connection: Connection,
    stop: AbortController,
  ) => AsyncGenerator<readonly DavResult<P>[], CallSummary, undefined>,
): ResultStream<P> {
  const showCaller = captureCaller(createCall)
  const stop = new AbortController()
  let connection: Connection | undefined
  return createResultStream<P>({
    async *read() {
      connection = openConnection(session, {policy, concurrency, signal, stop: stop.signal, grace})
      try {
        const end = yield* read(connection, stop)
        return {...end, requests: connection.requests}
      } catch (error) {
        const reason = error instanceof NotSentError ? error.reason : error
        // The reason of a signal is the caller's own, and may be that of other calls too.
        throw connection.ending.aborted && reason === connection.ending.reason
          ? reason
          : showCaller(reason)
      } finally {
        connection.close()
      }
    },
    stop: () => stop.abort(),
    stopped: () => ({
      incomplete: [...incomplete, {href, reason: 'stopped'}],
      requests: connection?.requests ?? 0,
    }),
  })
}
