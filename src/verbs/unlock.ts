/** UNLOCK: removes a lock. RFC 4918, section 9.11. */

import type {StoredLock} from '../call/lock-store.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {lose} from '../engine/locks.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {refuse, succeed} from '../engine/verdict.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {resourceKey} from '../protocol/href.ts'
import {readLockToken} from '../protocol/if-header.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {readOptions, TEXT} from '../protocol/options.ts'
import {hasEnded} from './lock-lookup.ts'

/** Options of `unlock`. */
export interface UnlockOptions extends VerbOptions {
  /**
   * The token of the lock, with or without `<>`.
   *
   * @defaultValue that of the client's own lock with this target as its root
   */
  readonly lockToken?: string | undefined
}

const UNLOCK_OPTIONS: Rules<UnlockOptions> = {...VERB_OPTIONS, lockToken: TEXT}

/** The rules of UNLOCK for the engine. */
export const UNLOCK: Verb = {
  method: 'UNLOCK',
  isLeavesFirst: true,
  headers: (request) => ({'lock-token': `<${tokenOf(request)}>`}),
  isDone: () => false,
  forMember: () => undefined,
  conclude(request, verdict, _head, _answer, {locks}) {
    if (verdict.ok) locks.remove(tokenOf(request))
    return verdict
  },
  reconsider,
  check: tokenOf,
  guard: () => undefined,
}

function tokenOf({lockToken = ''}: TargetRequest): string {
  return readLockToken(lockToken)
}

/** Removes one lock. */
export async function unlock(
  session: Session,
  target: Target | StoredLock,
  given: UnlockOptions = {},
): Promise<DavResult> {
  const options = readOptions('unlock', given, UNLOCK_OPTIONS)
  const stored = isStored(target) ? target : undefined
  const place = isStored(target) ? {url: target.lockRoot} : target
  const {href: url} = resolveTarget(place, session.base)
  const token = options.lockToken ?? stored?.token ?? findOwn(url, session)
  if (token === undefined)
    return refuse(
      {url},
      session,
      `UNLOCK ${url} is not sent: the client holds no lock there, or several; give lockToken`,
    )
  const lockToken = readLockToken(token)
  const {lockRoot = url} = session.locks.get(lockToken) ?? {}
  // A refusal would not tell whether the lock has ended: 409 means the wrong resource too. RFC 4918, section 9.11.1.
  if (resourceKey(lockRoot) !== resourceKey(url))
    return refuse({url}, session, `UNLOCK ${url} is not sent: it is the lock of ${lockRoot}`)
  const request = {method: 'UNLOCK', url, lockToken, attempts: 0}
  return runOne(session, UNLOCK, request, options)
}

/** Recognizes a lock as plain data, and a {@link Lock}, whose root may be another resource than its `url`. */
function isStored(target: Target | StoredLock): target is StoredLock {
  return (
    typeof memberOf(target, 'token') === 'string' &&
    typeof memberOf(target, 'lockRoot') === 'string'
  )
}

/** Finds the token of the only lock of the client with a root. */
function findOwn(url: string, {locks}: Session): string | undefined {
  const own = [...locks].filter(({lockRoot}) => resourceKey(lockRoot) === resourceKey(url))
  return own.length === 1 ? own[0]?.token : undefined
}

/** Looks for the lock after a refusal. A lock that is not there any more is unlocked. */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  if ((await hasEnded(request, verdict, context)) !== true) return undefined
  if (context.mayBeDone === true) {
    context.session.locks.remove(tokenOf(request))
    return succeed(request, verdict.status)
  }
  const isHeld = context.session.locks.get(tokenOf(request)) !== undefined
  lose(context.session, request)
  // The lock of another client may be on another resource.
  const description = isHeld ? 'The lock had ended before' : 'It has no such lock'
  return succeed(request, verdict.status, description)
}
