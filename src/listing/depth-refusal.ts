/**
 * Recognizes refusals of Depth infinity. Servers refuse by a status, a page for people, an empty answer or a failure in a 207.
 * Some leave out results in silence. RFC 4918, section 9.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {DavError, DavHttpError, DavTimeoutError, MultiStatusError} from '../protocol/errors.ts'

/** Statuses that refuse Depth infinity, or come from an overwhelmed server. */
const DEPTH_REFUSALS: ReadonlySet<number> = new Set([400, 403, 405, 413, 422, 500, 501, 504, 507])

// The precondition of RFC 4918, section 9.1.1.
const FINITE = 'propfind-finite-depth'

/** A refusal of Depth infinity before the first result. A walk can then begin without reporting anything twice. */
export class DepthRefused extends DavError {}

/** Tells if a status refuses Depth infinity. */
export function isDepthRefusal(status: number): boolean {
  return DEPTH_REFUSALS.has(status)
}

/** Tells if an error of a request with Depth infinity refuses the depth. */
export function isDepthRefusalError(error: unknown): boolean {
  if (error instanceof DavHttpError) return isDepthRefusal(error.status)
  if (error instanceof DavTimeoutError) return error.timeout === 'headers'
  if (!(error instanceof MultiStatusError)) return false
  const {reason, conditions} = error
  if (conditions.length > 0) return conditions.includes(FINITE)
  // A page for people, or an empty body.
  return reason === 'not-multistatus' || reason === 'truncated'
}

/** Tells if the first results of an answer refuse the depth: all are failures, and the resource itself is refused. */
export function refusesDepth(batch: readonly DavResult<unknown>[]): boolean {
  return batch.every(({ok}) => !ok) && batch.some(isRefusalOfSelf)
}

function isRefusalOfSelf(result: DavResult<unknown>): boolean {
  if (result.ok || result.relation !== 'self') return false
  const {conditions, reason, status} = result
  return conditions.includes(FINITE) || (reason === 'status' && isDepthRefusal(status))
}

/** Recognizes a server whose answers to Depth infinity cannot be trusted: lighttpd 1.4 stops after 100 collections. */
export function cutsInSilence(server: string): boolean {
  return /^lighttpd\b/i.test(server)
}
