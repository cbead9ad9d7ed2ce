/** Looks for the locks of a resource, after a LOCK or UNLOCK whose answer does not tell the outcome. RFC 4918, section 15.8. */

import type {CallContext} from '../call/call.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {isThere, readLocks} from '../listing/locks.ts'
import type {Failure} from '../multistatus/result.ts'

/**
 * Tells if a lock has ended, after a refusal that may mean so.
 *
 * @returns `undefined` if nobody knows.
 * @throws The errors of `readSelf`.
 */
export async function hasEnded(
  request: TargetRequest,
  {status, reason}: Failure,
  context: CallContext,
): Promise<boolean | undefined> {
  if (reason !== 'status' || !ENDED.has(status)) return undefined
  const {method, url, lockToken} = request
  const seen = await readLocks(url, context)
  const isHeld = seen && isThere(seen, lockToken)
  if (isHeld !== undefined) return !isHeld
  // x/net shows no locks, SabreDAV 1.8 no tokens. Both keep to sections 9.10.6 and 9.11.1.
  const isMeant = seen?.locks.length === 0 || status === (method === 'LOCK' ? 412 : 409)
  return isMeant ? true : undefined
}

// Answers to the token of a lock that has ended. webdav-server 2.6 and DAViCal 1.1 refuse the tokens of live locks so too.
const ENDED: ReadonlySet<number> = new Set([400, 404, 409, 410, 412])
