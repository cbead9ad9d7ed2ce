/**
 * How often and when a failed request is sent again. Pure: clocks and chance are given. RFC 9110, section 10.2.3.
 */

import type {Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'

/** How often and when what failed is tried again. */
export interface RetryPolicy {
  /**
   * How often a request is sent at the most in one call; counts the first time.
   *
   * @defaultValue 4
   */
  readonly attempts?: number | undefined
  /**
   * Milliseconds before the second attempt, at the least. The upper bound doubles with each attempt, and chance picks
   * between the two, so that many clients do not come back at once.
   *
   * @defaultValue 500
   */
  readonly minDelay?: number | undefined
  /**
   * Milliseconds between two attempts at the most.
   *
   * @defaultValue 30,000
   */
  readonly maxDelay?: number | undefined
  /**
   * Milliseconds that Retry-After is followed for at the most. Within them it wins over our own delay; a server that asks
   * for more is not asked again.
   *
   * @defaultValue 300,000
   */
  readonly maxRetryAfter?: number | undefined
  /**
   * Which failures are tried again.
   *
   * @defaultValue `isRetryable`
   */
  readonly retryable?: ((failure: Failure) => boolean) | undefined
}

/** A policy with every member set. */
export type ResolvedPolicy = {
  readonly [Name in keyof RetryPolicy]-?: Exclude<RetryPolicy[Name], undefined>
}

/**
 * The policy to follow: what is given, and the defaults.
 *
 * @throws RangeError where a number makes no sense, TypeError where it is no policy.
 */
export function resolvePolicy(given: RetryPolicy = {}): ResolvedPolicy {
  const {
    attempts = 4,
    minDelay = 500,
    maxDelay = 30_000,
    maxRetryAfter = 300_000,
    retryable = isRetryable,
  } = given
  if (typeof given !== 'object' || typeof retryable !== 'function') {
    throw new TypeError(
      'retry is a policy such as {attempts: 3, minDelay: 500}; retryable is a function of a failure',
    )
  }
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new RangeError('retry: attempts is a whole number above zero')
  if (!(minDelay >= 0))
    throw new RangeError('retry: minDelay is a number of milliseconds, at least zero')
  if (!(maxDelay >= minDelay)) throw new RangeError('retry: maxDelay is at least minDelay')
  if (!(maxRetryAfter >= 0))
    throw new RangeError('retry: maxRetryAfter is a number of milliseconds, at least zero')
  return {attempts, minDelay, maxDelay, maxRetryAfter, retryable}
}

/**
 * Milliseconds to wait after a failed attempt, `undefined` where the server asks to wait longer than the policy allows.
 *
 * @param attempt - The number of the attempt that failed, 1 for the first one.
 * @param chance - A number from 0 to 1.
 */
export function delayAfter(
  policy: ResolvedPolicy,
  attempt: number,
  retryAfter: number | undefined,
  chance: number,
): number | undefined {
  if (retryAfter !== undefined) return retryAfter > policy.maxRetryAfter ? undefined : retryAfter
  // Far beyond any delay, so that the power does not become Infinity.
  const doublings = Math.min(attempt, 50)
  const upper = Math.min(policy.maxDelay, policy.minDelay * 2 ** doublings)
  return Math.min(upper, policy.minDelay + chance * (upper - policy.minDelay))
}
