/** How a resource is deleted. RFC 4918, section 9.6. */

import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, oneOf, SIGNAL} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'

/** How a resource is deleted. */
export interface DeleteOptions {
  /**
   * What a target that is not there is: `failure`, or `success` for jobs whose aim is that it is gone.
   *
   * @defaultValue `failure`
   */
  readonly ifMissing?: 'failure' | 'success' | undefined
  /**
   * Deletes a result of a listing only where its ETag is still the same: it is sent as If-Match, and the verdict on what has
   * changed is a 412. The listing must ask for `getetag` and `resourcetype`; a string or a URL is a TypeError. A Failure
   * `refused` is what has no ETag or a weak one, what has no known type, and a collection, whose ETag does not change with what
   * is in it. Some servers, such as rclone and nginx, do not look at If-Match. RFC 9110, section 13.1.1.
   *
   * @defaultValue `false`
   */
  readonly ifUnchanged?: boolean | undefined
  /**
   * Asks after each success, by PROPFIND, whether the target is gone: SabreDAV 1.8 answers 204 while members stand. What is
   * left is a Failure with the status of that success; where it could not be asked, the verdict is `no-answer`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
  /**
   * Sends nothing. The result of each target is a Success with status 0, and its `request` is what would be sent; one that would
   * go with another target has none.
   *
   * @defaultValue `false`
   */
  readonly dryRun?: boolean | undefined
  /**
   * Allows the client's own base, what is outside it, results that are `outside` or could not be listed, and names with a
   * control character.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /**
   * Sends again what failed for now: first the members that failed, leaves before their collections, then the target. What
   * is given out is what the last attempt has left; until then it is held.
   */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The options with their defaults. */
export interface SettledOptions {
  readonly ifMissing: 'failure' | 'success'
  readonly unguarded: boolean
  readonly ifUnchanged: boolean
  readonly verify: boolean
  readonly dryRun: boolean
}

/** The options that `delete` knows. */
export const DELETE_OPTIONS: Rules<DeleteOptions> = {
  ifMissing: oneOf('failure', 'success'),
  ifUnchanged: BOOLEAN,
  verify: BOOLEAN,
  dryRun: BOOLEAN,
  unguarded: BOOLEAN,
  retry: ANY,
  signal: SIGNAL,
}

/** Sets the defaults. */
export function settleOptions(options: DeleteOptions): SettledOptions {
  const {ifMissing = 'failure', unguarded = false, ifUnchanged = false} = options
  const {verify = false, dryRun = false} = options
  return {ifMissing, unguarded, ifUnchanged, verify, dryRun}
}
