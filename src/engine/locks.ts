/**
 * Explains the refusal of a request that submitted the tokens of locks, and ends locks with their resources. RFC 4918, sections 7.7,
 * 9.6 and 10.4.
 */

import {readAnswer} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {StoredLock} from '../call/lock-store.ts'
import type {Session} from '../call/session.ts'
import type {Submission, SubmittedLock} from '../call/submission.ts'
import {isThere, readLocks} from '../listing/locks.ts'
import type {Failure} from '../multistatus/result.ts'
import {lockdiscovery} from '../properties/locks.ts'
import {childrenOf} from '../properties/value-parts.ts'
import {REFRESHED_LOCK_MILLISECONDS} from '../protocol/bounds.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {bareToken, formatIf} from '../protocol/if-header.ts'
import {formatLockTimeout} from '../protocol/lock-timeout.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {Outcome, TargetRequest, VerbContext} from './verb.ts'
import {withSentence} from './verdict.ts'

/** Sends the request again: while no other request runs, with a given If header, or with the tokens of the locks that are left. */
interface Again {
  alone(): Promise<Outcome>
  withHeader(header: string | undefined): Promise<Outcome>
  withLocks(): Promise<Outcome>
}

/**
 * Judges a refusal. After a 412 it looks whether the locks still hold. If all of them do, the request is sent once more, without the
 * tokens that the server may not have understood.
 *
 * @param again - Absent for a request that can be sent once only, and for one that the server has begun.
 * @returns The outcome of the request that tells more.
 */
export async function judge(
  outcome: Outcome,
  submission: Submission,
  context: VerbContext,
  again: Again | undefined,
): Promise<Outcome> {
  const judged = await judgeTokens(outcome, submission, context, again)
  const {verdict} = judged
  const {locks, left} = submission
  if (verdict.ok || left === 0) return judged
  const sentence = `Its If header had no room for ${left} of ${locks.length + left} lock tokens`
  return {...judged, verdict: withSentence(verdict, sentence)}
}

async function judgeTokens(
  outcome: Outcome,
  submission: Submission,
  context: VerbContext,
  again: Again | undefined,
): Promise<Outcome> {
  const {locks, headerOfEnds} = submission
  const {verdict} = outcome
  if (verdict.ok || locks.length === 0 || verdict.reason !== 'status') return outcome
  if (verdict.status === 423) {
    const header = tagsOf(verdict, locks) ?? listsWithoutTags(outcome, locks)
    const second = header === undefined ? undefined : await again?.withHeader(header)
    return second?.verdict.ok === true ? second : outcome
  }
  if (verdict.status !== 412) return outcome
  const seen = await Promise.all(
    locks.map(async (lock) => ({lock, state: await look(lock, outcome, context)})),
  )
  const gone = seen.flatMap(({lock, state}) => (state === 'gone' ? lock : []))
  if (again !== undefined && endOwn(gone, verdict, context)) return again.withLocks()
  const lost = seen.flatMap(({lock, state}) => (state === 'lost' || state === 'gone' ? lock : []))
  if (lost.length > 0) return {...outcome, verdict: tellLost(verdict, lost, context)}
  // rclone 1.60 and x/net 0.7 show no locks, and know a token for one request at a time.
  const isShown = seen.every(({state}) => state === 'held')
  if (!isShown && outcome.isBeside === true && again !== undefined) {
    const {connection, session} = context
    const alone = await again.alone().catch((error: unknown) => {
      // The call has ended, but the answer so far is still true.
      if (connection.isGraceful && connection.isEnd(error)) return outcome
      throw error
    })
    if (alone === outcome) return outcome
    if (!alone.verdict.ok && alone.verdict.status === 412)
      return judgeTokens(alone, submission, context, again)
    session.lockTurns.isOneByOne = true
    return alone
  }
  if (!seen.every(({state}) => state === 'held' || state === 'refreshed')) return outcome
  const told = {...outcome, holdsLocks: true} as const
  if (again === undefined || locks.every(({isOfEnd}) => isOfEnd)) return told
  // SabreDAV 1.8 refuses the token of a parent whose lock has Depth 0. So does lighttpd 1.4, which refuses those of members too. In a
  // MOVE, rclone 1.60 and x/net refuse both.
  const second = await again.withHeader(headerOfEnds)
  return !second.verdict.ok && REFUSED_LOCKS.has(second.verdict.status) ? told : second
}

const REFUSED_LOCKS: ReadonlySet<number> = new Set([412, 423])

/**
 * Tags the tokens of members with the target. SabreDAV 1.8.12 wants them so for a DELETE or MOVE of the collection, with the tag
 * before each one. It is known by its elements in the answer.
 */
function tagsOf({url, conditions}: Failure, locks: readonly SubmittedLock[]): string | undefined {
  const isOfMembers = locks.some(({isOfEnd}) => !isOfEnd)
  if (!isOfMembers || !conditions.some((name) => name.startsWith('{http://sabredav.org/ns}')))
    return undefined
  return locks.map(({token}) => formatIf([{resource: url, conditions: [{token}]}])).join(' ')
}

/** Leaves out the tags. nginx 1.22 with dav-ext 3.0 finds no resource by a tag with some escaped characters. */
function listsWithoutTags(
  {server = ''}: Outcome,
  locks: readonly SubmittedLock[],
): string | undefined {
  return /^nginx\b/i.test(server) && locks.every(({isOfEnd}) => isOfEnd)
    ? formatIf(locks.map(({token}) => ({conditions: [{token}]})))
    : undefined
}

/**
 * Ends the client's locks on members that are gone, before a repeated DELETE or MOVE. An earlier attempt may have removed some
 * members. Returns false if none are gone. RFC 4918, section 9.6.1.
 */
