/**
 * Checks the stored length of an upload. SabreDAV 1.8 and yaws 2.1 answer 201 on a full disk, with a cut file. SabreDAV stores
 * nothing under a name of 256 bytes, and answers 201 too. RFC 4918, section 15.4.
 */

import type {CallContext} from '../call/call.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {fail, uncheckedVerdict, unclear} from '../engine/verdict.ts'
import {readSelf} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import {propfindQuery} from '../listing/query.ts'
import type {DavResult, Success} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {kindOf} from '../multistatus/selection.ts'
import {formatPropfind} from '../properties/propfind-body.ts'

/**
 * Reads the kind, the length and the ETag of a resource.
 *
 * @throws The errors of `readSelf`.
 */
export function look(url: string, context: CallContext): Promise<DavResult> {
  const body = formatPropfind({properties: ['resourcetype', 'getcontentlength', 'getetag']})
  return readSelf(firstListing(propfindQuery(url, body), context.session), context)
}

/** Compares the length of a stored resource with the number of bytes that were sent. */
export async function checkLength(
  request: TargetRequest,
  verdict: Success,
  bytes: number,
  context: CallContext,
): Promise<DavResult> {
  const {method, url} = request
  const {status} = verdict
  const answer = `The ${method} of ${bytes} bytes was answered ${status}`
  const unseen = `${answer}, but its length could not be seen`
  const wrong = (found: string): DavResult =>
    fail(request, {status, reason: 'status', description: `${answer}, but ${found}`})
  try {
    const seen = await look(url, context)
    if (isMissing(seen)) return wrong('nothing is there')
    if (!seen.ok) return unclear(request, 'unreadable', `${unseen}: PROPFIND ${seen.status}`)
    const {getcontentlength: length} = seen.properties
    if (kindOf(seen.properties) === 'collection') return wrong('a collection is there')
    if (length === undefined) return unclear(request, 'unreadable', unseen)
    return length === bytes ? verdict : wrong(`${length} bytes are there`)
  } catch (error) {
    return uncheckedVerdict(request, error, unseen, context.connection)
  }
}
