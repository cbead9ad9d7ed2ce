/** PROPFIND: the properties of a resource and, by Depth, of what is in it. RFC 4918, section 9.1. */

import type {Depth} from '../protocol/depth.ts'
import {assertDepth, formatDepth} from '../protocol/depth.ts'
import {DavError, DavHttpError, MultiStatusError} from '../protocol/errors.ts'
import {UNDECODED} from '../properties/decode.ts'
import type {PropertySelection} from '../properties/propfind-body.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {DavResult, FailedRequest, Failure} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {ResolvedPolicy, RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {sendUntilAnswered} from '../retry/exchange.ts'
import {readAnswer, readHead} from './answer.ts'
import type {CallSummary} from './call.ts'
import {createCall} from './call.ts'
import {Completeness} from './completeness.ts'
import type {Line, Session} from './session.ts'
import type {Target} from './target.ts'
import {resolveTarget} from './target.ts'

/** How a listing is asked for. Without `properties`, `allprop` and `propname` a small named set is asked for. */
export interface PropfindOptions<
  Names extends readonly string[] = readonly string[],
  D extends Decoders = Decoders,
> extends PropertySelection {
  /**
   * 0 for the resource itself, 1 for its members too, `'infinity'` for all below. Always sent as a header.
   *
   * @defaultValue 1
   */
  readonly depth?: Depth | undefined
  /** Names of the properties; they type those of the results. `DAV:` ones by local name, all others as `{namespace}local`. */
  readonly properties?: Names | undefined
  /** Decoders by property name, added to the client's; they type the properties they decode. */
  readonly decoders?: (D & Decoders) | undefined
  /** Sends the request again where the exchange as a whole was refused or broke before an answer. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the listing; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** What a PROPFIND is, once it is settled. */
export interface PropfindRequest {
  readonly url: string
  readonly depth: Depth
  readonly body: string
  readonly attempts: number
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function propfind<P>(
  session: Session,
  target: Target,
  options: PropfindOptions = {},
): ResultStream<P> {
  const {depth = 1} = options
  assertDepth(depth)
  const selection = depth === 'infinity' ? withResourceType(options) : options
  const url = resolveTarget(target, session.base).href
  const request = {url, depth, body: formatPropfind(selection), attempts: 0}
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const decoders =
    options.propname === true ? UNDECODED : {...session.decoders, ...options.decoders}
  return createCall<P>(session, {href: url, signal: options.signal}, (line) =>
    list(session, line, request, policy, decoders),
  )
}

/**
 * Sends a PROPFIND and gives its results.
 *
 * @throws DavHttpError where it is refused as a whole; MultiStatusError, DavNetworkError, DavTimeoutError.
 */
export async function* list<P>(
  session: Session,
  line: Line,
  request: PropfindRequest,
  policy: ResolvedPolicy | undefined,
  decoders: Decoders,
): AsyncGenerator<readonly DavResult<P>[], CallSummary, undefined> {
  const {url, depth, body} = request
  const headers = {depth: formatDepth(depth), 'content-type': 'application/xml; charset=utf-8'}
  const sent = {method: 'PROPFIND', url, headers, body}
  const response = await sendUntilAnswered(line.send, sent, policy, line.signal)
  const head = readHead(response, url)
  const answer = await readAnswer<P>(session, response, {
    method: 'PROPFIND',
    url: head.url,
    decoders,
  })
  if (answer.kind === 'plain') {
    const {conditions, excerpt, problem} = answer
    // A 2xx that is no Multi-Status is not a refusal but nonsense: a login form, JSON, an empty body.
    if (head.status < 300) throw withStatus(problem, head.status)
    throw new DavHttpError({
      ...head,
      method: 'PROPFIND',
      url,
      depth: headers.depth,
      conditions,
      excerpt,
    })
  }
  const completeness = new Completeness(depth)
  if (head.hasNext) completeness.add({href: head.url, reason: 'paged'})
  if (head.status >= 300) completeness.add({href: head.url, reason: 'failed', status: head.status})
  for await (const batch of answer.batches) {
    completeness.see(batch)
    yield batch.map((result) => (result.ok ? result : withRequest(result, request)))
  }
  // An empty answer, or one about other resources, lists nothing of this one: it is not an empty collection.
  if (!completeness.hasListed) completeness.add({href: head.url, reason: 'self'})
  const {incomplete, description, syncToken} = answer.summary()
  return {
    incomplete: [...incomplete, ...completeness.incomplete()],
    description,
    syncToken,
  }
}

/** A listing that was refused or broke, as one of many. What is not the network's or the server's fault is thrown on. */
export function listingFailure(request: PropfindRequest, error: unknown): Failure {
  if (!(error instanceof DavError)) throw error
  const {url} = request
  const common = {
    ok: false,
    href: new URL(url).pathname,
    url,
    relation: 'self',
    missing: [],
  } as const
  if (!(error instanceof DavHttpError)) {
    const {message: description} = error
    return withRequest(
      {...common, status: 0, reason: 'no-answer', conditions: [], description},
      request,
    )
  }
  const {status, conditions, retryAfter, location} = error
  return withRequest(
    {
      ...common,
      status,
      reason: 'status',
      conditions,
      ...(retryAfter !== undefined && {retryAfter}),
      ...(location !== undefined && {location}),
    },
    request,
  )
}

/** A listing of everything must tell collections from other resources, or nobody could say whether it is whole. */
function withResourceType(selection: PropertySelection): PropertySelection {
  const {properties} = selection
  return properties === undefined
    ? selection
    : {...selection, properties: [...properties, 'resourcetype']}
}

/** A failed member can be asked for again by itself, and what is below it with it, where that was asked for. */
function withRequest(failure: Failure, request: PropfindRequest): Failure {
  if (failure.relation === 'outside') return failure
  const depth = failure.relation === 'self' || request.depth === 'infinity' ? request.depth : 0
  const {url, body, attempts} = {...request, url: failure.url}
  const again: FailedRequest = {method: 'PROPFIND', url, depth, body, attempts: attempts + 1}
  return {...failure, request: again}
}

function withStatus(problem: unknown, status: number): unknown {
  if (!(problem instanceof MultiStatusError))
    return problem ?? new DavError(`PROPFIND was answered ${status} without a body`)
  return new MultiStatusError(
    `${problem.message} (status ${status})`,
    problem.reason,
    problem.offset,
    problem.limit,
  )
}
