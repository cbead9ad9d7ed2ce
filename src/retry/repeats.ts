/**
 * What one call may send again, and the wait before each: its policy, its budget and its time. Knows no verb.
 * RFC 9110, section 10.2.3.
 */

import type {Failure} from '../multistatus/result.ts'
import type {ResolvedPolicy} from './policy.ts'
import {delayAfter} from './policy.ts'

/** How a call waits. */
export interface Waiting {
  /** Milliseconds for which the server is not to be asked at all. */
  held(): number
  sleep(milliseconds: number): Promise<void>
}

/** The repetitions of one call. */
export class Repeats {
  readonly #policy: ResolvedPolicy
  readonly #waiting: Waiting
  readonly #began = performance.now()
  #count = 0

  constructor(policy: ResolvedPolicy, waiting: Waiting) {
    this.#policy = policy
    this.#waiting = waiting
  }

  /** Milliseconds before the second attempt, at the least. */
  get minDelay(): number {
    return this.#policy.minDelay
  }

  /** How many there were so far. */
  get count(): number {
    return this.#count
  }

  /** Whether a failure is one of those that are tried again. */
  isRetryable(failure: Failure): boolean {
    // The same request would be refused in the same way, whatever the policy says.
    return failure.reason !== 'refused' && this.#policy.retryable(failure)
  }

  /** Counts a request that is sent again; `false` where the budget is spent, and it must not be. */
  spend(): boolean {
    if (this.#count >= this.#policy.budget) return false
    this.#count++
    return true
  }

  /**
   * The wait for the next attempt, `undefined` where there is none.
   *
   * @param attempt - The number of the one that failed, 1 for the first.
   * @param causes - What kept it from success: worth another attempt where one of these is.
   * @param options - `asked`: milliseconds that the answer as a whole asks to wait. `spends`: whether it is a request itself, and
   *   not only the wait before others.
   * @throws What `onRetry` throws.
   */
  next(
    attempt: number,
    causes: readonly Failure[],
    {asked, spends = true}: {readonly asked?: number | undefined; readonly spends?: boolean} = {},
  ): (() => Promise<void>) | undefined {
    const policy = this.#policy
    const retryable = causes.filter((cause) => this.isRetryable(cause))
    const [failure] = retryable
    if (failure === undefined || attempt >= policy.attempts || this.#count >= policy.budget)
      return undefined
    const delay = delayAfter(policy, attempt, longestWait(retryable, asked), Math.random())
    const until = performance.now() + Math.max(delay, this.#waiting.held())
    if (until - this.#began > policy.maxElapsed) return undefined
    if (spends) this.spend()
    policy.onRetry?.({failure, attempt: attempt + 1, delay})
    return () => this.#waiting.sleep(delay)
  }
}

function longestWait(failures: readonly Failure[], asked: number | undefined): number | undefined {
  let longest = asked
  for (const {retryAfter} of failures) {
    if (retryAfter !== undefined) longest = Math.max(longest ?? 0, retryAfter)
  }
  return longest
}
