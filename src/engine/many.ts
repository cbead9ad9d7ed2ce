/**
 * DELETE of many resources, each with a verdict of its own: one that is refused, or whose exchange breaks, does not end
 * the others. RFC 4918, section 9.6.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import {isResultStream} from '../multistatus/result-stream.ts'
import {readStream} from '../multistatus/source.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, NUMBER, readOptions} from '../protocol/options.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {createCall} from '../call/call.ts'
import {deleteWithRetries} from './attempts.ts'
import type {DeleteContext, Deletion} from './exchange.ts'
import type {DeleteOptions, SettledOptions} from '../verbs/delete-options.ts'
import {DELETE_OPTIONS, settleOptions} from '../verbs/delete-options.ts'
import type {DeleteRequest, DeleteTarget} from '../verbs/delete-target.ts'
import {isUnlisted, refusal, settleDelete} from '../verbs/delete-target.ts'
import {coveredVerdict, plannedVerdict} from './verdict.ts'
import {Folding, Refused} from './folding.ts'
import type {Sink} from '../call/merge.ts'
import {merge} from '../call/merge.ts'
import type {Progress} from './progress.ts'
import {ProgressMeter} from './progress.ts'
import type {Session} from '../call/session.ts'
import {GRACE} from '../call/connection.ts'
import {resolveConcurrency} from '../call/session.ts'

/** How many resources are deleted. */
export interface DeleteManyOptions extends DeleteOptions {
  /**
   * Requests under way at once, at the most: fewer after a 429, a 503 or a broken connection, and then gradually more
   * again. A target that waits for another attempt is none of them.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** Is told how far the call is, at most ten times a second and at the end. What it throws ends the call. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** The options that `deleteMany` knows. */
const DELETE_MANY_OPTIONS: Rules<DeleteManyOptions> = {
  ...DELETE_OPTIONS,
  concurrency: NUMBER,
  onProgress: callback('a function of the progress'),
}

/**
 * Targets, one by one. What is none is a Failure in its place, and so is a result of a listing that is `outside` or could not
 * be listed, unless `unguarded` says that it is meant.
 */
export type Targets =
  | Iterable<DeleteTarget>
  | AsyncIterable<DeleteTarget>
  | ReadableStream<DeleteTarget>

/** Checks the options, and the targets where they are all there, and makes the stream. Nothing is sent yet. */
export function deleteMany(
  session: Session,
  targets: Targets,
  given: DeleteManyOptions = {},
): ResultStream {
  const options = readOptions('deleteMany', given, DELETE_MANY_OPTIONS)
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const settled = settleOptions(options)
  checkTargets(session, targets, settled)
  const {signal, onProgress} = options
  const known = Array.isArray(targets) ? targets.length : undefined
  const call = {href: session.base.href, signal, policy, concurrency, grace: GRACE}
  return createCall(session, call, async function* (connection, stop) {
    const {pace, ending} = connection
    const meter = new ProgressMeter(connection, known, onProgress)
    const run = runner({session, connection, stop}, settled, meter)
    const [sources, rest] = sourcesOf(targets, ending)
    try {
      const context = {pace, ending, signal: stop.signal, stop}
      for await (const batch of merge(sources, context, run)) {
        meter.see(batch)
        yield batch
      }
      if (ending.aborted) {
        // The call was ended before their turn. Each has its verdict all the same.
        for await (const batch of merge(rest, {pace, signal: stop.signal, stop}, run)) {
          meter.see(batch)
          yield batch
        }
      }
    } finally {
      meter.tell()
    }
    ending.throwIfAborted()
    return {incomplete: isResultStream(targets) ? (await targets.summary).incomplete : []}
  })
}

/** The verdict on a target for which nothing is sent. */
function unsent(verdict: DavResult): Deletion {
  return {verdict, extent: 'all', isDone: true}
}

/** What is done for each target. */
function runner(
  context: DeleteContext,
  options: SettledOptions,
  meter: ProgressMeter,
): (target: DeleteTarget, emit: Sink<DavResult>) => Promise<void> {
  const {session, connection} = context
  const folding = new Folding()
  const refused = new Refused()
  return async (target, emit) => {
    meter.started()
    const request = settleOrRefuse(session, target, options)
    if ('ok' in request) {
      // A walk names a collection in its parent, and again where it could not be listed: it may have its verdict.
      const hasVerdict = isUnlisted(target) && folding.has(request.url)
      if (hasVerdict || !refused.add(request)) meter.folded()
      else await emit([request])
      return
    }
    const taken = folding.take(request.url)
    if (taken === undefined) {
      meter.folded()
      return
    }
    let deletion: Deletion | undefined
    try {
      const covering = taken.before && (await connection.pace.idle(taken.before))
      if (covering?.status !== undefined)
        deletion = unsent(coveredVerdict(request, covering.status))
      else if (options.dryRun) deletion = unsent(plannedVerdict(request))
      else {
        // What went with a collection that stands because of others is deleted.
        const ifMissing = covering?.mayBeGone === true ? 'success' : request.ifMissing
        deletion = await deleteWithRetries({...request, ifMissing}, context, emit)
      }
    } finally {
      taken.settle(deletion)
    }
    await emit([deletion.verdict])
  }
}

/** Refuses what is no iterable and, where all targets are there, each that is none. */
function checkTargets(session: Session, targets: Targets, options: SettledOptions): void {
  const isIterable =
    typeof targets === 'object' &&
    targets !== null &&
    (Symbol.iterator in targets || Symbol.asyncIterator in targets || 'getReader' in targets)
  if (!isIterable) {
    throw new TypeError('deleteMany takes an iterable of targets; for a single one there is delete')
  }
  if (Array.isArray(targets)) for (const target of targets) settleDelete(session, target, options)
}

/** The targets to take; and, where all are there, those that were not taken when the call ends. */
function sourcesOf(
  targets: Targets,
  ending: AbortSignal,
): readonly [Iterable<DeleteTarget> | AsyncIterable<DeleteTarget>, Iterable<DeleteTarget>] {
  if ('getReader' in targets) return [readStream(targets, ending), []]
  if (!Array.isArray(targets)) return [targets, []]
  // Both go on from where the other one has stopped.
  const all: IterableIterator<DeleteTarget> = targets.values()
  return [all, all]
}

/** The DELETE of a target, or the verdict on one that is none: in its place, and the others are deleted all the same. */
function settleOrRefuse(
  session: Session,
  target: DeleteTarget,
  options: SettledOptions,
): DeleteRequest | Failure {
  try {
    return settleDelete(session, target, options)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refusal(target, session, error.message)
  }
}
