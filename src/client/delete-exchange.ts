/**
 * One DELETE: the results of the members that its answer names, and the verdict on the target. RFC 4918, sections 9.6
 * and 9.6.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import type {Properties} from '../properties/vocabulary.ts'
import type {AnswerHead, MultiStatusAnswer} from './answer.ts'
import {readAnswer, readHead} from './answer.ts'
import type {DeleteRequest} from './delete-target.ts'
import {goneVerdict, plainVerdict, verdictOf, withRequest} from './delete-verdict.ts'
import type {Manner} from './listing.ts'
import type {Give} from './merge.ts'
import {stands, verify} from './verify.ts'

/** How the requests of a call are sent. */
export interface DeleteManner extends Manner {
  /** Says which members' failures are retried by themselves. */
  readonly isRetriedElsewhere?: ((result: DavResult) => boolean) | undefined
}

/** What one DELETE came to. */
export interface Deletion {
  readonly verdict: DavResult
  /** Whether something may have been deleted, whatever the verdict is: it was not refused before it was begun. */
  readonly mayHaveBegun: boolean
}

/**
 * Sends one DELETE. Gives out the members' results as they arrive, and returns the verdict on the target.
 *
 * @throws DavNetworkError, DavTimeoutError and MultiStatusError where the exchange broke; Unsent; the signal's reason.
 */
export async function deleteTarget(
  request: DeleteRequest,
  manner: DeleteManner,
  give: Give<DavResult>,
): Promise<Deletion> {
  const {session, line} = manner
  const {url, conditions} = request
  const response = await line.send({
    method: 'DELETE',
    url,
    headers: {...conditions, depth: 'infinity'},
  })
  const head = readHead(response, url)
  const answer = await readAnswer<Properties>(session, response, {method: 'DELETE', url: head.url})
  const verdict =
    answer.kind === 'plain'
      ? plainVerdict(request, head, answer)
      : await readMembers(request, head, answer, give)
  const mayHaveBegun = verdict.ok || answer.kind === 'multistatus' || !isRefusal(verdict.status)
  if (await isGoneUnheard(request, verdict, manner))
    return {verdict: goneVerdict(request), mayHaveBegun}
  if (!verdict.ok || !request.verify) return {verdict, mayHaveBegun}
  return {verdict: await verify(request, verdict, manner, give), mayHaveBegun}
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
  {status}: DavResult,
  manner: DeleteManner,
): Promise<boolean> {
  const countsAsDeleted = attempts > 0 || ifMissing === 'success'
  if (status !== 412 || !countsAsDeleted || conditions?.['if-match'] === undefined) return false
  try {
    return !(await stands(url, manner))
  } catch (error) {
    // Where it cannot be asked, the 412 is the verdict.
    const {line} = manner
    if (error instanceof DavError || (line.isGraceful && line.isEnd(error))) return false
    throw error
  }
}

/** Gives out the members' results, and returns the verdict on the target. */
async function readMembers(
  request: DeleteRequest,
  head: AnswerHead,
  {batches}: MultiStatusAnswer<Properties>,
  give: Give<DavResult>,
): Promise<DavResult> {
  let self: DavResult | undefined
  let hasFailures = false
  for await (const batch of batches) {
    const members: DavResult[] = []
    for (const result of batch) {
      if (result.relation === 'self') {
        // Where the target is named twice, the failure is the verdict.
        if (self === undefined || self.ok) self = result
        continue
      }
      hasFailures ||= !result.ok
      members.push(result.ok ? result : withRequest(result, request))
    }
    if (!(await give(members))) break
  }
  return verdictOf(request, head, self, hasFailures)
}
