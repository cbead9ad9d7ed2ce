/** PROPFIND: the properties of a resource and, by Depth, of what is in it. RFC 4918, section 9.1. */

import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepthOrWalk, isWalk} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, readOptions, SIGNAL, TEXTS} from '../protocol/options.ts'
import {DECODERS, mergeDecoders, UNDECODED} from '../properties/decode.ts'
import type {PropertySelection} from '../properties/propfind-body.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {Decoders, Properties} from '../properties/vocabulary.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import {createCall} from '../call/call.ts'
import type {Checkpoint} from './checkpoint.ts'
import {makeCheckpoint, resumeDepth, resumeListings} from './checkpoint.ts'
import type {Listing} from './frontier.ts'
import {Frontier} from './frontier.ts'
import type {ListingQuery} from './query.ts'
import {isDeep} from './query.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {walk} from './walk.ts'

/** How a listing is asked for. Without `properties`, `allprop` and `propname` a small named set is asked for. */
export interface PropfindOptions<
  Names extends readonly string[] = readonly string[],
  D extends Decoders = Decoders,
> extends PropertySelection {
  /**
   * 0 for the resource itself, 1 for its members too, `'infinity'` for all below. Always sent as a header. Where a server
   * refuses Depth infinity, or answers it with a part, the rest is listed by requests with Depth 1; `{walk: true}` begins
   * with these.
   *
   * @defaultValue 1
   */
  readonly depth?: Depth | Walk | undefined
  /**
   * Requests under way at once, where a listing of all below needs many.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * Goes on with a listing that was stopped, from what its `checkpoint()` gave, which says the depth too. What is
   * asked of each resource is to be the same. What was under way then is listed again: of each such collection the members that
   * were reported are so once more. An answer to Depth infinity is one listing, so what is to be gone on with is better asked
   * for by `{walk: true}`.
   */
  readonly resume?: Checkpoint | undefined
  /** Names of the properties; they type those of the results. `DAV:` ones by local name, all others as `{namespace}local`. */
  readonly properties?: Names | undefined
  /** Decoders by property name, added to the client's; they type the properties they decode. */
  readonly decoders?: (D & Decoders) | undefined
  /** Sends the request again where the exchange as a whole was refused or broke before an answer. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the listing; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** The options that `stat` knows. */
export const STAT_OPTIONS: Rules<Omit<PropfindOptions, 'depth' | 'resume' | 'concurrency'>> = {
  properties: TEXTS,
  allprop: BOOLEAN,
  include: TEXTS,
  propname: BOOLEAN,
  decoders: DECODERS,
  retry: ANY,
  signal: SIGNAL,
}

/** The options that `propfind` knows. */
const PROPFIND_OPTIONS: Rules<PropfindOptions> = {
  ...STAT_OPTIONS,
  depth: ANY,
  concurrency: NUMBER,
  resume: ANY,
}

/** The results of a PROPFIND. */
export interface ListingStream<P = Properties> extends ResultStream<P> {
  /**
   * What is left of the listing, as plain JSON for `resume`, at any time: while it is read, after `break`, or after it
   * threw. What was given out by then and belongs to a collection that was listed to its end is not in it.
   */
  checkpoint(): Checkpoint
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function propfind<P>(
  session: Session,
  target: Target,
  given: PropfindOptions = {},
): ListingStream<P> {
  const options = readOptions('propfind', given, PROPFIND_OPTIONS)
  const {resume, signal} = options
  const asked = resume === undefined ? depthOf(options) : resumeDepth(resume, options.depth)
  assertDepthOrWalk(asked)
  const depth = isWalk(asked) ? plainWalk(asked) : asked
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const {href: url} = resolveTarget(target, session.base)
  const body = formatPropfind(isDeep({depth}) ? withResourceType(options) : options)
  const decoders =
    options.propname === true ? UNDECODED : mergeDecoders(session.decoders, options.decoders)
  const query: ListingQuery = {url, root: url, depth, body, decoders, attempts: 0}
  const listings =
    resume === undefined
      ? [firstListing(query, session)]
      : resumeListings(resume, query, session.base)
  const frontier = new Frontier(listings)
  const incomplete: Incomplete[] = resume === undefined ? [] : [...resume.incomplete]
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const call = {href: url, signal, incomplete, policy, concurrency}
  const stream = createCall<P>(session, call, (connection, stop) =>
    walk(frontier, {session, connection, stop, incomplete, throws: true}),
  )
  const checkpoint = (): Checkpoint => makeCheckpoint(query, frontier, incomplete)
  return Object.assign(stream, {checkpoint})
}

/** A checkpoint is written as JSON, which would lose inherited members. */
function plainWalk({levels}: Walk): Walk {
  return {walk: true, ...(levels !== undefined && {levels})}
}

function depthOf({depth = 1}: PropfindOptions): unknown {
  return depth
}

/** How an order begins: what the server refused once is not asked for again. */
export function firstListing(query: ListingQuery, {server}: Session): Listing {
  const {url, depth} = query
  const isWalked = isWalk(depth) || (depth === 'infinity' && server.refusesInfinity)
  return {query, url, depth: isWalked ? 1 : depth, isFirst: true}
}

/** A listing of everything must tell collections from other resources, or nobody could say whether it is whole. */
function withResourceType(selection: PropertySelection): PropertySelection {
  const {properties} = selection
  // What is none is refused where the body is made.
  return Array.isArray(properties) && properties.length > 0
    ? {...selection, properties: [...properties, 'resourcetype']}
    : selection
}
