/** The error of programs that catch a Failure instead of asking for it. */

import {DavError, visible} from '../protocol/errors.ts'
import type {Failure} from './result.ts'

/** A {@link Failure} as an error. `unwrap` throws it. */
export class DavFailureError extends DavError {
  /** The name of the class, the same in every copy of the package. */
  override readonly name = 'DavFailureError'
  /** The Failure. */
  readonly failure: Failure

  /** Reports if a value is an error of this class, from any copy of the package. */
  static override is(this: void, value: unknown): value is DavFailureError {
    return DavError.is(value) && value.name === 'DavFailureError'
  }

  /** Makes the sentence from the Failure. */
  constructor(failure: Failure) {
    const {request, url, href, status, reason, description, conditions} = failure
    const subject = request === undefined ? visible(href || url, 1000) : `${request.method} ${url}`
    const outcome = status === 0 ? `failed (${reason})` : `failed with status ${status}`
    const words = description ?? conditions.join(', ')
    super(`${subject} ${outcome}${words === '' ? '' : `: ${visible(words, 300)}`}`, {
      method: request?.method,
      url,
    })
    this.failure = failure
  }
}
