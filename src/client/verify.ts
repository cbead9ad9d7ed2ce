/**
 * Whether what a server says to have deleted is gone. SabreDAV 1.8 answers 204 while members stand, and a 202 says only that
 * it may be done. RFC 4918, sections 9.1 and 9.6.1.
 */

import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import type {DeleteRequest} from './delete-target.ts'
import {standingVerdict, unseenVerdict, withRequest} from './delete-verdict.ts'
import {Frontier} from './frontier.ts'
import type {Manner} from './listing.ts'
import {list} from './listing.ts'
import type {Order} from './order.ts'
import {firstListing} from './propfind.ts'
import {walk} from './walk.ts'

const body = formatPropfind({properties: ['resourcetype']})

/** Gives what is left of a target that was deleted, each as a Failure, and the verdict on it last. */
export async function* verify(
  request: DeleteRequest,
  verdict: Success,
  manner: Manner,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  let isGone: boolean
  try {
    isGone = isMissing(verdict.status) || (await isNotThere(request, manner))
  } catch (error) {
    if (!(error instanceof DavError)) throw error
    yield [unseenVerdict(request, verdict, error)]
    return undefined
  }
  if (isGone) {
    yield [verdict]
    return undefined
  }
  const {url} = request
  const order: Order = {url, root: url, depth: 'infinity', body, decoders: {}, attempts: 0}
  const frontier = new Frontier([firstListing(order, manner.session)])
  let hasMembers = false
  for await (const batch of walk(frontier, {...manner, incomplete: [], throws: false})) {
    const left = batch.filter(({ok, relation}) => ok && isBelow(relation))
    hasMembers ||= left.length > 0
    yield left.map((result) => withRequest(remains(result, verdict), request))
  }
  yield [standingVerdict(request, verdict, hasMembers)]
  return undefined
}

/** Whether a resource is not there any more. */
async function isNotThere({url}: DeleteRequest, manner: Manner): Promise<boolean> {
  try {
    const {batches} = await list({url, depth: 0, body, decoders: {}}, manner)
    let isNamedMissing = false
    for await (const batch of batches) {
      isNamedMissing ||= batch.some(
        ({ok, relation, status}) => !ok && relation === 'self' && isMissing(status),
      )
    }
    return isNamedMissing
  } catch (error) {
    if (error instanceof DavHttpError && isMissing(error.status)) return true
    throw error
  }
}

function isMissing(status: number): boolean {
  return status === 404 || status === 410
}

function isBelow(relation: DavResult['relation']): boolean {
  return relation === 'member' || relation === 'descendant'
}

function remains({href, url, relation}: DavResult<unknown>, {status}: Success): Failure {
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
