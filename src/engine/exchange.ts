/**
 * One DELETE: the results of the members that its answer names, and the verdict on the target. RFC 4918, sections 9.6
 * and 9.6.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import type {Properties} from '../properties/vocabulary.ts'
import {ElsewhereError} from '../transport/redirects.ts'
import {discard} from '../transport/transport.ts'
import type {AnswerHead, MultiStatusAnswer} from '../call/answer.ts'
import {readAnswer, readHead} from '../call/answer.ts'
import type {DeleteRequest} from '../verbs/delete-target.ts'
import {goneVerdict, plainVerdict, unreadableVerdict, verdictOf, withRequest} from './verdict.ts'
import type {CallContext} from '../listing/listing.ts'
import type {Sink} from '../call/merge.ts'
import {isPresent, keepSelf, selfOf} from '../listing/presence.ts'
import {verify} from '../verbs/verify.ts'

/** How the requests of a call are sent. */
export interface DeleteContext extends CallContext {
  /** Says which members' failures are retried by themselves. */
  readonly isRetriedElsewhere?: ((result: DavResult) => boolean) | undefined
}

/** What one DELETE came to. */
export interface Deletion {
  readonly verdict: DavResult
  /**
   * What may be gone of the target and of all that is in it, whatever the verdict is: `none` where it was refused before it was
   * begun, and `all` where a success names no member that failed.
   */
  readonly extent: 'none' | 'part' | 'all'
  /** Whether the server says that it has done it, so that to send it again would delete what was made there since. */
  readonly isDone: boolean
}

/** What one of several attempts came to. */
export interface DeleteAttempt extends Deletion {
  readonly members: readonly DavResult[]
  /** What broke the exchange; the verdict is then the Failure that says so. */
  readonly problem?: unknown
}

/**
 * Sends one DELETE. Gives out the members' results as they arrive, and returns the verdict on the target.
 *
 * @throws DavNetworkError, DavTimeoutError and MultiStatusError where the exchange broke; NotSentError; the signal's reason.
 */
export async function deleteTarget(
  request: DeleteRequest,
  context: DeleteContext,
  emit: Sink<DavResult>,
): Promise<Deletion> {
  const {session, connection} = context
  const {url, conditions} = request
  const response = await connection.send({
    method: 'DELETE',
    url,
    headers: {...conditions, depth: 'infinity'},
  })
  const head = readHead(response, url, connection.repeats)
  if (head.url !== url && canonicalPathOf(head.url) !== canonicalPathOf(url)) {
    await discard(response)
    throw new ElsewhereError(
      `DELETE ${url} was answered by ${head.url}, which is another resource`,
      {
        method: 'DELETE',
        url,
      },
    )
  }
  const answer = await readAnswer<Properties>(session, response, {method: 'DELETE', url: head.url})
  const {verdict, failsMembers} =
    answer.kind === 'plain'
      ? {verdict: plainVerdict(request, head, answer), failsMembers: false}
      : await readMembers(request, head, answer, emit)
  if (verdict.ok) {
    const seen = request.verify ? await verify(request, verdict, context, emit) : verdict
    // What could not be seen is done all the same.
    const isDone = seen.ok || seen.reason === 'no-answer'
    return {verdict: seen, extent: seen.ok && !failsMembers ? 'all' : 'part', isDone}
  }
  if (verdict.status === 412 && (await isGoneUnheard(request, context)))
    return {verdict: goneVerdict(request), extent: 'all', isDone: true}
  const isUnbegun = answer.kind === 'plain' && isRefusal(verdict.status)
  return {verdict, extent: isUnbegun ? 'none' : 'part', isDone: false}
}

/**
 * What a server says before it begins. Not 403, 405 and 409: rclone says 405 of the first member that it cannot delete, when
 * others are gone. RFC 9110, section 15.5.
 */
const REFUSALS = new Set([
  400, 401, 404, 407, 408, 410, 411, 412, 413, 414, 415, 417, 421, 423, 425, 426, 428, 429, 431,
])

/** Whether a status says that a request was not begun. */
function isRefusal(status: number): boolean {
  return (status >= 300 && status < 400) || REFUSALS.has(status)
}

/**
 * Whether a 412 is that of a target that is not there any more, such as one that an attempt before this one has deleted
 * unheard: it fails each If-Match. RFC 9110, section 13.1.1.
 */
async function isGoneUnheard(
  {url, attempts, ifMissing, conditions}: DeleteRequest,
  context: DeleteContext,
): Promise<boolean> {
  const countsAsDeleted = attempts > 0 || ifMissing === 'success'
  if (!countsAsDeleted || conditions?.['if-match'] === undefined) return false
  try {
    return !(await isPresent(url, context))
  } catch (error) {
    // Where it cannot be asked, the 412 is the verdict.
    const {connection} = context
    if (error instanceof DavError || (connection.isGraceful && connection.isEnd(error)))
      return false
    throw error
  }
}

/** Gives out the members' results. Returns the verdict on the target, and whether members of it failed. */
async function readMembers(
  request: DeleteRequest,
  head: AnswerHead,
  answer: MultiStatusAnswer<Properties>,
  emit: Sink<DavResult>,
): Promise<{readonly verdict: DavResult; readonly failsMembers: boolean}> {
  const selves: DavResult[] = []
  let hasFailures = false
  let isWhole = true
  for await (const batch of answer.batches) {
    const members: DavResult[] = []
    for (const result of batch) {
      if (result.relation === 'self') {
        keepSelf(selves, result)
        continue
      }
      // What was named outside may be a member by another name: servers leave the base path out.
      hasFailures ||= !result.ok
      members.push(result.ok ? result : withRequest(result, request))
    }
    if (await emit(members)) continue
    isWhole = false
    break
  }
  const own = selfOf(selves, request.url)
  // Where the target is named twice, the failure is the verdict.
  const self = own?.ok === true ? (selves.find(({ok}) => !ok) ?? own) : own
  const verdict = verdictOf(request, head, self, hasFailures)
  if (!isWhole) return {verdict, failsMembers: hasFailures}
  const {description: words, incomplete} = answer.summary()
  if (verdict.ok && incomplete.length > 0)
    return {verdict: unreadableVerdict(request, words), failsMembers: true}
  // The server's words on the whole are words on the target.
  const description = verdict.description ?? words
  const told = description === undefined ? verdict : {...verdict, description}
  return {verdict: told, failsMembers: hasFailures}
}
