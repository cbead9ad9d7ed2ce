/**
 * Sends again what failed and nothing else: leaves before their collections, so that a collection that stands because of
 * its members is tried when they are gone. RFC 4918, sections 9.6.1 and 13.
 */

import {assertDepthOrWalk} from '../protocol/depth.ts'
import {quoted} from '../protocol/errors.ts'
import {ancestorsOf, canonicalPathOf, relate, resourceKey} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  BOOLEAN,
  NUMBER,
  oneOf,
  readOptions,
  RECORD,
  SIGNAL,
  TEXT,
} from '../protocol/options.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import {UNDECODED} from '../properties/decode.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import type {ResolvedPolicy, RetrySettings} from '../retry/policy.ts'
import {resolvePolicy, RETRY_SETTINGS} from '../retry/policy.ts'
import {inPhases} from '../retry/phases.ts'
import {NotSentError} from '../retry/not-sent.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {createCall} from '../call/call.ts'
import {deleteWithRetries} from './attempts.ts'
import type {DeleteContext} from './exchange.ts'
import type {SettledOptions} from '../verbs/delete-options.ts'
import {settleOptions} from '../verbs/delete-options.ts'
import type {DeleteRequest} from '../verbs/delete-target.ts'
import {Folding} from './folding.ts'
import type {Listing} from '../listing/frontier.ts'
import {Frontier} from '../listing/frontier.ts'
import type {Sink} from '../call/merge.ts'
import {merge, open, Turns} from '../call/merge.ts'
import type {ListingQuery} from '../listing/query.ts'
import {incompleteListing, isDeep} from '../listing/query.ts'
import {firstListing} from '../listing/propfind.ts'
import type {Session} from '../call/session.ts'
import {GRACE} from '../call/connection.ts'
import {resolveConcurrency} from '../call/session.ts'
import {findControlProblem, findParentProblem, guardTarget, resolveTarget} from '../call/target.ts'
import {walk} from '../listing/walk.ts'

