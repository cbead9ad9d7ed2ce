/** The end of a call, for its requests that were not sent yet, and for their waits. */

import {startTimer, untilAborted} from '../protocol/wait.ts'

/** The call ended before the turn of a request: it was not sent, or not sent again. */
export class NotSentError extends Error {
  /** The reason of the signal. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super('The call has ended')
    this.reason = reason
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
    await untilAborted(promise, ending)
  } catch {
    throw new NotSentError(ending.reason)
  } finally {
    clearTimeout(timer)
  }
}
