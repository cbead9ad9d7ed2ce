/** A wait with an end: the one timer that reading, discarding and refusals share. */

import {LONGEST_TIMER_MILLISECONDS} from './bounds.ts'

/** Waits for a promise, and gives `undefined` after the given milliseconds. The promise itself goes on. */
export async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const {promise: late, resolve} = Promise.withResolvers<undefined>()
  const timer = startTimer(() => resolve(undefined), milliseconds)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** A timer that may be as long as one likes. A platform would fire one of more than 25 days at once. */
export function startTimer(onEnd: () => void, milliseconds: number): ReturnType<typeof setTimeout> {
  return setTimeout(onEnd, Math.min(milliseconds, LONGEST_TIMER_MILLISECONDS))
}
