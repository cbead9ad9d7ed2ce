/**
 * Sends an opened body to one URL: reports the progress, makes missing parents, and checks the stored length. RFC 4918, section
 * 9.7.1.
 */

import {exchange} from '../engine/exchange.ts'
import {changed} from '../engine/payload.ts'
import type {Outcome, TargetRequest, VerbContext} from '../engine/verb.ts'
import {unclear, withRefusedAttempt} from '../engine/verdict.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import type {TransferProgress} from '../transfer/progress.ts'
import {ByteMeter} from '../transfer/progress.ts'
import type {Content} from '../transfer/upload.ts'
import {isStreamed} from '../transport/request-body.ts'
import {failForParent, makeParents, settleParents} from './mkcol.ts'
import {checkLength} from './stored-length.ts'

/** An opened body, and the means beside it. */
export interface Sending {
  readonly content: Content
  /** URLs of resources of the client's own that may be left at the server. */
  readonly left: Set<string>
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined
}

// Other statuses for a missing parent: calendars of Cyrus 3.6 403, DAViCal 1.1 405, chezdav 3.0 500. All of them mean something else
// too.
const MAY_LACK_PARENT: ReadonlySet<number> = new Set([403, 405, 500])

/**
 * Sends a body.
 *
 * @throws The errors of `exchange`.
 */
export async function sendUpload(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  {content, onProgress}: Sending,
): Promise<Outcome> {
  const {body, length} = content
  const meter = new ByteMeter(onProgress, length)
  let bytes = 0
  const onSent = (sent: number): void => {
    try {
      // A body that is sent again begins at zero.
      meter.add(sent - bytes)
      bytes = sent
    } catch (error) {
      // The listener has thrown, which ends the call.
      context.connection.stop(error)
      throw error
    }
  }
  const isOnce = isStreamed(body)
  let isWhole = false
  const onWhole = (): void => {
    isWhole = true
  }
  const whole = {
    body,
    onSent,
    ...(isOnce && {onWhole}),
    ...(length !== undefined && isOnce && {length}),
  }
  const send = (): Promise<Outcome> => exchange(request, context, emit, whole)
  let outcome: Outcome
  try {
    outcome =
      request.parents === true ? await sendBelow(request, context, isOnce, send) : await send()
    // Each piece of a stream is seen. Of other bodies, some transports tell nothing.
    const isSeen = isOnce || bytes > 0
    const isCut = length === undefined ? isOnce && !isWhole : isSeen && bytes < length
    if (outcome.verdict.ok && isCut)
      outcome = {...outcome, verdict: tooEarly(request, outcome.verdict), extent: 'part'}
    if (outcome.verdict.ok) onSent(length ?? bytes)
  } finally {
    meter.report()
  }
  const {verdict} = outcome
  if (!verdict.ok || request.verify !== true) return outcome
  const written = changed(request, {url: verdict.url})
  const checked = await checkLength(written, verdict, bytes, context)
  const isDone = checked.ok || checked.reason === 'no-answer'
  return {verdict: checked, extent: checked.ok ? 'all' : 'part', isDone}
}

/** Doubts a success that was answered before the whole body was on its way: the server cannot have it. */
function tooEarly(request: TargetRequest, {status}: Success): Failure {
  return unclear(request, 'unreadable', `It was answered ${status} before its body was sent`)
}

/** Sends a request, and makes missing parents. A body that can be read once only needs them before. */
async function sendBelow(
  request: TargetRequest,
  context: VerbContext,
  isOnce: boolean,
  send: () => Promise<Outcome>,
): Promise<Outcome> {
  let settled: Outcome | undefined
  if (isOnce) {
    const failure = await makeParents(request.url, context, request.conditions)
    if (failure !== undefined)
      settled = {verdict: failForParent(request, failure), extent: 'none', isDone: false}
  } else settled = await settleParents(request, await send(), context, MAY_LACK_PARENT)
  if (settled !== undefined) return settled
  const outcome = await send()
  return isOnce ? outcome : {...outcome, verdict: withRefusedAttempt(outcome.verdict)}
}
