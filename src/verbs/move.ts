/** MOVE: the request for a source and a destination, and the meaning of the answers. RFC 4918, section 9.9. */

import type {Conditions} from '../call/conditions.ts'
import {CONDITION_RULES} from '../call/conditions.ts'
import type {HeldLock} from '../call/lock-store.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import type {AnyIterable, BulkOptions} from '../engine/many.ts'
import {BULK_OPTIONS, runMany} from '../engine/many.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import {unlock} from '../engine/locks.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {isUnclear, succeed, withRefusedAttempt, withSentence} from '../engine/verdict.ts'
import {isPresent} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {readOptions} from '../protocol/options.ts'
import {isMissingStatus} from '../protocol/status.ts'
import type {FromTo, TwoEndsRules} from './two-ends.ts'
import {
  arrived,
  checkEnds,
  concludePair,
  guardEnds,
  memberPair,
  runPair,
  settlePair,
  sourceOf,
  TWO_ENDS_RULES,
  twoEndsHeaders,
} from './two-ends.ts'

/** Options of `move`. */
export interface MoveOptions extends TwoEndsRules, Conditions, VerbOptions {}

/** Options of `moveMany`. */
export interface MoveManyOptions extends TwoEndsRules, BulkOptions {}

const MOVE_OPTIONS: Rules<MoveOptions> = {
  ...TWO_ENDS_RULES,
  ...VERB_OPTIONS,
  ...CONDITION_RULES,
}
const MOVE_MANY_OPTIONS: Rules<MoveManyOptions> = {...TWO_ENDS_RULES, ...BULK_OPTIONS}

/** The rules of MOVE for the engine. */
export const MOVE: Verb = {
  method: 'MOVE',
  endsLocks: true,
  headers: twoEndsHeaders,
  ends: ({url, destination = url}) => ({changed: [url, destination]}),
  // A missing source alone proves nothing: it may never have been there.
  isDone: () => false,
  forMember: memberPair,
  // The collection itself may be left at the source.
  afterMembers: () => undefined,
  run,
  conclude: concludePair,
  reconsider,
  check: checkEnds,
  guard: guardEnds,
}

/** Moves one resource. */
export async function moveOne(
  session: Session,
  from: Target,
  to: Target,
  given: MoveOptions = {},
): Promise<DavResult> {
  const options = readOptions('move', given, MOVE_OPTIONS)
  const {ifMatch, lockToken, lockRoot} = options
  const call = {...options, method: 'MOVE'} as const
  return runOne(
    session,
    MOVE,
    settlePair(session, {from, to, ifMatch, lockToken, lockRoot}, call),
    options,
  )
}

/** Makes the stream of a bulk MOVE. Nothing is sent yet. */
export function moveMany(
  session: Session,
  pairs: AnyIterable<FromTo>,
  given: MoveManyOptions = {},
): ResultStream {
  const options = readOptions('moveMany', given, MOVE_MANY_OPTIONS)
  const call = {...options, method: 'MOVE'} as const
  return runMany<FromTo>(session, MOVE, {
    name: 'moveMany',
    targets: pairs,
    options,
    settle: (pair) => settlePair(session, pair, call),
    hrefOf: sourceOf,
  })
}

/**
 * Sends a MOVE. rclone 1.60 and x/net 0.7 refuse that of a locked resource with 412, although its lock holds. The client then gives up
 * its own lock, which would end with the MOVE anyway. RFC 4918, section 7.7.
 */
async function run(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const first = await runPair(request, context, emit)
  if (first.holdsLocks !== true) return first
  const {locks} = context.session
  const path = canonicalPathOf(request.url)
  const own = Array.from(locks).filter(({lockRoot}) => canonicalPathOf(lockRoot) === path)
  // A repeated MOVE may have gone without the permission to overwrite.
  const {verdict: refused} = first
  const sent = refused.ok ? request : {...request, ...refused.request}
  if (own.length === 0 || (await isOfCondition(sent, context))) return first
  const given: HeldLock[] = []
  for (const lock of own) {
    if (!(await unlock(lock, context))) break
    locks.remove(lock.token)
    given.push(lock)
  }
  if (given.length === 0) return first
  const isFree = given.length === own.length
  let isDone = false
  try {
    const outcome = isFree ? await runPair(request, context, emit) : first
    isDone = outcome.verdict.ok
    const verdict = isFree ? withRefusedAttempt(outcome.verdict) : refused
    return {...outcome, verdict: withSentence(verdict, 'Its lock was given up')}
  } finally {
    const {method, url} = request
    const reason = new DavError(`The lock of ${url} is lost`, {method, url})
    if (!isDone) for (const lock of given) lock.end(reason)
  }
}

/** Tells if a 412 may be about an ETag, or about a resource at the destination. */
async function isOfCondition(
  {url, destination = url, overwrite = false, conditions = {}}: TargetRequest,
  context: VerbContext,
): Promise<boolean> {
  if ('if-match' in conditions || overwrite) return 'if-match' in conditions
  try {
    return await isPresent(destination, context)
  } catch (error) {
    if (error instanceof DavError) return true
    throw error
  }
}

/**
 * Looks at both ends after an answer that may hide a success: a lost one, a gateway's, or the refusal of a repeated request. A
 * source that is gone and a destination that is there mean that it was moved.
 */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  if (!mayHideSuccess(request, verdict, context)) return undefined
  const {url, destination = url} = request
  const isAtSource = await isPresent(url, context)
  // At both ends, an earlier attempt may have moved a part. At none, nobody knows.
  if ((await isPresent(destination, context)) === isAtSource) return undefined
  if (isAtSource) return verdict
  return arrived(request, succeed(request, 404, 'The source is gone, and the destination is there'))
}

function mayHideSuccess(
  {attempts}: TargetRequest,
  verdict: Failure,
  {mayBeDone}: VerbContext,
): boolean {
  const {reason, status, cause} = verdict
  if (reason === 'no-answer') return cause !== 'aborted'
  if (reason !== 'status' || mayBeDone === true || isUnclear(verdict)) return reason === 'status'
  // rclone 1.60 and x/net 0.7 answer 403 for a missing source. If-Match and Overwrite make a 412.
  return attempts > 0 && (isMissingStatus(status) || status === 403 || status === 412)
}
