/**
 * One request, sent until its verdict is final. What an attempt says is given out only where no other one follows, so
 * that each target has one verdict. Knows no verb.
 */

import type {Failure} from '../multistatus/result.ts'
import type {ResolvedPolicy} from './policy.ts'
import {delayAfter} from './policy.ts'
import {sleep} from './sleep.ts'

/** What one attempt came to. */
export interface Attempt {
  /** What kept it from success, empty where nothing did: worth another attempt where one of these is. */
  readonly causes: readonly Failure[]
  /** Milliseconds that the answer as a whole asks to wait. */
  readonly retryAfter?: number | undefined
}

/**
 * Runs attempts until one has nothing that the policy retries, or there are no more.
 *
 * @param run - Sends the request; the number is 1 the first time.
 * @returns The last attempt.
 * @throws What `run` throws, and the signal's reason.
 */
export async function withAttempts<A extends Attempt>(
  policy: ResolvedPolicy,
  signal: AbortSignal | undefined,
  run: (attempt: number) => Promise<A>,
): Promise<A> {
  for (let number = 1; ; number++) {
    const attempt = await run(number)
    const causes = attempt.causes.filter((failure) => policy.retryable(failure))
    if (causes.length === 0 || number >= policy.attempts) return attempt
    const waits = [attempt, ...causes]
      .map(({retryAfter}) => retryAfter)
      .filter((wait) => wait !== undefined)
    const longest = waits.reduce<number | undefined>(
      (most, wait) => Math.max(most ?? 0, wait),
      undefined,
    )
    const delay = delayAfter(policy, number, longest, Math.random())
    if (delay === undefined) return attempt
    await sleep(delay, signal)
  }
}
