/** Refusals of Depth infinity: by a status, by a page for people, in a 207, or by a part. RFC 4918, section 9.1. */

import type {DavResult} from '../multistatus/result.ts'
import {DavError, DavHttpError, DavTimeoutError, MultiStatusError} from '../protocol/errors.ts'

/** Statuses that refuse Depth infinity, or say that it is too much for the server. */
const DEPTH_REFUSALS: ReadonlySet<number> = new Set([400, 403, 405, 413, 422, 500, 501, 504, 507])

// RFC 4918, section 9.1.1.
const FINITE = 'propfind-finite-depth'

/** Depth infinity was refused before the first result. */
export class DepthRefused extends DavError {}

/** Tells if a status refuses Depth infinity. */
export function isDepthRefusal(status: number): boolean {
  return DEPTH_REFUSALS.has(status)
}

/** Tells if the error of a request with Depth infinity refuses the depth. */
export function isDepthRefusalError(error: unknown): boolean {
  if (error instanceof DavHttpError) return isDepthRefusal(error.status)
  if (error instanceof DavTimeoutError) return error.timeout === 'headers'
  if (!(error instanceof MultiStatusError)) return false
  const {reason, conditions} = error
  if (conditions.length > 0) return conditions.includes(FINITE)
  // A page for people, or nothing at all.
  return reason === 'not-multistatus' || reason === 'truncated'
}

/** Tells if the first results of an answer refuse the depth: only failures, and such a one of the resource itself. */
export function refusesDepth(batch: readonly DavResult<unknown>[]): boolean {
  return batch.every(({ok}) => !ok) && batch.some(isRefusalOfSelf)
}

function isRefusalOfSelf(result: DavResult<unknown>): boolean {
  if (result.ok || result.relation !== 'self') return false
  const {conditions, reason, status} = result
  return conditions.includes(FINITE) || (reason === 'status' && isDepthRefusal(status))
}

/** Recognizes a server that lists some collections and leaves out all others: lighttpd 1.4 does so after 100. */
export function cutsInSilence(server: string): boolean {
  return /^lighttpd\b/i.test(server)
}
