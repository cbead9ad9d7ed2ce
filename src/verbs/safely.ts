/**
 * Uploads beside a resource, and moves the whole upload over it. A failed PUT destroys the old content on rclone, x/net, Tomcat,
 * nephele, chezdav and webdav-server. RFC 4918, sections 9.9 and 10.4.
 */

import {attempt} from '../engine/attempts.ts'
import type {Outcome, TargetRequest, VerbContext} from '../engine/verb.ts'
import {fail, succeed} from '../engine/verdict.ts'
import {isPresent} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {kindOf} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {besideOf, removeOwn, tokensOf} from './beside.ts'
import {MOVE} from './move.ts'
import {checkLength, look} from './stored.ts'
import type {Sending} from './upload.ts'
import {sendUpload} from './upload.ts'

const UNTOUCHED = 'The upload went beside it and failed, so it is unchanged'

/**
 * Uploads beside the target of a request, and moves the upload over it.
 *
 * @throws The errors of a look at the target.
 */
export async function sendSafely(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  sending: Sending,
): Promise<Outcome> {
  const {url, type, parents} = request
  const before = await look(url, context)
  const obstacle = findObstacle(request, before)
  if (obstacle !== undefined) return unchanged(obstacle)
  const temporary = besideOf(url)
  const part: TargetRequest = {
    method: 'PUT',
    url: temporary,
    ...(type !== undefined && {type}),
    ...(parents !== undefined && {parents}),
    verify: true,
    conditions: {'if-none-match': '*', ...tokensOf(request).conditions},
    attempts: 0,
  }
  const {verb} = context
  const run: typeof verb.run = (one, means, sink) => sendUpload(one, means, sink, sending)
  const uploaded = await attempt(part, {...context, verb: {...verb, run}}, emit)
  const remove = (): Promise<string | undefined> => removeOwn(temporary, request, context)
  if (!uploaded.verdict.ok) {
    const left = uploaded.extent === 'none' ? undefined : await remove()
    return endIn(uploaded, unchanged(retell(request, uploaded.verdict, UNTOUCHED, left)), context)
  }
  if (request.conditions?.['if-match'] !== undefined) {
    const since = findObstacle(request, await look(url, context))
    if (since !== undefined) return unchanged(retell(request, since, await remove()))
  }
  const move = moveOver(request, temporary, before.ok)
  const moved = await attempt(move, {...context, verb: MOVE}, emit)
  const {verdict} = moved
  if (!verdict.ok) {
    const note = await afterFailure(request, verdict, before.ok, temporary, context)
    // A lost MOVE is not sent again, because the upload may be left.
    const isDone = verdict.reason === 'no-answer'
    return endIn(moved, {verdict: retell(request, verdict, note), extent: 'part', isDone}, context)
  }
  const done = succeed(request, verdict.status, verdict.description)
  const {length} = sending.content
  if (request.verify !== true || length === undefined)
    return {verdict: done, extent: 'all', isDone: true}
  return {verdict: await checkLength(request, done, length, context), extent: 'part', isDone: true}
}

/** Makes the outcome of a target that is as it was. */
function unchanged(verdict: DavResult): Outcome {
  return {verdict, extent: 'none', isDone: false}
}

/** Adds the error of a broken exchange if the call has ended. Else the verdict tells more: the state of the target is known. */
function endIn({problem}: Outcome, outcome: Outcome, {connection}: VerbContext): Outcome {
  return connection.ending.aborted && problem !== undefined ? {...outcome, problem} : outcome
}

/** Makes the Failure of the target from that of a request for the upload, with further sentences. */
function retell(
  request: TargetRequest,
  failure: Failure,
  ...sentences: readonly (string | undefined)[]
): Failure {
  const {status, reason, cause, conditions, retryAfter} = failure
  const description = [failure.description, ...sentences].filter(Boolean).join('. ')
  return fail(request, {status, reason, cause, conditions, retryAfter, description})
}

/** Finds the reason why nothing may be moved over a resource. A MOVE would remove a whole collection. */
function findObstacle(request: TargetRequest, before: DavResult): Failure | undefined {
  const {url, conditions} = request
  const refusal = (why: string): Failure =>
    fail(request, {status: 0, reason: 'refused', description: `PUT ${url} is not sent: ${why}`})
  const isThere = before.ok
  if (!isThere && !isMissing(before))
    return refusal(`PROPFIND was answered ${before.status} for it, and it may be a collection`)
  if (isThere && kindOf(before.properties) !== 'plain')
    return refusal('it is a collection, or of a kind that the server does not tell')
  const isNew = conditions?.['if-none-match'] !== undefined
  const ifMatch = conditions?.['if-match']
  const etag = isThere ? before.properties.getetag : undefined
  const isSame = ifMatch === undefined || (isThere && (ifMatch === '*' || isEqual(etag, ifMatch)))
  if (isSame && !(isNew && isThere)) return undefined
  if (isThere && !isNew && etag === undefined) return refusal('the server does not tell its ETag')
  const state = !isThere ? 'Nothing is there' : isNew ? 'It is there' : `Its ETag is ${etag}`
  return fail(request, {status: 412, reason: 'status', description: `${state}, says PROPFIND`})
}

/** Compares ETags. Some servers leave out the quotes in the property. */
function isEqual(etag: string | undefined, ifMatch: string): boolean {
  return etag === ifMatch || `"${etag}"` === ifMatch
}

/**
 * Makes the request that moves the upload over the target. The condition is in an If header, which can be about another resource
 * than that of the request.
 */
function moveOver(request: TargetRequest, temporary: string, isThere: boolean): TargetRequest {
  const {url, conditions} = request
  const etag = conditions?.['if-match']
  const own = tokensOf(request)
  const token = /<[^>]*>/.exec(own.conditions?.['if'] ?? '')?.[0]
  const list = [token, `[${etag}]`].filter(Boolean).join(' ')
  return {
    method: 'MOVE',
    url: temporary,
    destination: url,
    // Without a resource there, it must not meet a collection that somebody made since.
    overwrite: isThere,
    ...(etag === undefined || etag === '*' ? own : {conditions: {if: `<${url}> (${list})`}}),
    attempts: 0,
  }
}

/** Removes the upload after a failed MOVE, unless it may be the only copy. Returns a sentence on an upload that is left. */
async function afterFailure(
  request: TargetRequest,
  verdict: Failure,
  wasThere: boolean,
  temporary: string,
  context: VerbContext,
): Promise<string | undefined> {
  if (verdict.reason === 'no-answer') return `The upload may still be at ${temporary}`
  if (wasThere) {
    const isThere = await isPresent(request.url, context).catch((error: unknown) => {
      if (error instanceof DavError) return false
      throw error
    })
    if (!isThere) return `The old resource may be gone; the upload is at ${temporary}`
  }
  return removeOwn(temporary, request, context)
}
