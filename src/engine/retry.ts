/**
 * Sends the requests of failures again, and no others. Members go before a collection that failed because of them. Failures may
 * come from a queue, so their requests are checked like a caller's own. RFC 4918, sections 9.6.1 and 13.
 */

import {createCall} from '../call/call.ts'
import {open, Turns} from '../call/run-all.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency} from '../call/session.ts'
import {resolveTarget} from '../call/target.ts'
import {Frontier} from '../listing/frontier.ts'
import {firstListing} from '../listing/propfind.ts'
import type {Listing, ListingQuery} from '../listing/query.ts'
import {incompleteListing, isDeep} from '../listing/query.ts'
import {walk} from '../listing/walk.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {lists, noteIncomplete, picks} from '../multistatus/summary.ts'
import {UNDECODED} from '../properties/decode.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {GRACE_MILLISECONDS} from '../protocol/bounds.ts'
import {restoreBytes} from '../protocol/byte-string.ts'
import {assertDepthOrWalk} from '../protocol/depth.ts'
import {quoted} from '../protocol/errors.ts'
import {ancestorsOf, canonicalPathOf, relate, resourceKey} from '../protocol/href.ts'
import {isObject, isWholeNumber} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  BOOLEAN,
  callback,
  NUMBER,
  oneOf,
  readOptions,
  RECORD,
  SIGNAL,
  TEXT,
  TEXTS,
} from '../protocol/options.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import type {ResolvedPolicy, RetrySettings} from '../retry/policy.ts'
import {resolvePolicy, RETRY_SETTINGS} from '../retry/policy.ts'
import type {UploadBody} from '../transfer/upload.ts'
import {checkUploadBody} from '../transfer/upload.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {sendWithRetries} from './attempts.ts'
import {multigetAgain, urlsOf} from './multiget.ts'
import {changed, isOneShot, payloadOf, withPayload} from './payload.ts'
import {runPhases} from './phases.ts'
import type {Verb, VerbContext} from './verb.ts'
import {isUnclear} from './verdict.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `retry`. */
export interface RetryOptions extends RetrySettings {
  /**
   * The most requests at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * Allows targets that the guards of a DELETE refuse: the client's own base, its parents, and targets outside it. Also names
   * with a control character, and names that some servers read as the collection around them.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /**
   * Returns the body of a failed upload. Called if the process does not know it, and for a stream that was read; `undefined` leaves
   * the failure as it is.
   */
  readonly bodyOf?: ((failure: Failure) => UploadBody | undefined) | undefined
  /** Ends the call. Reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const RETRY_OPTIONS: Rules<RetryOptions> = {
  ...RETRY_SETTINGS,
  concurrency: NUMBER,
  unguarded: BOOLEAN,
  bodyOf: callback('a failure'),
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/** Checks the options and makes the stream. Nothing is sent yet. Only requests of `verbs`, and PROPFIND, can be sent again. */
export function retry(
  session: Session,
  failures: Iterable<Failure> | AsyncIterable<Failure>,
  given: RetryOptions | number | undefined,
  verbs: readonly Verb[],
): ResultStream {
  const options = typeof given === 'number' ? {attempts: given} : given === undefined ? {} : given
  const {
    unguarded = false,
    bodyOf,
    signal,
    timeout,
    ...others
  } = readOptions('retry', options, RETRY_OPTIONS)
  const {concurrency: asked, ...settings} = others
  const concurrency = resolveConcurrency(asked ?? session.concurrency)
  const policy = resolvePolicy({...session.retry, ...settings})
  assertIterable(failures)
  const means = {session, policy, unguarded, bodyOf, verbs}
  const {href} = session.base
  const call = {href, signal, timeout, policy, concurrency, grace: GRACE_MILLISECONDS}
  return createCall(session, call, async (context, emit) => {
    const {connection} = context
    const {ending} = connection
    const incomplete: Incomplete[] = []
    const all: Failure[] = []
    const turns = new Turns()
    const sources = open(failures, ending)
    try {
      for (let next = await sources.next(); next.done !== true; next = await sources.next()) {
        if (!isObject(next.value))
          throw new TypeError('retry: a failure is an object with a request')
        all.push(next.value, ...membersOf(next.value))
        if (turns.isLong) await turns.end()
      }
    } catch (error) {
      void sources.return().catch(() => {})
      if (connection.isEnd(error)) await emit(all)
      throw error
    }
    const {listings, queries, multigets, requests, kept} = plan(all, means)
    // A failed listing that is not sent again stays a gap.
    for (const failure of kept)
      if (isOfListing(failure)) noteIncomplete(incomplete, incompleteListing(failure))
    await emit(kept)
    const frontier = new Frontier(listings)
    try {
      if (listings.length > 0) await walk(frontier, {...context, incomplete, throws: false}, emit)
      if (multigets.size > 0) await multigetAgain(multigets, context, emit)
    } catch (error) {
      // A failure whose listing was not sent again, or broke off, comes out unchanged.
      const left = new Set(frontier.left.map(({query}) => wholeKeyOf(query)))
      const unlisted = [...queries].filter(([query]) => left.has(wholeKeyOf(query)))
      if (connection.isEnd(error)) {
        const unsent = unlisted.map(([, failure]) => failure)
        await emit([...unsent, ...multigets, ...requests.values()])
      }
      throw error
    }
    for (const verb of verbs) {
      const due = [...requests.values()].filter(({request}) => request?.method === verb.method)
      const ends = new Set(due.flatMap(endsOf))
      const isRetriedElsewhere = ({request, url}: DavResult): boolean =>
        request === undefined ? ends.has(resourceKey(url)) : requests.has(keyOfRequest(request))
      const own = {...context, verb, isRetriedElsewhere}
      await runPhases(due, own, undefined, {
        others: kept,
        send: (failure) => sendAgain(failure, emit, own),
        async settle(verdict) {
          await emit([verdict])
        },
      })
    }
    ending.throwIfAborted()
    return {incomplete}
  })
}

/** Lists the failed members that the verdict of a promise on a COPY or MOVE has with it, as far as they can be sent. */
function membersOf({reason, request, members}: Failure): readonly Failure[] {
  const isOfMembers = reason === 'member' && typeof request?.destination === 'string'
  const all: readonly DavResult[] = isOfMembers && Array.isArray(members) ? members : []
  return all.filter((one) => isObject(one) && !one.ok).filter(({request: own}) => own !== undefined)
}

/** Refuses a value that is no iterable, such as a single failure. */
function assertIterable(failures: unknown): void {
  const isIterable =
    isObject(failures) && (Symbol.iterator in failures || Symbol.asyncIterator in failures)
  if (!isIterable) throw new TypeError('retry: give an iterable of failures, such as [failure]')
}

interface Planning {
  readonly session: Session
  readonly policy: ResolvedPolicy
  readonly unguarded: boolean
  readonly bodyOf: RetryOptions['bodyOf']
  readonly verbs: readonly Verb[]
}

/** Sorts failures into requests to send, each once, and failures that are not retried. */
function plan(
  failures: readonly Failure[],
  {session, policy, unguarded, bodyOf, verbs}: Planning,
): {
  readonly listings: readonly Listing[]
  /** The queries of listings, each with its failure. */
  readonly queries: ReadonlyMap<ListingQuery, Failure>
  /** Failures of multiget reports. */
  readonly multigets: Set<Failure>
  /** Failures of other requests, by resource, with the request as it is sent. */
  readonly requests: ReadonlyMap<string, Failure>
  readonly kept: readonly Failure[]
} {
  const queries = new Map<ListingQuery, Failure>()
  const multigets = new Set<Failure>()
  const requests = new Map<string, Failure>()
  const kept: Failure[] = []
  for (const failure of latestOf(failures)) {
    const {request} = failure
    if (request === undefined || !policy.retryable(failure)) {
      kept.push(failure)
      continue
    }
    checkRequest(request, session)
    if (picks(request.method) && request.body === undefined)
      throw new TypeError(`retry: a ${request.method} needs its body`)
    if (isOfMultiget(request)) {
      resolveTarget({url: request.url}, session.base)
      urlsOf(request, session.base)
      multigets.add(failure)
      continue
    }
    const {href: url} = resolveTarget({url: request.url}, session.base)
    if (lists(request.method)) {
      queries.set(queryOf(request, session), failure)
      continue
    }
    const verb = verbs.find(({method}) => method === request.method)
    if (verb === undefined)
      throw new TypeError(`retry: ${quoted(request.method)} cannot be sent again`)
    const {destination} = request
    const again = changed(request, {
      url,
      ...(destination !== undefined && {
        destination: resolveTarget({url: destination}, session.base).href,
      }),
    })
    verb.check?.(again, session)
    const isLost = verb.hasPayload === true && !findBody(again, failure, bodyOf)
    const problem =
      (unguarded ? undefined : verb.guard(again, session)) ??
      (isLost ? 'its body is not known any more; give bodyOf' : undefined)
    if (problem === undefined) requests.set(keyOfRequest(again), {...failure, request: again})
    else kept.push({...failure, description: `Not sent again: ${problem}`})
  }
  const listings = outermost([...queries.keys()]).map((query) => firstListing(query, session))
  return {listings, queries, multigets, requests, kept}
}

/** Finds the body of an upload. A stream counts as read: one that has ended would make an empty resource. */
function findBody(
  request: FailedRequest,
  failure: Failure,
  bodyOf: RetryOptions['bodyOf'],
): boolean {
  if (payloadOf(request) !== undefined && !isOneShot(request)) return true
  const body = bodyOf?.(failure)
  if (body === undefined) return false
  checkUploadBody(body)
  withPayload(request, {body})
  return true
}

/**
 * Keeps the last failure of each request: in a journal of two runs, the second failure counts. A failure as a target wins over
 * one as a member, because only its request has the conditions of the caller.
 */
function latestOf(failures: readonly Failure[]): Iterable<Failure> {
  const latest = new Map<unknown, Failure>()
  for (const failure of failures) {
    const {request} = failure
    const isChange = typeof request?.url === 'string' && !lists(request.method)
    const key = isChange ? keyOfRequest(request) : failure
    if (failure.relation !== 'self' && latest.get(key)?.relation === 'self') continue
    latest.delete(key)
    latest.set(key, failure)
  }
  return latest.values()
}

/** Key of a request that changes something: equal for two spellings of one resource. Another body or token makes another request. */
function keyOfRequest({method, url, destination, body, lockToken}: RequestKey): string {
  const to = typeof destination === 'string' ? resourceKey(destination) : ''
  return [method, URL.parse(url)?.origin, resourceKey(url), to, body, lockToken].join(' ')
}

/** Keys of the resources of a request. The answer for a collection may name its member at either. */
function endsOf({request}: Failure): readonly string[] {
  return [request?.url, request?.destination].flatMap((url) =>
    url === undefined ? [] : [resourceKey(url)],
  )
}

type RequestKey = Pick<FailedRequest, 'method' | 'url' | 'destination' | 'body' | 'lockToken'>

function queryOf(
  {method, url, depth = 0, root = url, body = formatPropfind({}), attempts}: FailedRequest,
  {base, decoders = {}}: Session,
): ListingQuery {
  assertDepthOrWalk(depth)
  const {href} = resolveTarget({url: root}, base)
  if (relate(canonicalPathOf(url), canonicalPathOf(href)) === 'outside')
    throw new TypeError(`retry: ${quoted(url)} is not in ${href}, to which its results are related`)
  const isOfNames = body === formatPropfind({propname: true})
  const own = isOfNames ? UNDECODED : decoders
  const mayBeContent = method === 'REPORT'
  return {method, url, root: href, depth, body, decoders: own, mayBeContent, attempts}
}

/** Recognizes the failure of a listing. Without a request it may be one. */
function isOfListing({request}: Failure): boolean {
  return request === undefined || (lists(request.method) && !isOfMultiget(request))
}

function isOfMultiget({method, hrefs}: FailedRequest): boolean {
  return method === 'REPORT' && hrefs !== undefined
}

/** Keeps each query once. Drops queries that another one covers, because it lists everything below. */
function outermost(queries: readonly ListingQuery[]): readonly ListingQuery[] {
  const whole = new Set(queries.filter(isDeep).map((query) => keyOfQuery(query)))
  const taken = new Set<string>()
  return queries.filter((query) => {
    const isWhole = isDeep(query)
    const key = wholeKeyOf(query)
    if (taken.has(key) || (!isWhole && whole.has(keyOfQuery(query)))) return false
    taken.add(key)
    const around = ancestorsOf(canonicalPathOf(query.url))
    return !around.some((path) => whole.has(keyOfQuery(query, path)))
  })
}

/** Key of a query with its depth. Equal queries are sent once. */
function wholeKeyOf(query: ListingQuery): string {
  return `${JSON.stringify(query.depth)} ${keyOfQuery(query)}`
}

function keyOfQuery({url, body}: ListingQuery, path = canonicalPathOf(url)): string {
  return `${path} ${body}`
}

/** The members of a request. An unknown one is refused, because a misspelt condition would be no condition. */
const FAILED_REQUEST: Rules<FailedRequest> = {
  method: TEXT,
  url: TEXT,
  depth: ANY,
  destination: TEXT,
  overwrite: BOOLEAN,
  failedMembers: NUMBER,
  parents: BOOLEAN,
  type: TEXT,
  lockToken: TEXT,
  timeout: TEXT,
  renew: BOOLEAN,
  safely: BOOLEAN,
  strategy: oneOf('plain', 'nextcloud', 'tus'),
  chunkSize: NUMBER,
  requireConditions: BOOLEAN,
  root: TEXT,
  hrefs: TEXTS,
  conditions: RECORD,
  ifMissing: oneOf('failure', 'success'),
  verify: BOOLEAN,
  body: TEXT,
  attempts: ANY,
}

/** A resource that an If header names. */
const TAG = /<([^<>]*)>\s*\(/g

/** Checks a request like a caller's own, because a failure may come from a queue. */
function checkRequest(request: FailedRequest, {base}: Session): void {
  const {attempts, conditions = {}} = readOptions('request of a failure', request, FAILED_REQUEST)
  if (!isWholeNumber(attempts))
    throw new TypeError('retry: attempts of a request is a whole number, at least zero')
  for (const [name, value] of Object.entries(conditions)) {
    if (!/^if(?:-[a-z]+)*$/.test(name)) {
      throw new TypeError(`retry: ${quoted(name)} is no conditional header`)
    }
    if (typeof value !== 'string' || !isHeaderValue(restoreBytes(value))) {
      throw new TypeError(`retry: ${name} has a value that no header can have`)
    }
  }
  // The client looks for lost locks at these URLs.
  for (const [, url = ''] of (conditions['if'] ?? '').matchAll(TAG)) resolveTarget({url}, base)
}

/** Sends the request of a failure again, and returns its verdict. */
async function sendAgain(
  failure: Failure,
  emit: Sink<DavResult>,
  context: VerbContext,
): Promise<DavResult> {
  const {connection, isRetriedElsewhere} = context
  let verdict: DavResult = failure
  // After the end of the call the failure is not sent again, and comes out unchanged.
  if (failure.request !== undefined && !connection.ending.aborted) {
    // Members that are retried by themselves have their own verdicts. The answer for their collection would only repeat them.
    const emitOthers: Sink<DavResult> = (batch) =>
      emit(batch.filter((result) => isRetriedElsewhere?.(result) !== true))
    try {
      const means = {...context, mayBeDone: isUnclear(failure)}
      ;({verdict} = await sendWithRetries(failure.request, means, emitOthers))
    } catch (error) {
      if (!(error instanceof NotSentError)) throw error
    }
  }
  await emit([verdict])
  return verdict
}
