/**
 * DELETE of many resources, each with a verdict of its own: one that is refused, or whose exchange breaks, does not end
 * the others. RFC 4918, section 9.6.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {createCall} from './call.ts'
import type {DeleteOptions} from './delete.ts'
import {deleteAmongMany, settleDelete, settleOptions} from './delete.ts'
import type {DeleteRequest} from './delete-verdict.ts'
import {merge} from './merge.ts'
import type {Progress} from './progress.ts'
import {ProgressMeter} from './progress.ts'
import type {Session} from './session.ts'
import {resolveConcurrency} from './session.ts'
import type {Target} from './target.ts'

/** How many resources are deleted. */
export interface DeleteManyOptions extends DeleteOptions {
  /**
   * Requests under way at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** Is told how far the call is, at most ten times a second and at the end. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** Targets, one by one: results of a listing may be failures, and failures are no targets. */
export type Targets = Iterable<Target> | AsyncIterable<Target>

/** Checks the options, and the targets where they are all there, and makes the stream. Nothing is sent yet. */
export function deleteMany(
  session: Session,
  targets: Targets,
  options: DeleteManyOptions = {},
): ResultStream {
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  checkTargets(session, targets, options)
  const known = Array.isArray(targets) ? targets.length : undefined
  const {signal} = options
  return createCall(session, {href: session.base.href, signal}, async function* (line, stop) {
    const meter = new ProgressMeter(known, options.onProgress)
    const run = async function* (target: Target): AsyncGenerator<readonly DavResult[]> {
      meter.started()
      const request = settleOrRefuse(session, target, options)
      if ('ok' in request) yield [request]
      else yield* deleteAmongMany(session, line, request, policy)
    }
    try {
      for await (const batch of merge(targets, {concurrency, signal: line.signal, stop}, run)) {
        meter.see(batch)
        yield batch
      }
    } finally {
      meter.tell()
    }
    return {incomplete: []}
  })
}

/** Refuses what is no iterable and, where all targets are there, each that is none. */
function checkTargets(session: Session, targets: Targets, options: DeleteManyOptions): void {
  const isIterable =
    typeof targets === 'object' &&
    targets !== null &&
    (Symbol.iterator in targets || Symbol.asyncIterator in targets)
  if (!isIterable) {
    throw new TypeError('deleteMany takes an iterable of targets; for a single one there is delete')
  }
  if (Array.isArray(targets)) for (const target of targets) settleDelete(session, target, options)
  else settleOptions(options)
}

/** The DELETE of a target, or the verdict on one that is none: in its place, and the others are deleted all the same. */
function settleOrRefuse(
  session: Session,
  target: Target,
  options: DeleteManyOptions,
): DeleteRequest | Failure {
  try {
    return settleDelete(session, target, options)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return {
      ok: false,
      href: typeof target === 'string' ? target : '',
      url: session.base.href,
      relation: 'self',
      status: 0,
      reason: 'malformed',
      conditions: [],
      missing: [],
      description: error.message,
    }
  }
}
