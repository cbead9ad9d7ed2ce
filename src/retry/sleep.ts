/** Waiting that a signal ends. */

/**
 * Waits.
 *
 * @throws The signal's reason, as soon as it is aborted.
 */
export async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted()
  const {promise, resolve, reject} = Promise.withResolvers<void>()
  const onAbort = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', onAbort, {once: true})
  // What a timer can hold; a longer one would fire at once.
  const timer = setTimeout(resolve, Math.min(milliseconds, 2_147_483_647))
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
