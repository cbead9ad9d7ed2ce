/**
 * How often and when a failed request is sent again. Pure: clocks and chance are given. RFC 9110, section 10.2.3.
 */

import type {Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, NUMBER, readOptions} from '../protocol/options.ts'

/** How often and when what failed is tried again: settings, or the number of attempts, which counts the first one. */
export type RetryPolicy = RetrySettings | number

/** The settings of a {@link RetryPolicy}. */
export interface RetrySettings {
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
   * Milliseconds that Retry-After is followed for at the most: a longer one is cut to it. It wins over our own delay, and
   * that of a 429 or 503 holds back every request of the client for as long. A date is held against the Date of its answer,
   * and is never shorter than `minDelay`.
   *
   * @defaultValue 300,000
   */
  readonly maxRetryAfter?: number | undefined
  /**
   * How many requests are sent again at the most in one call, all targets together.
   *
   * @defaultValue `Infinity`
   */
  readonly budget?: number | undefined
  /**
   * Milliseconds from the beginning of a call within which the wait for another attempt must end, as far as that is known
   * when it begins.
   *
   * @defaultValue `Infinity`
   */
  readonly maxElapsed?: number | undefined
  /**
   * Which failures are tried again.
   *
   * @defaultValue `isRetryable`
   */
  readonly retryable?: ((failure: Failure) => boolean) | undefined
  /** Is told of each repetition, before the wait for it. What it throws ends the call. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined
}

/** A request that will be sent again. */
export interface RetryEvent {
  /** Why: the failure of the target, or of the first member of it that is worth another attempt. */
  readonly failure: Failure
  /** The number of the attempt that comes, 2 for the first repetition. */
  readonly attempt: number
  /** Milliseconds until then. */
  readonly delay: number
}

/** A policy with every member set, but for the listener. */
export type ResolvedPolicy = Pick<RetrySettings, 'onRetry'> & {
  readonly [Name in Exclude<keyof RetrySettings, 'onRetry'>]-?: Exclude<
    RetrySettings[Name],
    undefined
  >
}

/** The settings that a policy knows. */
export const RETRY_SETTINGS: Rules<RetrySettings> = {
  attempts: NUMBER,
  minDelay: NUMBER,
  maxDelay: NUMBER,
  maxRetryAfter: NUMBER,
  budget: NUMBER,
  maxElapsed: NUMBER,
  retryable: callback('a function of a failure'),
  onRetry: callback('a function of a {failure, attempt, delay}'),
}

/**
 * The policy to follow: what is given, and the defaults.
 *
 * @throws RangeError where a number makes no sense, TypeError where it is no policy or has an unknown setting.
 */
export function resolvePolicy(given: RetryPolicy = {}): ResolvedPolicy {
  const {
    attempts = 4,
    minDelay = 500,
    maxDelay = 30_000,
    maxRetryAfter = 300_000,
    budget = Number.POSITIVE_INFINITY,
    maxElapsed = Number.POSITIVE_INFINITY,
    retryable = isRetryable,
    onRetry,
  } = readPolicy(given)
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new RangeError('retry: attempts is a whole number above zero')
  if (!(budget === Number.POSITIVE_INFINITY || (Number.isSafeInteger(budget) && budget >= 0)))
    throw new RangeError('retry: budget is a whole number, at least zero, or Infinity')
  for (const [name, value] of Object.entries({minDelay, maxRetryAfter, maxElapsed})) {
    if (!(value >= 0))
      throw new RangeError(`retry: ${name} is a number of milliseconds, at least zero`)
  }
  if (!(maxDelay >= minDelay)) throw new RangeError('retry: maxDelay is at least minDelay')
  const numbers = {attempts, minDelay, maxDelay, maxRetryAfter, budget, maxElapsed}
  return {...numbers, retryable, ...(onRetry !== undefined && {onRetry})}
}

/** The settings that a policy has: a number is that of the attempts. */
function readPolicy(given: RetryPolicy): RetrySettings {
  if (typeof given === 'number') return {attempts: given}
  if (typeof given !== 'object')
    throw new TypeError('retry is a number of attempts, or a policy such as {attempts: 3}')
  return readOptions('retry', given, RETRY_SETTINGS)
}

/**
 * Milliseconds to wait after a failed attempt.
 *
 * @param attempt - The number of the attempt that failed, 1 for the first one.
 * @param chance - A number from 0 to 1.
 */
export function delayAfter(
  policy: ResolvedPolicy,
  attempt: number,
  retryAfter: number | undefined,
  chance: number,
): number {
  if (retryAfter !== undefined) return Math.min(retryAfter, policy.maxRetryAfter)
  // Far beyond any delay, so that the power does not become Infinity.
  const doublings = Math.min(attempt, 50)
  const upper = Math.min(policy.maxDelay, policy.minDelay * 2 ** doublings)
  return Math.min(upper, policy.minDelay + chance * (upper - policy.minDelay))
}
