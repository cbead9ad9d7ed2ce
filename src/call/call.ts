/**
 * The frame of each call. It opens and closes the connection, counts requests, and adds the caller's line to errors. A call gives
 * a stream of results or a promise.
 */

import type {DavResult} from '../multistatus/result.ts'
import type {Ending, ResultStream, Sink} from '../multistatus/result-stream.ts'
import {createResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {ShowCaller} from '../protocol/caller.ts'
import {captureCaller} from '../protocol/caller.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {resolveTimeouts} from '../transport/timeouts.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import type {ConnectionOptions} from './connection.ts'
import {Connection} from './connection.ts'
import type {Session, UnreadAnswer} from './session.ts'
import {resolveRetry} from './session.ts'

/** The context of a call, which its functions pass on. */
export interface CallContext {
  readonly session: Session
  readonly connection: Connection
}

/** Settings of a call that gives a stream. */
export interface Call extends ConnectionOptions {
  /** The collection concerned, for the summary of a stopped call. */
  readonly href: string
  /** Known gaps, for the summary of a stopped call. */
  readonly incomplete?: readonly Incomplete[]
}

/**
 * Makes the stream of a call. `read` runs when the stream is read, and emits the results. The connection is stopped after the
 * reader has gone.
 */
export function createCall<P>(
  session: Session,
  call: Call,
  read: (context: CallContext, emit: Sink<DavResult<P>>) => Promise<Ending>,
): ResultStream<P> {
  const {href, incomplete = []} = call
  const timeout = resolveTimeouts(call.timeout, session.timeouts)
  const showCaller = captureCaller(createCall)
  let connection: Connection | undefined
  return createResultStream<P>({
    read: (emit) =>
      connect(session, {...call, timeout}, showCaller, async (context) => {
        ;({connection} = context)
        return {...(await read(context, emit)), requests: connection.requests}
      }),
    stop: () => connection?.stop(),
    // The results of sent requests are verdicts, which nobody else knows. They come even after an abort.
    signal: () => (connection?.isGraceful === false ? connection.ending : undefined),
    stopped: () => ({
      incomplete: [...incomplete, {href, reason: 'stopped'}],
      requests: connection?.requests ?? 0,
    }),
  })
}

/** A call whose answer has a body for the caller. It stays open after its promise has settled. */
export interface OpenCall extends CallContext {
  /** Ends the call, after the end of its exchanges. */
  readonly close: () => void
  /** Ends the call and its exchanges if an object is dropped before `close`: nobody can read its content any more. */
  readonly endWith: (content: object) => void
  /** Adds the caller's line to an error of the body. */
  readonly explain: (error: unknown) => unknown
}

/**
 * Runs a call that stays open until `close`, or until an error.
 *
 * @param showCaller - Captured by the function of the call: each function between costs more than the rest of the capture.
 */
export async function openCall<T>(
  session: Session,
  options: ConnectionOptions,
  showCaller: ShowCaller,
  run: (call: OpenCall) => Promise<T>,
): Promise<T> {
  const connection = new Connection(session, options)
  const end = (): void => {
    connection.stop()
    connection.close()
  }
  const unread: UnreadAnswer = {end}
  const close = (): void => {
    session.dropped?.unregister(unread)
    unread.end = undefined
    connection.close()
  }
  const endWith = (content: object): void => session.dropped?.register(content, unread, unread)
  const explain = (error: unknown): unknown => errorOf(error, connection, showCaller)
  try {
    return await run({session, connection, close, endWith, explain})
  } catch (error) {
    const explained = explain(error)
    // Ends an answer that is not read to its end.
    end()
    throw explained
  }
}

/** The options of a call that gives a promise. */
interface RunOptions {
  readonly retry?: RetryPolicy | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeout?: number | Timeouts | undefined
}

/** Runs a call that gives a promise. */
export async function runCall<T>(
  session: Session,
  options: RunOptions,
  run: (context: CallContext) => Promise<T>,
): Promise<T> {
  const showCaller = captureCaller(runCall)
  const {signal, timeout} = options
  const settings = {policy: resolveRetry(session, options), signal, timeout}
  return connect(session, settings, showCaller, run)
}

async function connect<T>(
  session: Session,
  options: ConnectionOptions,
  showCaller: ShowCaller,
  run: (context: CallContext) => Promise<T>,
): Promise<T> {
  const connection = new Connection(session, options)
  try {
    return await run({session, connection})
  } catch (error) {
    throw errorOf(error, connection, showCaller)
  } finally {
    connection.close()
  }
}

/** Adds the caller's line to an error. The reason of a signal stays unchanged, because other calls may share it. */
function errorOf(error: unknown, connection: Connection, showCaller: ShowCaller): unknown {
  const {ending} = connection
  const reason = error instanceof NotSentError ? error.reason : error
  const isShared = ending.aborted && reason === ending.reason && !connection.isLate(reason)
  return isShared ? reason : showCaller(reason)
}
