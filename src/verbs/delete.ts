/**
 * DELETE: the request for a target, and the meaning of the answers. Attempts, members and pace are the engine's. RFC 4918,
 * section 9.6.
 */

import type {CallContext} from '../call/call.ts'
import type {ConditionalTarget, Conditions} from '../call/conditions.ts'
import {
  assertConditionNames,
  CONDITION_RULES,
  isConditional,
  readConditions,
} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {
  findDestructiveProblem,
  isPlainReference,
  isSafelyBelow,
  resolveTarget,
  spelled,
} from '../call/target.ts'
import type {AnyIterable, BulkOptions} from '../engine/many.ts'
import {BULK_OPTIONS, runMany} from '../engine/many.ts'
import type {VerbOptions} from '../engine/one.ts'
import {VERB_OPTIONS, runOne} from '../engine/one.ts'
import type {TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, refuse, sentAgain, succeed, uncheckedVerdict} from '../engine/verdict.ts'
import {Frontier} from '../listing/frontier.ts'
import {isPresent, presenceQuery} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import {walk} from '../listing/walk.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {isBelow} from '../multistatus/selection.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import type {Rules} from '../protocol/options.ts'
import {BOOLEAN, oneOf, readOptions} from '../protocol/options.ts'
import {isMissingStatus} from '../protocol/status.ts'

/** A resource to delete: a URL reference, a `URL`, a result, or a resource with conditions. */
export type DeleteTarget = Target | ConditionalTarget

/**
 * The targets of a bulk call. In a stream, an invalid target becomes a Failure; the rest go on. A result that is `outside` or
 * could not be listed also becomes a Failure, unless `unguarded` allows it.
 */
export type Targets = AnyIterable<DeleteTarget>

interface DeleteRules {
  /**
   * The verdict on a missing target: `failure`, or `success` if the target only has to be gone.
   *
   * @defaultValue `failure`
   */
  readonly ifMissing?: 'failure' | 'success' | undefined
  /**
   * Deletes a result of a listing only if its ETag is still the same. The ETag is sent as If-Match, and a changed resource is a
   * Failure 412. The listing must ask for `getetag` and `resourcetype`; a string or a URL as target is a TypeError. A result
   * without a strong ETag or a known type is a Failure `refused`. So is a collection, because its ETag does not change with its
   * members. rclone and nginx ignore If-Match. RFC 9110, section 13.1.1.
   *
   * @defaultValue `false`
   */
  readonly ifUnchanged?: boolean | undefined
  /**
   * Checks by PROPFIND, after each success, that the target is gone: SabreDAV 1.8 answers 204 although members are left. Each
   * remaining resource is a Failure with the status of that success. If the check fails, the verdict is `no-answer`.
   *
   * @defaultValue `false`
   */
  readonly verify?: boolean | undefined
  /**
   * Allows the client's own base, its parents, targets outside it, and results that are `outside` or could not be listed. Also
   * names with a control character, and names that some servers read as the collection around them.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
}

/** Options of `delete`. */
export interface DeleteOptions extends DeleteRules, Conditions, VerbOptions {}

/** Options of `deleteMany`. */
export interface DeleteManyOptions extends DeleteRules, BulkOptions {}

const DELETE_RULES: Rules<DeleteRules> = {
  ifMissing: oneOf('failure', 'success'),
  ifUnchanged: BOOLEAN,
  verify: BOOLEAN,
  unguarded: BOOLEAN,
}
const DELETE_OPTIONS: Rules<DeleteOptions> = {
  ...DELETE_RULES,
  ...VERB_OPTIONS,
  ...CONDITION_RULES,
}
const DELETE_MANY_OPTIONS: Rules<DeleteManyOptions> = {...DELETE_RULES, ...BULK_OPTIONS}

/** The rules of DELETE for the engine. */
export const DELETE: Verb = {
  method: 'DELETE',
  isLeavesFirst: true,
  endsLocks: true,
  covered: 'Deleted together with a parent target',
  headers: () => ({depth: 'infinity'}),
  isDone: ({attempts, ifMissing}, status) =>
    isMissingStatus(status) && (attempts > 0 || ifMissing === 'success'),
  forMember,
  reconsider,
  verify,
  guard({url}, {base}) {
    return findDestructiveProblem({method: 'DELETE', url: new URL(url), base})
  },
}

/** Deletes one resource. */
export async function deleteOne(
  session: Session,
  target: DeleteTarget,
  given: DeleteOptions = {},
): Promise<DavResult> {
  const options = readOptions('delete', given, DELETE_OPTIONS)
  return runOne(session, DELETE, settle(session, target, options), options)
}

/** Makes the stream of a bulk DELETE. Nothing is sent yet. */
export function deleteMany(
  session: Session,
  targets: Targets,
  given: DeleteManyOptions = {},
): ResultStream {
  const options = readOptions('deleteMany', given, DELETE_MANY_OPTIONS)
  return runMany<DeleteTarget>(session, DELETE, {
    name: 'deleteMany',
    targets,
    options,
    settle: (target) => settle(session, target, options),
  })
}

/**
 * Makes the request for a target, or the Failure `refused` of a target that must not be sent.
 *
 * @throws TypeError for an invalid target, and for one that the guards refuse.
 */
function settle(
  session: Session,
  target: DeleteTarget,
  options: DeleteRules & Conditions,
): TargetRequest | Failure {
  const {ifMissing, ifUnchanged = false, verify: isVerified = false, unguarded = false} = options
  const {base} = session
  const request = {
    method: 'DELETE',
    depth: 'infinity',
    ...(ifMissing === 'success' && {ifMissing}),
    ...(isVerified && {verify: true}),
    attempts: 0,
  } as const
  const {ifMatch, lockToken, lockRoot} = options
  const isPlain = !ifUnchanged && (ifMatch ?? lockToken ?? lockRoot) === undefined
  if (isPlain && isPlainReference(target)) return {...request, url: base.href + target}
  assertConditionNames(target)
  const url = resolveTarget(isConditional(target) ? target.href : target, base)
  const problem = unguarded
    ? undefined
    : findDestructiveProblem({method: 'DELETE', url, base, target})
  const found =
    problem === undefined ? readConditions(target, options, {url: url.href, base}) : {problem}
  if (found.problem !== undefined)
    return refuse(target, session, `DELETE ${url.href} is not sent: ${found.problem}`)
  const {conditions} = found
  return {...request, url: url.href, ...(conditions !== undefined && {conditions})}
}

/** Makes the request for a failed member. No href of a server may choose a resource outside the target. */
function forMember(request: TargetRequest, {url, relation}: Failure): TargetRequest | undefined {
  if (relation === 'outside' || !isSafelyBelow(url, request.url)) return undefined
  const {conditions, ...others} = request
  // A lock on the target covers its members, so they need its token too. RFC 4918, sections 7.5 and 10.4.2.
  const token = conditions?.['if']
  return {...others, url: spelled(url), ...(token !== undefined && {conditions: {if: token}})}
}

/** Looks for the target after a refusal that an earlier attempt may have preceded. If-Match fails for a missing resource too. */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  const isAsked = verdict.status === 412 && request.conditions?.['if-match'] !== undefined
  const mayBeGone = context.mayBeDone === true && verdict.reason === 'status'
  if (!mayBeGone && !(isAsked && DELETE.isDone(request, 404))) return undefined
  return (await isPresent(request.url, context)) ? verdict : succeed(request, 404)
}

