/** Looks for the locks of a resource, after a LOCK or UNLOCK whose answer does not tell the outcome. RFC 4918, section 15.8. */

import type {CallContext} from '../call/call.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {readSelf} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import type {Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {ActiveLock, LockEntry} from '../properties/locks.ts'
import {lockDecoders, lockdiscovery} from '../properties/locks.ts'
import {formatPropfind} from '../properties/propfind-body.ts'

/** The locks that a server shows. */
export interface SeenLocks {
  readonly locks: readonly ActiveLock[]
  /** True if the server is known to have locks for the resource. */
  readonly hasSupport: boolean
}

interface LockProperties {
  readonly lockdiscovery?: readonly ActiveLock[]
  readonly supportedlock?: readonly LockEntry[]
}

/**
 * Reads the locks of a resource. A missing resource has none.
 *
 * @returns `undefined` if the server does not tell them.
 * @throws The errors of `readSelf`.
 */
export async function readLocks(url: string, context: CallContext): Promise<SeenLocks | undefined> {
  const body = formatPropfind({properties: Object.keys(lockDecoders)})
  const decoders: typeof lockDecoders = {
    ...lockDecoders,
    lockdiscovery: (value) => lockdiscovery(value, url),
  }
  const query = {url, root: url, depth: 0, body, decoders, attempts: 0} as const
  const self = await readSelf<LockProperties>(firstListing(query, context.session), context)
  if (!self.ok) return isMissing(self) ? {locks: [], hasSupport: false} : undefined
  const {lockdiscovery: locks, supportedlock = []} = self.properties
  return locks && {locks, hasSupport: locks.length > 0 || supportedlock.length > 0}
}

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