/** How failures are retried. */
export interface RetryOptions extends RetrySettings {
  /**
   * Requests under way at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * Allows as the target of a DELETE: the client's own base, what is outside it, names with a control character, and names
   * that some servers read as the collection that they are in.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /** Ends the call; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The options that `retry` knows. */
const RETRY_OPTIONS: Rules<RetryOptions> = {
  ...RETRY_SETTINGS,
  concurrency: NUMBER,
  unguarded: BOOLEAN,
  signal: SIGNAL,
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function retry(
  session: Session,
  failures: Iterable<Failure> | AsyncIterable<Failure>,
  given: RetryOptions | number = {},
): ResultStream {
  const options = typeof given === 'number' ? {attempts: given} : given
  const {unguarded, signal, ...others} = readOptions('retry', options, RETRY_OPTIONS)
  const {concurrency: asked = session.concurrency, ...settings} = others
  const concurrency = resolveConcurrency(asked)
  const policy = resolvePolicy({...session.retry, ...settings})
  const settled = settleOptions({unguarded})
  checkFailures(failures)
  const call = {href: session.base.href, signal, policy, concurrency, grace: GRACE}
  return createCall(session, call, async function* (connection, stop) {
    const incomplete: Incomplete[] = []
    const {pace, ending} = connection
    const all: Failure[] = []
    const turns = new Turns()
    const sources = open(failures, ending)
    try {
      for (let next = await sources.next(); next.done !== true; next = await sources.next()) {
        all.push(next.value)
        if (turns.isLong) await turns.end()
      }
    } catch (error) {
      void sources.return().catch(() => {})
      if (connection.isEnd(error)) yield all
      throw error
    }
    const {listings, deletes, kept} = plan(all, {session, policy, settled})
    // What is not to be sent again stays as it is, and a listing that failed is no whole one.
    for (const failure of kept)
      if (isOfListing(failure)) noteIncomplete(incomplete, incompleteListing(failure))
    yield kept
    const frontier = new Frontier([...listings.keys()])
    try {
      if (listings.size > 0)
        yield* walk(frontier, {session, connection, stop, incomplete, throws: false})
    } catch (error) {
      // What was not sent again, or not to its end, is as it was.
      const left = new Set(frontier.left.map(({query}) => query))
      const unlisted = [...listings].filter(([{query}]) => left.has(query))
      if (connection.isEnd(error))
        yield [...unlisted.map(([, failure]) => failure), ...deletes.values()]
      throw error
    }
    const isRetriedElsewhere = ({url}: DavResult): boolean => deletes.has(resourceKey(url))
    const context = {session, connection, stop, isRetriedElsewhere}
    for (const phase of inPhases([...deletes.values()])) {
      const folding = new Folding()
      const pacing = {pace, signal: stop.signal, stop}
      yield* merge(phase, pacing, async (failure, emit: Sink<DavResult>) => {
        // Those that are in it were taken before it, and are waited for.
        const taken = folding.take(failure.request?.url ?? failure.url)
        if (taken?.before !== undefined) await pace.idle(taken.before)
        try {
          await repeat(failure, emit, context, settled)
        } finally {
          taken?.settle(undefined)
        }
      })
    }
    ending.throwIfAborted()
    return {incomplete}
  })
}

/** Refuses what gives no failures, one failure by itself among it. */
function checkFailures(failures: unknown): void {
  const isIterable =
    typeof failures === 'object' &&
    failures !== null &&
    (Symbol.iterator in failures || Symbol.asyncIterator in failures)
  if (!isIterable) throw new TypeError('retry: give an iterable of failures, such as [failure]')
}

/** The requests to send, each once; and the failures that are not to be retried. */
function plan(
  failures: readonly Failure[],
  {session, policy, settled}: {session: Session; policy: ResolvedPolicy; settled: SettledOptions},
): {
  /** What is listed again, with the failure that asks for it. */
  readonly listings: ReadonlyMap<Listing, Failure>
  /** The failures of DELETE requests by what they are about. */
  readonly deletes: ReadonlyMap<string, Failure>
  readonly kept: readonly Failure[]
} {
  const queries = new Map<ListingQuery, Failure>()
  const deletes = new Map<string, Failure>()
  const kept: Failure[] = []
  // What failed twice, as in the journal of two runs, is what it was the last time. What was a target is no member of another
  // one: its verdict says with which conditions it is sent.
  const latest = new Map<unknown, Failure>()
  for (const failure of failures) {
    const key = keyOf(failure)
    if (failure.relation !== 'self' && latest.get(key)?.relation === 'self') continue
    latest.delete(key)
    latest.set(key, failure)
  }
  for (const failure of latest.values()) {
    const {request} = failure
    if (request === undefined || !policy.retryable(failure)) {
      kept.push(failure)
      continue
    }
    checkRequest(request)
    if (request.method === 'PROPFIND') {
      resolveTarget({url: request.url}, session.base)
      queries.set(queryOf(request, session), failure)
    } else if (request.method === 'DELETE') {
      const {url} = settleAgain(session, request, settled)
      const parsed = new URL(url)
      const problem = settled.unguarded
        ? undefined
        : (findControlProblem(parsed, session.base) ?? findParentProblem(parsed))
      if (problem === undefined) deletes.set(resourceKey(url), failure)
      else kept.push({...failure, description: `Not sent again: ${problem}`})
    } else throw new TypeError(`retry: ${quoted(request.method)} cannot be sent again`)
  }
  const listings = new Map<Listing, Failure>()
  for (const query of outermost([...queries.keys()])) {
    const failure = queries.get(query)
    if (failure !== undefined) listings.set(firstListing(query, session), failure)
  }
  return {listings, deletes, kept}
}

/** What a failed DELETE was sent to; every other failure is one by itself. */
function keyOf(failure: Failure): unknown {
  const {request} = failure
  if (request?.method !== 'DELETE' || typeof request.url !== 'string') return failure
  return `${URL.parse(request.url)?.origin} ${resourceKey(request.url)}`
}

/** What a failed listing asked for. */
function queryOf(
  {url, depth = 0, root = url, body = formatPropfind({}), attempts}: FailedRequest,
  {base, decoders = {}}: Session,
): ListingQuery {
  assertDepthOrWalk(depth)
  if (typeof body !== 'string') throw new TypeError('retry: the body of a PROPFIND is a string')
  const {href} = resolveTarget({url: root}, base)
  if (relate(canonicalPathOf(url), canonicalPathOf(href)) === 'outside')
    throw new TypeError(`retry: ${quoted(url)} is not in ${href}, to which its results are related`)
  const isOfNames = body === formatPropfind({propname: true})
  return {url, root: href, depth, body, decoders: isOfNames ? UNDECODED : decoders, attempts}
}

/** Whether a failure is one of a listing, as far as that is known. */
function isOfListing({request}: Failure): boolean {
  return request === undefined || request.method === 'PROPFIND'
}

/** Each order once, and without those for what is in a collection of which everything is listed in the same way. */
function outermost(queries: readonly ListingQuery[]): readonly ListingQuery[] {
  const whole = new Set(queries.filter(isDeep).map((query) => keyOfQuery(query)))
  const taken = new Set<string>()
  return queries.filter((query) => {
    const isWhole = isDeep(query)
    const key = `${JSON.stringify(query.depth)} ${keyOfQuery(query)}`
    if (taken.has(key) || (!isWhole && whole.has(keyOfQuery(query)))) return false
    taken.add(key)
    const around = ancestorsOf(canonicalPathOf(query.url))
    return !around.some((path) => whole.has(keyOfQuery(query, path)))
  })
}

function keyOfQuery({url, body}: ListingQuery, path = canonicalPathOf(url)): string {
  return `${path} ${body}`
}

/** The members of a request. A misspelt condition would be no condition. */
const FAILED_REQUEST: Rules<FailedRequest> = {
  method: TEXT,
  url: TEXT,
  depth: ANY,
  root: TEXT,
  conditions: RECORD,
  ifMissing: oneOf('failure', 'success'),
  verify: BOOLEAN,
  body: ANY,
  attempts: ANY,
}

/** A failure may come from a queue: what it asks for is held against the same rules as what a caller asks for. */
function checkRequest(request: FailedRequest): void {
  const {attempts, conditions = {}} = readOptions('request of a failure', request, FAILED_REQUEST)
  if (!Number.isSafeInteger(attempts) || attempts < 0)
    throw new TypeError('retry: attempts of a request is a whole number, at least zero')
  for (const [name, value] of Object.entries(conditions)) {
    if (!/^if(?:-[a-z]+)*$/.test(name)) {
      throw new TypeError(`retry: ${quoted(name)} is no conditional header`)
    }
    if (typeof value !== 'string' || !isHeaderValue(value)) {
      throw new TypeError(`retry: the value of ${name} is one that no header can have`)
    }
  }
}

/** The DELETE that is sent again. Throws TypeError where the guards refuse it. */
function settleAgain(
  session: Session,
  {url, conditions, attempts, ifMissing = 'failure', verify = false}: FailedRequest,
  settled: SettledOptions,
): DeleteRequest {
  const target = resolveTarget({url}, session.base)
  if (!settled.unguarded) guardTarget(target, session.base, 'DELETE')
  return {url: target.href, conditions, attempts, ifMissing, verify}
}

async function repeat(
  failure: Failure,
  emit: Sink<DavResult>,
  context: DeleteContext,
  settled: SettledOptions,
): Promise<void> {
  const {session, connection, isRetriedElsewhere} = context
  const {request} = failure
  let verdict: DavResult = failure
  // After the end of the call it is not sent again, and is as it was.
  if (request !== undefined && !connection.ending.aborted) {
    const again = settleAgain(session, request, settled)
    // A member that is tried by itself has its verdict; its collection's answer would only repeat it.
    const emitOthers: Sink<DavResult> = (batch) =>
      emit(batch.filter((result) => isRetriedElsewhere?.(result) !== true))
    try {
      ;({verdict} = await deleteWithRetries(again, context, emitOthers))
    } catch (error) {
      if (!(error instanceof NotSentError)) throw error
    }
  }
  await emit([verdict])
}
