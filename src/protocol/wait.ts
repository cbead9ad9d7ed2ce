/** Waits with an end: by a time, or by a signal. */

import {LONGEST_TIMER_MILLISECONDS} from './bounds.ts'
import {memberOf} from './members.ts'

/** Waits for a promise, at most some milliseconds. Resolves with `undefined` after them; the promise itself goes on. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const {promise: late, resolve} = Promise.withResolvers<undefined>()
  const timer = startTimer(() => resolve(undefined), milliseconds)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Starts a timer of any length. Platforms fire a timer of more than 25 days at once, so a longer one is shortened to that. */
export function startTimer(onEnd: () => void, milliseconds: number): ReturnType<typeof setTimeout> {
  return setTimeout(onEnd, Math.min(milliseconds, LONGEST_TIMER_MILLISECONDS))
}

/** Lets a timer keep the process alive, or not. Timers of browsers are numbers, and keep nothing alive. */
export function keepAlive(timer: ReturnType<typeof setTimeout>, isKept: boolean): void {
  const change = memberOf(timer, isKept ? 'ref' : 'unref')
  if (typeof change === 'function') Reflect.apply(change, timer, [])
}

/**
 * Waits for a promise until the signal is aborted, even if the promise ignores the signal.
 *
 * @throws The signal's reason, and the error of the promise.
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return promise
  const {promise: aborted, reject} = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, {once: true})
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
