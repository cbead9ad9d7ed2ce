/**
 * Whether what a server says to have deleted is gone. SabreDAV 1.8 answers 204 while members stand, and a 202 says only that
 * it may be done. RFC 4918, sections 9.1 and 9.6.1.
 */

import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {causeOf} from '../call/answer.ts'
import type {DeleteRequest} from './delete-target.ts'
import {standingVerdict, unseenVerdict, withRequest} from '../engine/verdict.ts'
import {Frontier} from '../listing/frontier.ts'
import type {CallContext} from '../listing/listing.ts'
import type {Sink} from '../call/merge.ts'
import type {ListingQuery} from '../listing/query.ts'
import {isMissingStatus, isPresent, PRESENCE_BODY as body} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import {walk} from '../listing/walk.ts'

/** Gives out what is left of a target that was deleted, each as a Failure. Returns the verdict on it. */
export async function verify(
  request: DeleteRequest,
  verdict: Success,
  context: CallContext,
  emit: Sink<DavResult>,
): Promise<DavResult> {
  const {connection} = context
  try {
    if (isMissingStatus(verdict.status) || !(await isPresent(request.url, context))) return verdict
  } catch (error) {
    // The DELETE was answered, whatever ends the call now.
    if (connection.isGraceful && connection.isEnd(error))
      return unseenVerdict(request, verdict, 'aborted', 'the call was ended')
    if (!(error instanceof DavError)) throw error
    return unseenVerdict(request, verdict, causeOf(error), error.message)
  }
  const {url} = request
  const query: ListingQuery = {url, root: url, depth: 'infinity', body, decoders: {}, attempts: 0}
  const frontier = new Frontier([firstListing(query, context.session)])
  let hasMembers = false
  try {
    for await (const batch of walk(frontier, {...context, incomplete: [], throws: false})) {
      const left = batch.filter(({ok, relation}) => ok && isBelow(relation))
      hasMembers ||= left.length > 0
      const failures = left.map((result) => withRequest(standing(result, verdict), request))
      if (!(await emit(failures))) break
    }
  } catch (error) {
    if (!connection.isGraceful || !connection.isEnd(error)) throw error
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
