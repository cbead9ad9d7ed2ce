/** The frame of each call: its connection, the count of requests, the end. A call gives a stream of results or a promise. */

import type {DavResult} from '../multistatus/result.ts'
import type {Ending, ResultStream, Sink} from '../multistatus/result-stream.ts'
import {createResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {ShowCaller} from '../protocol/caller.ts'
import {captureCaller} from '../protocol/caller.ts'
import type {ResolvedPolicy} from '../retry/policy.ts'
import {NotSentError} from '../retry/not-sent.ts'
import type {Connection} from './connection.ts'
import type {Session} from './session.ts'
import {openConnection} from './connection.ts'

/** Settings of a call. */
export interface Call {
  /** The collection concerned, for the summary of a call that was stopped. */
  readonly href: string
  readonly signal: AbortSignal | undefined
  readonly policy: ResolvedPolicy | undefined
  readonly concurrency?: number
  /** Milliseconds that requests under way have to their end after a signal. */
  readonly grace?: number
  /** Known gaps, for the summary of a call that was stopped. */
  readonly incomplete?: readonly Incomplete[]
}

/**
 * Makes the stream of a call. `read` runs when the stream is read, and emits the results. `stop` is aborted when the reader
 * goes away.
 */
export function createCall<P>(
  session: Session,
  {href, signal, policy, concurrency = session.concurrency, grace = 0, incomplete = []}: Call,
  read: (
    connection: Connection,
    stop: AbortController,
    emit: Sink<DavResult<P>>,
  ) => Promise<Ending>,
): ResultStream<P> {
  const showCaller = captureCaller(createCall)
  const stop = new AbortController()
  let connection: Connection | undefined
  return createResultStream<P>({
    async read(emit) {
      connection = openConnection(session, {policy, concurrency, signal, stop: stop.signal, grace})
      try {
        const ending = await read(connection, stop, emit)
        return {...ending, requests: connection.requests}
      } catch (error) {
        throw errorOf(error, connection, showCaller)
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

/** Runs a call that gives a promise. */
export async function runCall<T>(
  session: Session,
  {signal, policy}: Pick<Call, 'signal' | 'policy'>,
  run: (connection: Connection, stop: AbortController) => Promise<T>,
): Promise<T> {
  const showCaller = captureCaller(runCall)
  const stop = new AbortController()
  const {concurrency} = session
  const options = {policy, concurrency, signal, stop: stop.signal, grace: 0}
  const connection = openConnection(session, options)
  try {
    return await run(connection, stop)
  } catch (error) {
    throw errorOf(error, connection, showCaller)
  } finally {
    connection.close()
  }
}

/** Adds the caller's line to an error, but not to the reason of a signal, which belongs to the caller and to other calls too. */
export function errorOf(error: unknown, {ending}: Connection, showCaller: ShowCaller): unknown {
  const reason = error instanceof NotSentError ? error.reason : error
  return ending.aborted && reason === ending.reason ? reason : showCaller(reason)
}
