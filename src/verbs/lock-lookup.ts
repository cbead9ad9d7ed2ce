/** Looks for the locks of a resource, after a LOCK or UNLOCK whose answer does not tell the outcome. RFC 4918, section 15.8. */

import type {CallContext} from '../call/call.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {readLocks} from '../listing/locks.ts'
import type {Failure} from '../multistatus/result.ts'

/**
 * Tells if a server still shows a lock.
 *
 * @returns `undefined` if the server does not tell. A lock without a token may be the one: SabreDAV 1.8 hides all tokens.
 * @throws The errors of `readSelf`.
 */
export async function isShown(
  {url, lockToken}: TargetRequest,
  context: CallContext,
): Promise<boolean | undefined> {
  const locks = (await readLocks(url, context))?.locks
  if (locks?.some(({token}) => token === lockToken) === true) return true
  return locks === undefined || locks.some(({token}) => token === undefined) ? undefined : false
}

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
  const isThere = await isShown(request, context)
  if (isThere !== undefined) return !isThere
  // x/net shows no locks, SabreDAV 1.8 no tokens. Both keep to sections 9.10.6 and 9.11.1.
  return status === (request.method === 'LOCK' ? 412 : 409) ? true : undefined
}

// Answers to the token of a lock that has ended. webdav-server 2.6 and DAViCal 1.1 refuse the tokens of live locks so too.
const ENDED: ReadonlySet<number> = new Set([400, 404, 409, 410, 412])
