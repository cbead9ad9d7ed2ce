/** The door for programs that catch errors rather than ask for `ok`. */

import {DavFailureError} from './failure-error.ts'
import type {Failure, Success} from './result.ts'

/**
 * Gives the Success, or throws the Failure.
 *
 * @throws DavFailureError with the Failure as its `failure`.
 * @example
 * ```ts
 * const {properties} = unwrap(await dav.stat('photos/1.jpg'))
 * ```
 */
export function unwrap<S extends Success<unknown>>(result: S | Failure): S {
  if (result.ok) return result
  throw new DavFailureError(result)
}
