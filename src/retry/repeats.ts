/** Counts the repetitions of one call against its policy, its budget and its time. Knows no verb. RFC 9110, section 10.2.3. */

import type {Failure} from '../multistatus/result.ts'
import {sleep} from '../protocol/not-sent.ts'
import type {Pace} from './pace.ts'
import type {ResolvedPolicy} from './policy.ts'
import {delayAfter} from './policy.ts'

/** The repetitions of one call, all targets together. */
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

  /** The shortest delay in milliseconds. */
  get minDelay(): number {
    return this.#policy.minDelay
  }

  /** The number of repetitions so far. */
  get count(): number {
    return this.#count
  }

  /** Reports if the policy retries a failure. */
  isRetryable(failure: Failure): boolean {
    // Nothing was sent for it, and the same request would be refused again.
    return failure.reason !== 'refused' && this.#policy.retryable(failure)
  }

  /** Counts a repeated request. Returns `false` if the budget is spent: the request must not be sent then. */
  spend(): boolean {
    if (this.#count >= this.#policy.budget) return false
    this.#count++
    return true
  }

  /**
   * Returns the wait for the next attempt; `undefined` without one.
   *
   * @param attempt - The number of the failed attempt, 1 for the first.
   * @param causes - The failures that kept it from success. One retryable cause is enough.
   * @param options - `asked`: the Retry-After of the answer itself, in milliseconds. `spends`: false if only members are sent
   *   again, which count for themselves.
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
    // After the end of the call, the wait throws, and there is no next attempt.
    if (!this.#ending.aborted) policy.onRetry?.({failure, attempt: attempt + 1, delay})
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
