/** A wait that a signal ends. */

import {startTimer} from '../protocol/wait.ts'
import {NotSentError} from './not-sent.ts'

/**
 * Waits some milliseconds.
 *
 * @throws NotSentError as soon as the signal is aborted.
 */
export async function sleep(milliseconds: number, ending: AbortSignal | undefined): Promise<void> {
  if (ending?.aborted === true) throw new NotSentError(ending.reason)
  const {promise, resolve, reject} = Promise.withResolvers<void>()
  const onAbort = (): void => reject(new NotSentError(ending?.reason))
  ending?.addEventListener('abort', onAbort, {once: true})
  const timer = startTimer(resolve, milliseconds)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    ending?.removeEventListener('abort', onAbort)
  }
}
