/** Reads the locks that a server shows for a resource. RFC 4918, section 15.8. */

import type {CallContext} from '../call/call.ts'
import {isMissing} from '../multistatus/result.ts'
import type {ActiveLock, LockEntry} from '../properties/locks.ts'
import {lockDecoders, lockdiscovery} from '../properties/locks.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {readSelf} from './presence.ts'
import {firstListing} from './propfind.ts'
import {propfindQuery} from './query.ts'

/** The locks that a server shows. */
export interface SeenLocks {
  readonly locks: readonly ActiveLock[]
  /** True if the server is known to have locks for the resource. */
  readonly hasSupport: boolean
  /** True if the resource is not there. */
  readonly isMissing: boolean
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
  const query = propfindQuery(url, body, 0, decoders)
  const self = await readSelf<LockProperties>(firstListing(query, context.session), context)
  if (!self.ok) return isMissing(self) ? {locks: [], hasSupport: false, isMissing: true} : undefined
  const {lockdiscovery: locks, supportedlock = []} = self.properties
  const hasSupport = (locks ?? []).length > 0 || supportedlock.length > 0
  return locks && {locks, hasSupport, isMissing: false}
}

/**
 * Tells if a lock is there, by the locks that a server shows.
 *
 * @param server - The Server header of its answer.
 * @returns `undefined` if nobody knows.
 */
export function isThere(
  {locks}: SeenLocks,
  lockToken: string | undefined,
  server = '',
): boolean | undefined {
  if (locks.some(({token}) => token === lockToken)) return true
  // SabreDAV 1.8 shows no tokens. x/net 0.7 keeps the lock of a resource that is gone. Apache 2.4 shows no locks with `DavLockDiscovery Off`, but an empty list; lighttpd 1.4 shows all.
  const isProof = locks.length > 0 || /^lighttpd\b/i.test(server)
  return isProof && locks.every(({token}) => token !== undefined) ? false : undefined
}
