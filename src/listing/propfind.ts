/** PROPFIND: the properties of a resource and, by Depth, of the resources below it. RFC 4918, section 9.1. */

import {createCall} from '../call/call.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency, resolveRetry} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {DECODERS, mergeDecoders, UNDECODED} from '../properties/decode.ts'
import type {PropertySelection} from '../properties/propfind-body.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {Decoders, Properties} from '../properties/vocabulary.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepthOrWalk, isWalk} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, readOptions, SIGNAL, TEXTS} from '../protocol/options.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import type {Checkpoint} from './checkpoint.ts'
import {makeCheckpoint, resumeDepth, resumeListings} from './checkpoint.ts'
import {Frontier} from './frontier.ts'
import type {Listing, ListingQuery} from './query.ts'
import {isDeep} from './query.ts'
import {walk} from './walk.ts'

/** Options of `propfind`. Without `properties`, `allprop` and `propname` it asks for a small named set. */
export interface PropfindOptions<
  Names extends readonly string[] = readonly string[],
  D extends Decoders = Decoders,
> extends PropertySelection {
  /**
   * 0 for the resource itself, 1 for its members too, `'infinity'` for all below. Always sent as a header. After a refusal of
   * Depth infinity, or an answer with a part, requests with Depth 1 list the rest. `{walk: true}` begins with these.
   *
   * @defaultValue 1
   */
  readonly depth?: Depth | Walk | undefined
  /**
   * Requests under way at once, in a listing of all below that needs many.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * Goes on with a listing that was stopped, from the value of its `checkpoint()`, which has the depth too. Ask for the same
   * properties as before. Collections that were under way are listed again, so their members may be reported twice. An answer
   * to Depth infinity is one listing: ask by `{walk: true}` for a listing that may have to go on.
   */
  readonly resume?: Checkpoint | undefined
  /** Names of the properties; they type those of the results. `getetag` means one of `DAV:`, `{namespace}local` any other. */
  readonly properties?: Names | undefined
  /** Decoders by property name, added to the client's; they type the properties they decode. */
  readonly decoders?: (D & Decoders) | undefined
  /** Sends the request again after a refusal of the whole, or after a break before the answer. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the listing. Reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `walk`. */
export interface WalkOptions<
  Names extends readonly string[] = readonly string[],
  D extends Decoders = Decoders,
>
  extends Omit<PropfindOptions<Names, D>, 'depth'>, Pick<Walk, 'levels'> {}

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

// Calls that a bundler can leave out, unlike a spread.
const LISTING_OPTIONS: Rules<Omit<PropfindOptions, 'depth'>> = /* @__PURE__ */ Object.assign(
  {},
  STAT_OPTIONS,
  {concurrency: NUMBER, resume: ANY},
)
const PROPFIND_OPTIONS: Rules<PropfindOptions> = /* @__PURE__ */ Object.assign(
  {},
  LISTING_OPTIONS,
  {depth: ANY},
)
const WALK_OPTIONS: Rules<WalkOptions> = /* @__PURE__ */ Object.assign({}, LISTING_OPTIONS, {
  levels: ANY,
})

/** The results of a listing. */
export interface ListingStream<P = Properties> extends ResultStream<P> {
  /**
   * Writes down the rest of the listing, as plain JSON for `resume`: during the reading, after `break`, or after an error. It
   * leaves out each collection that was listed to its end.
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
  const asked: unknown = options.depth === undefined ? 1 : options.depth
  const depth = resume === undefined ? asked : resumeDepth(resume, options.depth)
  assertDepthOrWalk(depth)
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const query = makeQuery(session, target, options, depth)
  const listings =
    resume === undefined
      ? [firstListing(query, session)]
      : resumeListings(resume, query, session.base)
  const frontier = new Frontier(listings)
  const incomplete: Incomplete[] = [...(resume?.incomplete ?? [])]
  const policy = resolveRetry(session, options)
  const call = {href: query.url, signal, incomplete, policy, concurrency}
  const stream = createCall<P>(session, call, (connection, stop, emit) =>
    walk(frontier, {session, connection, stop, incomplete, throws: true}, emit),
  )
  const checkpoint = (): Checkpoint => makeCheckpoint(query, frontier, incomplete)
  return Object.assign(stream, {checkpoint})
}

/** Checks the options and makes the stream of a walk. Nothing is sent yet. */
export function propfindWalk<P>(
  session: Session,
  target: Target,
  given: WalkOptions = {},
): ListingStream<P> {
  const {levels, ...options} = readOptions('walk', given, WALK_OPTIONS)
  // A checkpoint of a walk has its levels.
  const isTold = levels === undefined && isWalk(options.resume?.depth)
  const depth = isTold ? undefined : {walk: true as const, levels}
  return propfind(session, target, {...options, depth})
}

/** Makes the query of a call, which has no retries of its own. */
export function makeQuery(
  session: Session,
  target: Target,
  options: PropertySelection & {readonly decoders?: Decoders | undefined},
  asked: Depth | Walk,
): ListingQuery {
  const {href: url} = resolveTarget(target, session.base)
  const depth = isWalk(asked) ? plainWalk(asked) : asked
  const body = formatPropfind(isDeep({depth}) ? withResourceType(options) : options)
  const decoders =
    options.propname === true ? UNDECODED : mergeDecoders(session.decoders, options.decoders)
  return {url, root: url, depth, body, decoders, attempts: 0}
}

/** Makes a plain object of a walk: a checkpoint is written as JSON, which would lose inherited members. */
function plainWalk({levels}: Walk): Walk {
  return {walk: true, ...(levels !== undefined && {levels})}
}

/** Makes the first listing of a query. A depth that the server refused once is not asked for again. */
export function firstListing(query: ListingQuery, {server}: Session): Listing {
  const {url, depth} = query
  const isWalked = isWalk(depth) || (depth === 'infinity' && server.refusesInfinity)
  return {query, url, depth: isWalked ? 1 : depth, isFirst: true}
}

/** Adds the type to the names: without it nobody could tell if a listing of everything is whole. */
function withResourceType(selection: PropertySelection): PropertySelection {
  const {properties} = selection
  // An invalid list is refused by the writer of the body.
  return Array.isArray(properties) && properties.length > 0
    ? {...selection, properties: [...properties, 'resourcetype']}
    : selection
}