/**
 * Checks that a deleted target is gone. SabreDAV 1.8 answers 204 although members are left, and a 202 promises nothing. Emits
 * each remaining resource as a Failure. RFC 4918, sections 9.1 and 9.6.1.
 */
async function verify(
  request: TargetRequest,
  verdict: Success,
  context: CallContext,
  emit: Sink<DavResult>,
): Promise<DavResult> {
  const {connection} = context
  const {url} = request
  const {status} = verdict
  const unseen = `The DELETE was answered ${status}, but whether it is gone could not be seen`
  try {
    if (isMissingStatus(status) || !(await isPresent(url, context))) return verdict
  } catch (error) {
    return uncheckedVerdict(request, error, unseen, connection)
  }
  const frontier = new Frontier([firstListing(presenceQuery(url, 'infinity'), context.session)])
  let hasMembers = false
  try {
    await walk(frontier, {...context, incomplete: [], throws: false}, (batch) => {
      const left = batch.filter((result) => result.ok && isBelow(result))
      hasMembers ||= left.length > 0
      return emit(left.map((result) => leftOver(request, result, status)))
    })
  } catch (error) {
    if (!connection.isGraceful || !connection.isEnd(error)) throw error
  }
  const description = `It is still there after a DELETE that was answered ${status}`
  return hasMembers
    ? fail(request, {status: 424, reason: 'member', description})
    : fail(request, {status, reason: 'status', description})
}

function leftOver(request: TargetRequest, result: DavResult<unknown>, status: number): Failure {
  const {href, url, relation} = result
  const description = `It is still there after the DELETE of a parent target was answered ${status}`
  const failure = createFailure({href, url, relation, status, reason: 'status', description})
  const again = forMember(request, failure)
  return {...failure, ...(again !== undefined && {request: sentAgain(again)})}
}