function endOwn(
  gone: readonly SubmittedLock[],
  {request}: Failure,
  {session, verb}: VerbContext,
): boolean {
  const isRepeated = verb.endsLocks === true && (request?.attempts ?? 0) > 1
  const own = isRepeated ? gone.filter(({token}) => session.locks.get(token) !== undefined) : []
  for (const {token} of own) session.locks.remove(token)
  return own.length > 0
}

/** Tells of lost locks. The client holds them no more. */
function tellLost(
  verdict: Failure,
  lost: readonly SubmittedLock[],
  {session}: CallContext,
): Failure {
  const {method = ''} = verdict.request ?? {}
  for (const {token, lockRoot} of lost)
    lose(session, {method, url: session.locks.get(token)?.lockRoot ?? lockRoot, lockToken: token})
  return {
    ...withSentence(verdict, lost.map(sentenceOf).join('. ')),
    lostLocks: lost.map(({token}) => token),
  }
}

/** Removes a lock that has ended without the client, and tells its holder. The calls under way go on with its token. */
export function lose(
  {calls, locks}: Session,
  {method, url, lockToken = ''}: Pick<TargetRequest, 'method' | 'url' | 'lockToken'>,
  options?: ErrorOptions,
): void {
  const held = locks.get(lockToken)
  if (held === undefined) return
  calls.keep(held)
  locks.remove(lockToken, new DavError(sentenceOf({lockRoot: url}), {method, url, ...options}))
}

function sentenceOf({lockRoot}: Pick<StoredLock, 'lockRoot'>): string {
  return `The lock of ${lockRoot} is lost`
}

/** The state of a lock. `gone`: its resource is not there any more. `refreshed`: it holds, but the server shows no locks. */
type State = 'held' | 'refreshed' | 'gone' | 'lost' | 'unknown'

/** Looks whether a lock still holds, after a 412 to a request with its token. */
async function look(lock: SubmittedLock, {server}: Outcome, context: CallContext): Promise<State> {
  const {connection} = context
  if (connection.lost.some(({token}) => token === lock.token)) return 'lost'
  try {
    const seen = await readLocks(lock.lockRoot, context)
    // x/net 0.7 and SabreDAV 1.8 keep the lock of a resource that is gone.
    if (seen?.isMissing === true) {
      await unlock(lock, context)
      return 'gone'
    }
    const isHeld = seen && isThere(seen, lock.token, server)
    if (isHeld !== undefined) return isHeld ? 'held' : 'lost'
    // rclone 1.60 and x/net 0.7 show no locks. A refresh asks lighttpd 1.4.69 in vain: it answers 200 to any token.
    return await refresh(lock, seen?.locks.length === 0, context)
  } catch (error) {
    if (error instanceof DavError || (connection.isGraceful && connection.isEnd(error)))
      return 'unknown'
    throw error
  }
}

/**
 * Refreshes a lock that the server does not show. Apache with `DavLockDiscovery Off` shows none at all. RFC 4918, section 9.10.2.
 *
 * @param isToldNone - True if the server says that the resource has no lock.
 */
async function refresh(
  {token, lockRoot: url, expires}: SubmittedLock,
  isToldNone: boolean,
  context: CallContext,
): Promise<State> {
  const {session, connection} = context
  const left = expires === undefined ? undefined : expires - Date.now()
  const timeout = left && {timeout: formatLockTimeout(Math.max(left, REFRESHED_LOCK_MILLISECONDS))}
  const headers = {if: formatIf([{conditions: [{token}]}]), ...timeout}
  const response = await connection.send({method: 'LOCK', url, headers})
  const answer = await readAnswer(session, response, {method: 'LOCK', url})
  if (answer.kind === 'multistatus') await answer.discard()
  const root = answer.kind === 'plain' ? answer.root : undefined
  const [found] = childrenOf(root, 'lockdiscovery')
  if (lockdiscovery(found ?? '')?.some((one) => one.token === token) === true) return 'refreshed'
  const isDone = isSuccessStatus(response.status)
  const made = bareToken(response.headers.get('lock-token') ?? '')
  // nginx-dav-ext 3.0 makes a new lock.
  if (isDone && made !== '' && made !== token) await unlock({token: made, lockRoot: url}, context)
  // A 200 without a body does not tell which locks are there.
  const tellsOthers = isDone && (found !== undefined || made !== '' || response.status === 207)
  return response.status === 412 || (tellsOthers && isToldNone) ? 'lost' : 'unknown'
}

/**
 * Ends the client's locks on a resource that is gone, and below it. Else rclone 1.60, x/net 0.7, SabreDAV 1.8, chezdav and yaws keep
 * the names locked. No answer to an UNLOCK changes the verdict: most servers say that there is no such lock.
 */
export async function endLocks(url: string, context: CallContext): Promise<void> {
  const {locks} = context.session
  const path = canonicalPathOf(url)
  const ended = Array.from(locks).filter(
    ({lockRoot}) => relate(canonicalPathOf(lockRoot), path) !== 'outside',
  )
  for (const {token} of ended) locks.remove(token)
  await Promise.all(ended.map((lock) => unlock(lock, context)))
}

/** Sends an UNLOCK. Returns true if the server removed the lock. RFC 4918, section 9.11. */
export async function unlock(
  {token, lockRoot: url}: Pick<StoredLock, 'token' | 'lockRoot'>,
  {connection}: CallContext,
): Promise<boolean> {
  try {
    const headers = {'lock-token': `<${token}>`}
    const {status, body} = await connection.send({method: 'UNLOCK', url, headers})
    await body?.cancel()
    return isSuccessStatus(status)
  } catch {
    // The end of the call too. The request that it goes with was answered.
    return false
  }
}
