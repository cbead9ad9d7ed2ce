/**
 * Reads many resources of a collection by multiget reports, each for a batch of them. Every target has a result, whether the server
 * names it or not. RFC 4791, section 7.9; RFC 6352, section 8.7.
 */

import type {CallContext} from '../call/call.ts'
import {createCall} from '../call/call.ts'
import {runAll} from '../call/run-all.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency, resolveRetry} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {ledElsewhere, list} from '../listing/listing.ts'
import type {Listing, ListingQuery} from '../listing/query.ts'
import {failureOf} from '../listing/query.ts'
import {createFailure, UNREADABLE} from '../multistatus/failure.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import type {ResultStream, Sink} from '../multistatus/result-stream.ts'
import {isResultStream} from '../multistatus/result-stream.ts'
import {DECODERS, mergeDecoders} from '../properties/decode.ts'
import {propElement} from '../properties/propfind-body.ts'
import type {Decoders, PropertyNameList} from '../properties/vocabulary.ts'
import {MULTIGET_HREFS, REMEMBERED_TARGETS} from '../protocol/bounds.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, NUMBER, readOptions, SIGNAL, TEXT, TEXTS, assertCount} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {escapeContent, formatDocument} from '../xml/writer.ts'
import type {AnyIterable} from './many.ts'
import {assertMany, sourcesOf} from './many.ts'
import {refuse} from './verdict.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `multiget`. */
export interface MultigetOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
> {
  /** The name of the report, such as `{urn:ietf:params:xml:ns:caldav}calendar-multiget`. */
  readonly report: string
  /** Names of the properties to read, such as `{urn:ietf:params:xml:ns:caldav}calendar-data`. They type those of the results. */
  readonly properties: Names
  /**
   * The most targets in one report.
   *
   * @defaultValue 50
   */
  readonly batchSize?: number | undefined
  /** Decoders by property name, added to the client's. They type their properties. */
  readonly decoders?: (D & Decoders) | undefined
  /**
   * The most reports at once.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /** The policy by which a refused or broken report is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

const MULTIGET_OPTIONS: Rules<MultigetOptions> = {
  report: TEXT,
  properties: TEXTS,
  batchSize: NUMBER,
  decoders: DECODERS,
  concurrency: NUMBER,
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

/** Checks the options and the targets of an array, and makes the stream. Nothing is sent yet. */
export function multiget<P>(
  session: Session,
  target: Target,
  targets: AnyIterable<Target>,
  given: MultigetOptions,
): ResultStream<P> {
  const options = readOptions('multiget', given, MULTIGET_OPTIONS)
  const {report, properties, batchSize = MULTIGET_HREFS, signal, timeout} = options
  assertCount('multiget: batchSize', batchSize)
  if (report === undefined) throw new TypeError('multiget: report is missing')
  assertMany('multiget', targets)
  const {base} = session
  const {href: url} = resolveTarget(target, base)
  if (Array.isArray(targets)) for (const one of targets) resolveTarget(one, base)
  const request = {
    method: 'REPORT',
    url,
    depth: 0,
    body: formatDocument({name: report, children: [propElement(properties)]}),
    attempts: 0,
  } as const
  const decoders = mergeDecoders(session.decoders, options.decoders)
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const policy = resolveRetry(session, options)
  const call = {href: url, signal, timeout, policy, concurrency}
  return createCall<P>(session, call, async (context, emit) => {
    const [sources] = sourcesOf(targets)
    await runAll(batchesOf(sources, batchSize, session), context.connection, async (batch) => {
      const refused = batch.filter((one) => typeof one !== 'string')
      const urls = batch.filter((one) => typeof one === 'string')
      if (refused.length > 0) await emit(refused)
      if (urls.length > 0) await readBatch(request, urls, decoders, context, emit)
    })
    return {incomplete: isResultStream(targets) ? (await targets.summary).incomplete : []}
  })
}

/** Gathers targets into batches of URLs, with a Failure for an invalid one. Leaves out a target that was given before. */
async function* batchesOf(
  targets: Iterable<Target> | AsyncIterable<Target>,
  size: number,
  session: Session,
): AsyncGenerator<readonly (string | Failure)[], undefined, undefined> {
  let batch: (string | Failure)[] = []
  let [seen, before] = [new Set<string>(), new Set<string>()]
  for await (const target of targets) {
    const url = settle(target, session)
    if (typeof url === 'string') {
      const path = canonicalPathOf(url)
      if (seen.has(path) || before.has(path)) continue
      seen.add(path)
      if (seen.size === REMEMBERED_TARGETS) [seen, before] = [new Set(), seen]
    }
    if (batch.push(url) < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  return undefined
}

function settle(target: Target, session: Session): string | Failure {
  try {
    return resolveTarget(target, session.base).href
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(target, session, error.message)
  }
}

/** Failures whose targets are asked for by one report. */
interface Batch {
  readonly request: FailedRequest
  readonly urls: string[]
  readonly failures: Failure[]
}

/**
 * Sends the multiget reports of failures again, in batches.
 *
 * @param failures - Each with `hrefs` in its request. A failure is removed when its results are out.
 */
export async function multigetAgain(
  failures: Set<Failure>,
  context: CallContext,
  emit: Sink<DavResult>,
): Promise<void> {
  const {session, connection} = context
  const {pace, signal} = connection
  const batches: Batch[] = []
  // The last batch of each request, by that request.
  const open = new Map<string, Batch>()
  for (const failure of failures) {
    const {request} = failure
    if (request === undefined) continue
    const key = [request.url, request.attempts, request.body].join(' ')
    let batch = open.get(key)
    if (batch === undefined || batch.urls.length >= MULTIGET_HREFS) {
      batch = {request, urls: [], failures: []}
      batches.push(batch)
      open.set(key, batch)
    }
    batch.urls.push(...urlsOf(request, session.base))
    batch.failures.push(failure)
  }
  await runAll(batches, {pace, signal}, async ({request, urls, failures: sent}) => {
    await readBatch(request, urls, session.decoders ?? {}, context, emit)
    for (const failure of sent) failures.delete(failure)
  })
}

/**
 * Resolves the hrefs of a failed multiget report.
 *
 * @throws TypeError for an invalid href.
 */
export function urlsOf({url, hrefs = []}: FailedRequest, base: URL): string[] {
  return hrefs.map((href) => resolveTarget(new URL(href, url), base).href)
}

/** Sends one report for a batch of URLs, and emits a result for each. */
async function readBatch<P>(
  {url, body = '', attempts}: FailedRequest,
  urls: readonly string[],
  decoders: Decoders,
  context: CallContext,
  emit: Sink<DavResult<P>>,
): Promise<void> {
  const asked = new Map(urls.map((one) => [canonicalPathOf(one), one]))
  const left = new Map(asked)
  const base = canonicalPathOf(url)
  const query: ListingQuery = {
    method: 'REPORT',
    url,
    root: url,
    depth: 0,
    body: withHrefs(body, urls.map(hrefOf)),
    decoders,
    attempts,
  }
  const listing: Listing = {query, url, depth: 0, isFirst: true}
  const again = (failure: Failure, target: string): Failure => {
    const request = {method: 'REPORT', url, depth: 0, body, hrefs: [hrefOf(target)]} as const
    return {...failure, request: {...request, attempts: attempts + (listing.sent ?? 1)}}
  }
  /** Emits a Failure for each target without a result. */
  const failRest = async (make: (target: string, path: string) => Failure): Promise<void> => {
    await emit(Array.from(left, ([path, target]) => again(make(target, path), target)))
  }
  let refusal: Failure | undefined
  let hasOthers = false
  try {
    const answer = await list<P>(listing, context)
    const isRead = await answer.read((batch) => {
      if (answer.isElsewhere) throw ledElsewhere(query, url, answer)
      return emit(
        batch.flatMap((result) => {
          const path = canonicalPathOf(result.url)
          const target = asked.get(path)
          if (target !== undefined && result.href !== '') {
            left.delete(path)
            return [result.ok ? result : again(result, target)]
          }
          // xandikos 0.2 refuses the report by a response for the collection, in a 207.
          if (!result.ok && result.relation === 'self') {
            refusal ??= result
            return []
          }
          // Perhaps a target by another name, so it is not dropped.
          hasOthers = true
          return [result]
        }),
      )
    })
    if (!isRead || left.size === 0) return
    const isWhole = answer.end.incomplete.length === 0 && !hasOthers
    await failRest((target, path) => {
      const place = {href: hrefOf(target), url: target, relation: relate(path, base)}
      if (refusal !== undefined) return {...refusal, ...place}
      return isWhole
        ? // DAViCal names no missing target.
          createFailure({...place, status: 404, reason: 'status', description: LEFT_OUT})
        : createFailure({...place, ...UNREADABLE, description: LEFT_OUT})
    })
  } catch (error) {
    if (context.connection.signal.aborted || !(error instanceof DavError)) throw error
    await failRest((target, path) => failureOf(error, target, relate(path, base)))
  }
}

const LEFT_OUT = 'The answer does not name it'

/** Writes the hrefs behind the other children of the root, where the grammar of a multiget has them. */
function withHrefs(body: string, hrefs: readonly string[]): string {
  const written = hrefs.map((href) => `<href xmlns="DAV:">${escapeContent(href)}</href>`)
  const end = body.lastIndexOf('</')
  return body.slice(0, end) + written.join('') + body.slice(end)
}

/** Formats the href of a target: its path, without the origin. */
function hrefOf(url: string): string {
  const {pathname, search} = new URL(url)
  return pathname + search
}
