/** Waiting that a signal ends. */

import {NotSentError} from './not-sent.ts'

/**
 * Waits.
 *
 * @throws NotSentError, as soon as the signal is aborted.
 */
export async function sleep(milliseconds: number, ending: AbortSignal | undefined): Promise<void> {
  if (ending?.aborted === true) throw new NotSentError(ending.reason)
  const {promise, resolve, reject} = Promise.withResolvers<void>()
  const onAbort = (): void => reject(new NotSentError(ending?.reason))
  ending?.addEventListener('abort', onAbort, {once: true})
  // What a timer can hold; a longer one would fire at once.
  const timer = setTimeout(resolve, Math.min(milliseconds, 2_147_483_647))
  try {
    await promise
  } finally {
    clearTimeout(timer)
    ending?.removeEventListener('abort', onAbort)
  }
}
