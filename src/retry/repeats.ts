/** The repetitions of one call: its policy, its budget and its time. Knows no verb. RFC 9110, section 10.2.3. */

import type {Failure} from '../multistatus/result.ts'
import {sleep} from './not-sent.ts'
import type {Pace} from './pace.ts'
import type {ResolvedPolicy} from './policy.ts'
import {delayAfter} from './policy.ts'

export class Repeats {
  readonly #policy: ResolvedPolicy
  readonly #pace: Pace
  readonly #ending: AbortSignal
  readonly #began = performance.now()
  #count = 0

  constructor(policy: ResolvedPolicy, pace: Pace, ending: AbortSignal) {
    this.#policy = policy
    this.#pace = pace
    this.#ending = ending
  }

  /** The least milliseconds before the second attempt. */
  get minDelay(): number {
    return this.#policy.minDelay
  }

  /** The number of repetitions so far. */
  get count(): number {
    return this.#count
  }

  /** Reports if a failure is tried again. */
  isRetryable(failure: Failure): boolean {
    // The same request would be refused in the same way, under any policy.
    return failure.reason !== 'refused' && this.#policy.retryable(failure)
  }

  /** Counts a request that is sent again. Gives `false` if the budget is spent, and the request must not be sent. */
  spend(): boolean {
    if (this.#count >= this.#policy.budget) return false
    this.#count++
    return true
  }

  /**
   * The wait for the next attempt, `undefined` if there is none.
   *
   * @param attempt - The number of the attempt that failed, 1 for the first.
   * @param causes - The failures that kept it from success. One that is tried again is enough.
   * @param options - `asked`: milliseconds that the answer as a whole asks to wait. `spends`: false for a wait before other
   *   requests, which is no request itself.
   * @throws The error of `onRetry`.
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
    const until = performance.now() + Math.max(delay, this.#pace.held)
    if (until - this.#began > policy.maxElapsed) return undefined
    if (spends) this.spend()
    policy.onRetry?.({failure, attempt: attempt + 1, delay})
    return () => this.#pace.idle(sleep(delay, this.#ending))
  }
}

function longestWait(failures: readonly Failure[], asked: number | undefined): number | undefined {
  let longest = asked
  for (const {retryAfter} of failures) {
    if (retryAfter !== undefined) longest = Math.max(longest ?? 0, retryAfter)
  }
  return longest
}
