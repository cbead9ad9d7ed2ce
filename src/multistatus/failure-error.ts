/** Turns results into exceptions, for programs that catch errors rather than ask for `ok`. */

import {DavError, visible} from '../protocol/errors.ts'
import type {Failure, Success} from './result.ts'

/** A {@link Failure} as an error. `unwrap` throws it. */
export class DavFailureError extends DavError {
  override readonly name = 'DavFailureError'
  /** The Failure. */
  readonly failure: Failure

  static override is(this: void, value: unknown): value is DavFailureError {
    return DavError.is(value) && value.name === 'DavFailureError'
  }

  /** Makes the message from the facts of the Failure. */
  constructor(failure: Failure) {
    const {request, url, href, status, reason, description, conditions} = failure
    const subject = request === undefined ? visible(href || url, 1000) : `${request.method} ${url}`
    const outcome = status === 0 ? `failed (${reason})` : `failed with status ${status}`
    const words = description ?? conditions.join(', ')
    const sentence = `${subject} ${outcome}${words === '' ? '' : `: ${visible(words, 300)}`}`
    // The sentences of this package begin with the method and the URL.
    const isWhole = words.replace(/^[A-Z]+ /, '').startsWith(`${url} `)
    super(isWhole ? visible(words, 1300) : sentence, {method: request?.method, url})
    this.failure = failure
  }
}

/**
 * Returns a Success, and throws for a Failure.
 *
 * @throws {@link DavFailureError} with the Failure as its `failure`.
 * @example
 * ```ts
 * const {properties} = unwrap(await dav.stat('photos/1.jpg'))
 * ```
 */
export function unwrap<S extends Success<unknown>>(result: S | Failure): S {
  if (result.ok) return result
  throw new DavFailureError(result)
}
