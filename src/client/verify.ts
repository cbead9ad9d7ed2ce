/**
 * Whether what a server says to have deleted is gone. SabreDAV 1.8 answers 204 while members stand, and a 202 says only that
 * it may be done. RFC 4918, sections 9.1 and 9.6.1.
 */

import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {causeOf} from './answer.ts'
import type {DeleteRequest} from './delete-target.ts'
import {standingVerdict, unseenVerdict, withRequest} from './delete-verdict.ts'
import {Frontier} from './frontier.ts'
import type {Manner} from './listing.ts'
import type {Give} from './merge.ts'
import type {Order} from './order.ts'
import {isMissingStatus, isPresent, PRESENCE_BODY as body} from './presence.ts'
import {firstListing} from './propfind.ts'
import {walk} from './walk.ts'

/** Gives out what is left of a target that was deleted, each as a Failure. Returns the verdict on it. */
export async function verify(
  request: DeleteRequest,
  verdict: Success,
  manner: Manner,
  give: Give<DavResult>,
): Promise<DavResult> {
  const {line} = manner
  try {
    if (isMissingStatus(verdict.status) || !(await isPresent(request.url, manner))) return verdict
  } catch (error) {
    // The DELETE was answered, whatever ends the call now.
    if (line.isGraceful && line.isEnd(error))
      return unseenVerdict(request, verdict, 'aborted', 'the call was ended')
    if (!(error instanceof DavError)) throw error
    return unseenVerdict(request, verdict, causeOf(error), error.message)
  }
  const {url} = request
  const order: Order = {url, root: url, depth: 'infinity', body, decoders: {}, attempts: 0}
  const frontier = new Frontier([firstListing(order, manner.session)])
  let hasMembers = false
  try {
    for await (const batch of walk(frontier, {...manner, incomplete: [], throws: false})) {
      const left = batch.filter(({ok, relation}) => ok && isBelow(relation))
      hasMembers ||= left.length > 0
      const failures = left.map((result) => withRequest(standing(result, verdict), request))
      if (!(await give(failures))) break
    }
  } catch (error) {
    if (!line.isGraceful || !line.isEnd(error)) throw error
  }
  return standingVerdict(request, verdict, hasMembers)
}

function isBelow(relation: DavResult['relation']): boolean {
  return relation === 'member' || relation === 'descendant'
}

function standing({href, url, relation}: DavResult<unknown>, {status}: Success): Failure {
  return {
    ok: false,
    href,
    url,
    relation,
    status,
    reason: 'status',
    conditions: [],
    missing: [],
    description: `It is still there after a DELETE of what it is in that was answered ${status}`,
  }
}
