/**
 * The policy of retries: its settings, and the delay before the next attempt. Pure: clocks and chance are arguments. RFC 9110,
 * section 10.2.3.
 */

import type {Failure} from '../multistatus/result.ts'
import {isRetryable} from '../multistatus/result.ts'
import {MAX_DOUBLINGS} from '../protocol/bounds.ts'
import {isWholeNumber} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, NUMBER, readOptions} from '../protocol/options.ts'

/** The rules for retries: settings, or the number of attempts, the first one included. */
export type RetryPolicy = RetrySettings | number

/** The settings of a {@link RetryPolicy}. */
export interface RetrySettings {
  /**
   * The most times that one call sends a request, the first attempt included. `retry` counts anew: attempts of an earlier call do
   * not count.
   *
   * @defaultValue 4
   */
  readonly attempts?: number | undefined
  /**
   * The shortest delay between two attempts in milliseconds. The upper bound is twice that, and doubles with each attempt. Chance
   * picks between the two, so that many clients do not come back at once.
   *
   * @defaultValue 500
   */
  readonly minDelay?: number | undefined
  /**
   * The longest delay of the client's own, in milliseconds.
   *
   * @defaultValue 30,000
   */
  readonly maxDelay?: number | undefined
  /**
   * The longest Retry-After in milliseconds; a longer one is cut. Retry-After wins over the client's own delay. With a 429 or 503
   * it holds back every request of the client. A date is compared with the Date of its answer, and waits at least `minDelay`.
   *
   * @defaultValue 300,000
   */
  readonly maxRetryAfter?: number | undefined
  /**
   * The most requests that one call sends again, all targets together.
   *
   * @defaultValue `Infinity`
   */
  readonly budget?: number | undefined
  /**
   * Milliseconds of a call in which the next attempt must begin. An attempt that would begin later is not made.
   *
   * @defaultValue `Infinity`
   */
  readonly maxElapsed?: number | undefined
  /**
   * Selects the failures to retry.
   *
   * @defaultValue `isRetryable`
   */
  readonly retryable?: ((failure: Failure) => boolean) | undefined
  /** Called before each delay. An error that it throws ends the call. */
  readonly onRetry?: ((event: RetryEvent) => void) | undefined
}

/** A request that will be sent again. */
export interface RetryEvent {
  /** The failure of the target, or of its first member that is retried. */
  readonly failure: Failure
  /** The number of the next attempt, 2 for the first repetition. */
  readonly attempt: number
  /** Milliseconds until then, as far as they are known now. */
  readonly delay: number
}

/** A policy with every member set. Only the listener may be absent. */
export type ResolvedPolicy = Pick<RetrySettings, 'onRetry'> & {
  readonly [Name in Exclude<keyof RetrySettings, 'onRetry'>]-?: Exclude<
    RetrySettings[Name],
    undefined
  >
}

export const RETRY_SETTINGS: Rules<RetrySettings> = {
  attempts: NUMBER,
  minDelay: NUMBER,
  maxDelay: NUMBER,
  maxRetryAfter: NUMBER,
  budget: NUMBER,
  maxElapsed: NUMBER,
  retryable: callback('a failure'),
  onRetry: callback('a {failure, attempt, delay}'),
}

/**
 * Completes a policy with the defaults.
 *
 * @throws RangeError for a number that makes no sense, TypeError for a value that is no policy and for an unknown setting.
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
  if (!isWholeNumber(attempts, 1))
    throw new RangeError('retry: attempts is a whole number above zero')
  if (!(budget === Number.POSITIVE_INFINITY || isWholeNumber(budget)))
    throw new RangeError('retry: budget is a whole number, at least zero, or Infinity')
  for (const [name, value] of Object.entries({minDelay, maxRetryAfter, maxElapsed})) {
    if (!(value >= 0))
      throw new RangeError(`retry: ${name} is a number of milliseconds, at least zero`)
  }
  if (!(maxDelay >= minDelay)) throw new RangeError('retry: maxDelay is at least minDelay')
  const numbers = {attempts, minDelay, maxDelay, maxRetryAfter, budget, maxElapsed}
  return {...numbers, retryable, ...(onRetry !== undefined && {onRetry})}
}

/** Reads a policy. A number is the number of attempts. */
function readPolicy(given: RetryPolicy): RetrySettings {
  if (typeof given === 'number') return {attempts: given}
  if (typeof given !== 'object')
    throw new TypeError('retry is a number of attempts, or a policy such as {attempts: 3}')
  return readOptions('retry', given, RETRY_SETTINGS)
}

/**
 * Computes the milliseconds to wait after a failed attempt.
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
  const doublings = Math.min(attempt, MAX_DOUBLINGS)
  const upper = Math.min(policy.maxDelay, policy.minDelay * 2 ** doublings)
  return Math.min(upper, policy.minDelay + chance * (upper - policy.minDelay))
}
