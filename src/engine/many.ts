/**
 * Sends one request for each of many targets. Each target has its own verdict, and no refused or broken exchange ends the others.
 * Takes targets no faster than results are read. RFC 4918, section 13.
 */

import {createCall} from '../call/call.ts'
import {runAll} from '../call/run-all.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency, resolveRetry} from '../call/session.ts'
import {isUnlisted} from '../call/target.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import {isResultStream} from '../multistatus/result-stream.ts'
import {openStream} from '../multistatus/source.ts'
import {GRACE_MILLISECONDS} from '../protocol/bounds.ts'
import {isObject} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {callback, NUMBER} from '../protocol/options.ts'
import {isStreamed} from '../transport/request-body.ts'
import {sendWithRetries} from './attempts.ts'
import {Claims} from './claims.ts'
import {Folding, Refused} from './folding.ts'
import type {VerbOptions} from './one.ts'
import {VERB_OPTIONS} from './one.ts'
import type {Progress} from './progress.ts'
import {ProgressMeter} from './progress.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from './verb.ts'
import {plan, refuse, refuseLack, succeed} from './verdict.ts'

/** Options of every call for many targets. */
export interface BulkOptions extends VerbOptions {
  /**
   * The most requests at once. A 429, a 503 and a broken connection halve the number, and good answers raise it again. A target
   * that waits for another attempt does not count.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** Called with the progress, at most ten times a second and always at the end. An error that it throws ends the call. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export const BULK_OPTIONS: Rules<BulkOptions> = {
  ...VERB_OPTIONS,
  concurrency: NUMBER,
  onProgress: callback('the progress'),
}

/** Targets from an array, any other iterable, or a stream. Not a string, which is an iterable of letters. */
export type AnyIterable<T> =
  | readonly T[]
  | (Iterable<T> & object)
  | AsyncIterable<T>
  | ReadableStream<T>

/** A call for many targets. */
export interface ManyCall<T> {
  /** The name of the method, for messages. */
  readonly name: string
  readonly targets: AnyIterable<T>
  readonly options: BulkOptions
  /**
   * Makes the request for a target, or the Failure of a target that must not be sent.
   *
   * @throws TypeError or RangeError for an invalid target.
   */
  readonly settle: (target: T) => TargetRequest | Failure
  /** Returns the resource of a target, for the Failure of an invalid one. Default: the target itself. */
  readonly hrefOf?: (target: T) => unknown
}

/** Checks the targets of an array and makes the stream. Nothing is sent yet. */
export function runMany<T>(session: Session, verb: Verb, call: ManyCall<T>): ResultStream {
  const {name, targets, options, settle} = call
  const {signal, timeout, onProgress} = options
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const policy = resolveRetry(session, options)
  assertMany(name, targets)
  const total = Array.isArray(targets) ? targets.length : undefined
  if (Array.isArray(targets)) for (const target of targets) settle(target)
  const {href} = session.base
  const settings = {href, signal, timeout, policy, concurrency, grace: GRACE_MILLISECONDS}
  return createCall(session, settings, async (context, emit) => {
    const {connection} = context
    const {pace, ending, stopping} = connection
    const meter = new ProgressMeter(connection, total, onProgress)
    const add: Sink<DavResult> = (batch) => {
      try {
        // After the reader has gone, results are not counted any more.
        if (!stopping.aborted) meter.add(batch)
      } catch (error) {
        // The listener has thrown, which ends the call.
        connection.stop(error)
        throw error
      }
      return emit(batch)
    }
    const run = runner(call, {...context, verb}, meter, add)
    const [sources, rest] = sourcesOf(targets)
    try {
      await runAll(sources, {pace, ending, signal: stopping}, run)
      // The call ended before these targets began. Each still gets a verdict.
      if (ending.aborted) await runAll(rest, {pace, signal: stopping}, run)
    } finally {
      meter.report()
    }
    ending.throwIfAborted()
    return {incomplete: isResultStream(targets) ? (await targets.summary).incomplete : []}
  })
}

/** Runs targets whose requests may be folded into one another. */
function runner<T>(
  call: ManyCall<T>,
  context: VerbContext,
  meter: ProgressMeter,
  emit: Sink<DavResult>,
): (target: T) => Promise<void> {
  const {session, connection, verb} = context
  if (verb.covered === undefined) return orderedRunner(call, context, meter, emit)
  const folding = new Folding()
  const refused = new Refused()
  return async (target) => {
    meter.start()
    const request = settleOrRefuse(session, target, call)
    if ('ok' in request) {
      // A walk reports a collection in its parent, and again as a Failure if it cannot be listed. The first one may have its
      // verdict.
      const hasVerdict = isUnlisted(target) && folding.has(request.url)
      if (hasVerdict || !refused.add(request)) meter.fold()
      else await emit([request])
      return
    }
    const taken = folding.take(request.url)
    if (taken === undefined) {
      meter.fold()
      return
    }
    let outcome: Outcome | undefined
    try {
      const covering = taken.before && (await connection.pace.idle(taken.before))
      const lack = refuseLack(session, request, call.options)
      if (covering?.status !== undefined)
        outcome = unsent(succeed(request, covering.status, verb.covered))
      else if (lack !== undefined) outcome = {verdict: lack, extent: 'none', isDone: false}
      else if (call.options.dryRun === true) outcome = unsent(plan(request))
      else {
        // A missing member of a failed collection may have been deleted with it, so a 404 is a success.
        const mayBeDone = covering !== undefined && covering.mayBeDone
        const asked: TargetRequest = mayBeDone ? {...request, ifMissing: 'success'} : request
        outcome = await sendWithRetries(asked, context, emit)
      }
    } finally {
      taken.settle(outcome)
    }
    await emit([outcome.verdict])
  }
}

/** Runs targets of which each is sent. Requests that touch the same resources go one after another, in the caller's order. */
function orderedRunner<T>(
  call: ManyCall<T>,
  context: VerbContext,
  meter: ProgressMeter,
  emit: Sink<DavResult>,
): (target: T) => Promise<void> {
  const {session, connection, verb} = context
  const claims = new Claims()
  return async (target) => {
    meter.start()
    const request = settleOrRefuse(session, target, call)
    if ('ok' in request) {
      await emit([request])
      return
    }
    if (call.options.dryRun === true) {
      await emit([refuseLack(session, request, call.options) ?? plan(request)])
      return
    }
    const {before, end} = claims.take(verb, request)
    if (before !== undefined) await connection.pace.idle(before)
    let verdict: DavResult | undefined
    try {
      verdict = refuseLack(session, request, call.options)
      verdict ??= (await sendWithRetries(request, context, emit)).verdict
    } finally {
      end()
    }
    await emit([verdict])
  }
}

/** Makes the outcome of a target that is not sent. */
function unsent(verdict: DavResult): Outcome {
  return {verdict, extent: 'all', isDone: true}
}

export function assertMany(name: string, targets: unknown): void {
  if (isStreamed(targets) || (isObject(targets) && Symbol.iterator in targets)) return
  const one = name.replace(/Many$/, '')
  const hint = one === name ? '' : `; for a single one there is ${one}`
  throw new TypeError(`${name} takes an iterable of targets${hint}`)
}

/** Returns the targets to take and, for an array, the targets that are left when the call ends. */
export function sourcesOf<T>(
  targets: AnyIterable<T>,
): readonly [Iterable<T> | AsyncIterable<T>, Iterable<T>] {
  if ('getReader' in targets) return [{[Symbol.asyncIterator]: () => openStream(targets)}, []]
  if (!Array.isArray(targets)) return [targets, []]
  // Both share one iterator, so the second begins at the target at which the first one stopped.
  const all: IterableIterator<T> = targets.values()
  return [all, all]
}

/** Makes the request for a target. An invalid target becomes a Failure; the rest go on. */
function settleOrRefuse<T>(
  session: Session,
  target: T,
  {settle, hrefOf = (one: T): unknown => one}: ManyCall<T>,
): TargetRequest | Failure {
  try {
    return settle(target)
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof RangeError)) throw error
    return refuse(hrefOf(target), session, error.message)
  }
}
