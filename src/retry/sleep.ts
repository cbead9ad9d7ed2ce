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
  const timer = setTimeout(resolve, milliseconds)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}
