/**
 * One DELETE: the results of the members that its answer names, and the verdict on the target. RFC 4918, sections 9.6
 * and 9.6.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import type {Properties} from '../properties/vocabulary.ts'
import type {AnswerHead, MultiStatusAnswer} from './answer.ts'
import {readAnswer, readHead} from './answer.ts'
import type {DeleteRequest} from './delete-target.ts'
import {plainVerdict, verdictOf, withRequest} from './delete-verdict.ts'
import type {Manner} from './listing.ts'
import type {Give} from './merge.ts'
import {verify} from './verify.ts'

/** How the requests of a call are sent. */
export interface DeleteManner extends Manner {
  /** Says which members' failures are retried by themselves. */
  readonly isRetriedElsewhere?: ((result: DavResult) => boolean) | undefined
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
): Promise<DavResult> {
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
  return verdict.ok && request.verify ? verify(request, verdict, manner, give) : verdict
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
