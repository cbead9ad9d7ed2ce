/** A wait that a signal ends. */

import {startTimer, untilAborted} from '../protocol/wait.ts'
import {NotSentError} from './not-sent.ts'

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
