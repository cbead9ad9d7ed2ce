/** The error of credentials that cannot be renewed. */

import {memberOf} from '../protocol/members.ts'
import {DavError} from '../protocol/errors.ts'
import type {DavErrorOptions} from '../protocol/errors.ts'
import {WithheldError} from '../transport/withheld.ts'

/**
 * A request that has no credentials, because a token could not be refreshed. Nothing was done for it: of many targets, each is a
 * Failure `no-answer` with the cause `not-sent`. The error of `refresh` is the `cause`.
 * One refresh serves many requests, so there is no `method` and no `url`.
 */
export class DavAuthError extends WithheldError {
  override readonly name = 'DavAuthError'
  /** `ended` if the refresh token was refused, so that somebody must sign in again; `failed` if the refresh may succeed later. */
  readonly reason: 'ended' | 'failed'

  static override is(this: void, value: unknown): value is DavAuthError {
    return DavError.is(value) && memberOf(value, 'name') === 'DavAuthError'
  }

  /** Makes an error for a refresh. */
  constructor(message: string, reason: 'ended' | 'failed', options?: DavErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
