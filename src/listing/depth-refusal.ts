/** How servers refuse Depth infinity: by a status, by a page for people, in a 207, or by a part. RFC 4918, section 9.1. */

import type {DavResult} from '../multistatus/result.ts'
import {DavError, DavHttpError, DavTimeoutError, MultiStatusError} from '../protocol/errors.ts'

/** Statuses that refuse Depth infinity, or say that it is too much for the server. */
export const REFUSALS: ReadonlySet<number> = new Set([400, 403, 405, 413, 422, 500, 501, 504, 507])

// RFC 4918, section 9.1.1.
const FINITE = 'propfind-finite-depth'

/** Depth infinity was refused, and nothing was given out. */
export class DepthRefused extends DavError {}

/** Whether what a request with Depth infinity ended in refuses it. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof DavHttpError) return REFUSALS.has(error.status)
  if (error instanceof DavTimeoutError) return error.timeout === 'headers'
  if (!(error instanceof MultiStatusError)) return false
  const {reason, conditions} = error
  if (conditions.length > 0) return conditions.includes(FINITE)
  // A page for people, or nothing at all.
  return reason === 'not-multistatus' || reason === 'truncated'
}

/** Whether an answer begins with a Failure that refuses it for the resource itself. */
export function refusesDepth(batch: readonly DavResult<unknown>[]): boolean {
  return (
    batch.every(({ok}) => !ok) &&
    batch.some(
      (result) =>
        !result.ok &&
        result.relation === 'self' &&
        (result.conditions.includes(FINITE) ||
          (result.reason === 'status' && REFUSALS.has(result.status))),
    )
  )
}

/** Whether a server, by its name, lists some collections and leaves out all others: lighttpd 1.4 does after 100. */
export function cutsInSilence(server: string): boolean {
  return /^lighttpd\b/i.test(server)
}
