/**
 * Uploads beside a resource, and moves the whole upload over it. A failed PUT destroys the old content on rclone, x/net, Tomcat,
 * nephele, chezdav and webdav-server. RFC 4918, sections 9.9 and 10.4.
 */

import {submit} from '../call/submission.ts'
import {attempt} from '../engine/attempts.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, failLike, failUnsent, succeed, uncheckedVerdict} from '../engine/verdict.ts'
import {isPresent} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {kindOf} from '../multistatus/selection.ts'
import {DavError} from '../protocol/errors.ts'
import {formatIf} from '../protocol/if-header.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {besideOf, removeOwn, tokensOf} from './beside.ts'
import {doubtOwnWrite} from './conflict.ts'
import {MOVE} from './move.ts'
import {checkLength, look} from './stored-length.ts'
import type {Sending} from './upload.ts'
import {sendUpload} from './upload.ts'

export const UNTOUCHED = 'The upload went beside it and failed, so it is unchanged'

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
  const part: TargetRequest = {
    method: 'PUT',
    url: besideOf(url),
    ...(type !== undefined && {type}),
    ...(parents !== undefined && {parents}),
    verify: true,
    conditions: {'if-none-match': '*', ...tokensOf(request).conditions},
    attempts: 0,
  }
  const {verb} = context
  const run: typeof verb.run = (one, means, sink) => sendUpload(one, means, sink, sending)
  const uploaded = await attempt(part, {...context, verb: {...verb, run}}, emit)
  // Another one than asked for after a redirect.
  const {url: temporary} = uploaded.verdict
  const {left} = sending
  if (!uploaded.verdict.ok) {
    if (uploaded.extent !== 'none') await removeOwn(temporary, request, context, left)
    return endIn(uploaded, unchanged(retell(request, uploaded.verdict, UNTOUCHED)), context)
  }
  const moved = await moveOver(request, temporary, before.ok, context, emit)
  const {verdict, extent} = moved
  if (!verdict.ok) {
    const note =
      extent === 'none' ? undefined : await whyKept(request, verdict, before.ok, temporary, context)
    if (note === undefined) await removeOwn(temporary, request, context, left)
    // Nothing is sent again while the upload must stay: the next verdict would not tell of it.
    const isDone = note !== undefined
    return endIn(moved, {verdict: retell(request, verdict, note), extent, isDone}, context)
  }
  const {status, description} = verdict
  // After a lost answer, the MOVE has the status of its missing source.
  const told = succeed(request, isSuccessStatus(status) ? status : 0)
  const done = {...told, ...(description !== undefined && {description})}
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
export function retell(
  request: TargetRequest,
  failure: Failure,
  ...sentences: readonly (string | undefined)[]
): Failure {
  return failLike(request, failure, [failure.description, ...sentences].filter(Boolean).join('. '))
}

/** Finds the reason why nothing may be moved over a resource. A MOVE would remove a whole collection. */
export function findObstacle(request: TargetRequest, before: DavResult): Failure | undefined {
  const {url, conditions} = request
  const refusal = (why: string): Failure => failUnsent(request, `PUT ${url} is not sent: ${why}`)
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
  const conflict = fail(request, {
    status: 412,
    reason: 'status',
    description: `${state}, says PROPFIND`,
  })
  return doubtOwnWrite(request, conflict) ?? conflict
}

/** Compares ETags. Some servers leave out the quotes in the property. */
function isEqual(etag: string | undefined, ifMatch: string): boolean {
  return etag === ifMatch || `"${etag}"` === ifMatch
}

/**
 * Moves the upload over the target. An ETag is compared just before, and guards the MOVE in an If header, because If-Match would be
 * about the upload.
 */
export async function moveOver(
  request: TargetRequest,
  temporary: string,
  isThere: boolean,
  context: VerbContext,
  emit: Sink<DavResult>,
  verb: Verb = MOVE,
): Promise<Outcome> {
  const {url} = request
  const move = {method: 'MOVE', url: temporary, destination: url, attempts: 0}
  // Without a resource there, the MOVE must not meet a collection that somebody made since.
  const send = (conditional: Pick<TargetRequest, 'conditions'>): Promise<Outcome> =>
    attempt({...move, overwrite: isThere, ...conditional}, {...context, verb}, emit)
  const tokens = tokensOf(request)
  const etag = request.conditions?.['if-match']
  if (etag === undefined || etag === '*') return send(tokens)
  const found = await lookAgain(request, context)
  if ('ok' in found) return unchanged(found)
  const lock = submit(request, context.connection.locks).locks.find(({isOfEnd}) => isOfEnd)
  const token = lock === undefined ? [] : [{token: lock.token}]
  const guard = formatIf([{resource: url, conditions: [...token, {etag}]}])
  const guarded = await send({conditions: {if: guard}})
  if (guarded.verdict.ok || guarded.verdict.status !== 412 || guarded.verdict.lostLocks)
    return guarded
  // lighttpd 1.4, Tomcat 10.1, rclone 1.60 and x/net answer 412 to any condition about the destination, also to a true one.
  const since = await lookAgain(request, context)
  return 'ok' in since ? unchanged(since) : send(tokens)
}

/**
 * Looks at the target once more before it is written. A look that breaks is an obstacle too.
 *
 * @returns The obstacle, or the ETag of the target: `undefined` if it is not told, empty for a missing target.
 */
export async function lookAgain(
  request: TargetRequest,
  context: VerbContext,
): Promise<Failure | {readonly former: string | undefined}> {
  try {
    const found = await look(request.url, context)
    return findObstacle(request, found) ?? {former: found.ok ? found.properties.getetag : ''}
  } catch (error) {
    const unseen = 'It could not be seen just before it was to be written'
    return uncheckedVerdict(request, error, unseen, context.connection)
  }
}

/** Finds the reason why the upload must stay after a failed MOVE: it may be the only copy. */
async function whyKept(
  request: TargetRequest,
  verdict: Failure,
  wasThere: boolean,
  temporary: string,
  context: VerbContext,
): Promise<string | undefined> {
  if (verdict.reason === 'no-answer') return `The upload may still be at ${temporary}`
  if (wasThere) {
    const isThere = await isPresent(request.url, context).catch((error: unknown) => {
      if (error instanceof DavError || context.connection.isEnd(error)) return false
      throw error
    })
    if (!isThere) return `The old resource may be gone; the upload is at ${temporary}`
  }
  return undefined
}
