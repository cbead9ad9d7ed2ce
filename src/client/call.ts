/** What all calls that give a stream of results have in common: the way to the server, the count of requests, the end. */

import type {DavResult} from '../multistatus/result.ts'
import type {ResultStream, SourceSummary} from '../multistatus/result-stream.ts'
import {createResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Line, Session} from './session.ts'
import {openLine} from './session.ts'

/** What a call says at its end. */
export type CallSummary = Omit<SourceSummary, 'requests'>

/** Where a call is sent, and what ends it. */
export interface Call {
  /** The collection concerned, for the summary of a call that was stopped. */
  readonly href: string
  readonly signal: AbortSignal | undefined
  /** What is known not to be whole, for the summary of a call that was stopped. */
  readonly incomplete?: readonly Incomplete[]
}

/**
 * The stream of a call. `read` runs when the stream is read; `stop` is aborted when its reader goes away while something is
 * waited for.
 */
export function createCall<P>(
  session: Session,
  {href, signal, incomplete = []}: Call,
  read: (
    line: Line,
    stop: AbortController,
  ) => AsyncGenerator<readonly DavResult<P>[], CallSummary, undefined>,
): ResultStream<P> {
  const stop = new AbortController()
  let line: Line | undefined
  return createResultStream<P>({
    async *read() {
      line = openLine(session, signal, stop.signal)
      const end = yield* read(line, stop)
      return {...end, requests: line.requests}
    },
    stop: () => stop.abort(),
    stopped: () => ({
      incomplete: [...incomplete, {href, reason: 'stopped'}],
      requests: line?.requests ?? 0,
    }),
  })
}
