/**
 * Uploads beside a resource, and moves the whole upload over it. A failed PUT destroys the old content on rclone, x/net, Tomcat,
 * nephele, chezdav and webdav-server. RFC 4918, sections 9.9 and 10.4.
 */

import {attempt} from '../engine/attempts.ts'
import type {Outcome, TargetRequest, VerbContext} from '../engine/verb.ts'
import {fail, refuse, succeed} from '../engine/verdict.ts'
import {isPresent} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {kindOf} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {besideOf, removeOwn, tokensOf} from './beside.ts'
import {changedBefore} from './conflict.ts'
import {MOVE} from './move.ts'
import {checkLength, look} from './stored.ts'
import type {Sending} from './upload.ts'
import {sendUpload} from './upload.ts'

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
  const obstacle = findObstacle(request, before, context)
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
  const run: VerbContext['verb']['run'] = (one, means, sink) =>
    sendUpload(one, means, sink, sending)
  const uploaded = await attempt(part, {...context, verb: {...context.verb, run}}, emit)
  const remove = (): Promise<string | undefined> => removeOwn(temporary, request, context)
  if (!uploaded.verdict.ok) {
    const left = uploaded.extent === 'none' ? undefined : await remove()
    return {
      ...unchanged(withNote(request, uploaded.verdict, UNTOUCHED, left)),
      // The end of the call rejects it. Any other broken exchange is a verdict, because the target is known to be unchanged.
      ...(context.connection.ending.aborted && {problem: uploaded.problem}),
    }
  }
  if (request.conditions?.['if-match'] !== undefined) {
    const since = findObstacle(request, await look(url, context), context)
    if (since !== undefined) return unchanged(withNote(request, since, await remove()))
  }
  const moved = await attempt(moveOver(request, temporary, before.ok), {...context, verb: MOVE}, emit)
  const {verdict} = moved
  if (verdict.ok) {
    const {status, description} = verdict
    const done = succeed(request, status, description)
    const {length} = sending.content
    const isChecked = request.verify === true && length !== undefined
    const seen = isChecked ? await checkLength(request, done, length, context) : done
    return {verdict: seen, extent: seen.ok ? 'all' : 'part', isDone: true}
  }
  const note = await settleFailure(request, verdict, before.ok, temporary, context)
  return {
    verdict: withNote(request, verdict, note),
    extent: 'part',
    // Sent again, it would hide the upload that may be left.
    isDone: verdict.reason === 'no-answer',
    ...(context.connection.ending.aborted && {problem: moved.problem}),
  }
}
