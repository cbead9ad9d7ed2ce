/** The error of a request that was not sent because its call ended, and the wait that throws it. */

import {startTimer, untilAborted} from './wait.ts'

/** A request that was not sent, or not sent again, because the call ended first. Internal: callers get a Failure `not-sent`. */
export class NotSentError extends Error {
  /** The reason of the signal. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super('The call has ended')
    this.reason = reason
  }
}

/**
 * Waits for a promise that never rejects.
 *
 * @throws NotSentError as soon as the signal is aborted.
 */
export async function unlessEnded<T>(promise: Promise<T>, ending: AbortSignal): Promise<T> {
  try {
    return await untilAborted(promise, ending)
  } catch {
    throw new NotSentError(ending.reason)
  }
}

/**
 * Waits some milliseconds.
 *
 * @throws NotSentError as soon as the signal is aborted.
 */
export async function sleep(milliseconds: number, ending: AbortSignal): Promise<void> {
  const {promise, resolve} = Promise.withResolvers<void>()
  const timer = startTimer(resolve, milliseconds)
  try {
    await unlessEnded(promise, ending)
  } finally {
    clearTimeout(timer)
  }
}
