/** PROPFIND: its options and its streams. The requests are sent by `walk` and `list`. RFC 4918, section 9.1. */

import type {Depth, Walk} from '../protocol/depth.ts'
import {assertDepthOrWalk, isWalk} from '../protocol/depth.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, readOptions, RECORD, SIGNAL, TEXTS} from '../protocol/options.ts'
import {DECODERS, mergeDecoders, UNDECODED} from '../properties/decode.ts'
import type {DEFAULT_PROPERTIES, PropertySelection} from '../properties/propfind-body.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import type {Decoders, Properties, PropertyNameList} from '../properties/vocabulary.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {RetryPolicy} from '../retry/policy.ts'
import {createCall} from '../call/call.ts'
import type {Checkpoint} from './checkpoint.ts'
import {makeCheckpoint, resumeDepth, resumeListings} from './checkpoint.ts'
import {Frontier} from './frontier.ts'
import type {Pages} from './pages.ts'
import {readPages} from './pages.ts'
import type {Listing, ListingQuery} from './query.ts'
import {isDeep, propfindQuery} from './query.ts'
import type {Session} from '../call/session.ts'
import {resolveConcurrency, resolveRetry} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {walk} from './walk.ts'
import type {Timeouts} from '../transport/timeouts.ts'
import {TIMEOUT} from '../transport/timeouts.ts'

/** Options of `stat`. */
export interface StatOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
  All extends boolean = boolean,
> extends PropertySelection<Names, All> {
  /** Decoders by property name, added to the client's. They type their properties. */
  readonly decoders?: (D & Decoders) | undefined
  /** The policy by which a refused or broken request is sent again. Default: the client's. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time limits of this call. Default: the client's. */
  readonly timeout?: number | Timeouts | undefined
}

/** Options of `propfind`. */
export interface PropfindOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
  All extends boolean = boolean,
> extends StatOptions<Names, D, All> {
  /**
   * The reach of the listing: 0 for the resource itself, 1 for its members too, `'infinity'` for everything below. If a server
   * refuses Depth infinity or answers it in part, requests with Depth 1 list the rest. `{walk: true}` sends only requests with
   * Depth 1.
   *
   * @defaultValue 1
   */
  readonly depth?: Depth | Walk | undefined
  /**
   * The most requests at once, if a listing needs several.
   *
   * @defaultValue the client's, which is 8
   */
  readonly concurrency?: number | undefined
  /**
   * The `checkpoint()` of a stopped listing, to continue it. It holds the depth too. Name the same properties as before.
   * Collections that were under way are listed again, so some members are reported twice. Prefer `{walk: true}` for a listing
   * that may be stopped, because an answer to Depth infinity cannot be continued and starts again.
   */
  readonly resume?: Checkpoint | undefined
  /**
   * Requests each collection in pages, on servers that have them. The results are the same, each once. If a collection changes
   * while its pages are read, or if the server forgets them, its whole listing is requested. A listing in pages holds the path of
   * each member. A checkpoint does not have this option: give it again.
   *
   * In browsers, the server must allow the headers of Nextcloud to other origins.
   *
   * @defaultValue none: the server decides, as Jianguoyun does, whose links are followed
   */
  readonly pages?: Pages | undefined
}

/** Options of `walk`. */
export interface WalkOptions<
  Names extends PropertyNameList = PropertyNameList,
  D extends Decoders = Decoders,
  All extends boolean = boolean,
>
  extends Omit<PropfindOptions<Names, D, All>, 'depth'>, Pick<Walk, 'levels'> {}

export const STAT_OPTIONS: Rules<StatOptions> = {
  properties: TEXTS,
  allprop: BOOLEAN,
  include: TEXTS,
  propname: BOOLEAN,
  decoders: DECODERS,
  retry: ANY,
  signal: SIGNAL,
  timeout: TIMEOUT,
}

const LISTING_OPTIONS: Rules<Omit<PropfindOptions, 'depth'>> = {
  ...STAT_OPTIONS,
  concurrency: NUMBER,
  resume: ANY,
  pages: RECORD,
}
const PROPFIND_OPTIONS: Rules<PropfindOptions> = {...LISTING_OPTIONS, depth: ANY}
const WALK_OPTIONS: Rules<WalkOptions> = {...LISTING_OPTIONS, levels: ANY}

/** The names of properties that the results may have; `string` stands for any name. */
export type AskedNames<Names extends PropertyNameList, All extends boolean> = All extends true
  ? string
  : [Names] extends [readonly string[]]
    ? Names[number]
    : (typeof DEFAULT_PROPERTIES)[number]

/** The results of a listing. */
export interface ListingStream<P = Properties> extends ResultStream<P> {
  /**
   * Returns the rest of the listing as plain JSON, for `resume`. Call it at any time: while the listing is read, after `break`,
   * or after an error. It has no collections that were listed to their end, and no failures. That of a sync has a token, for `sync`.
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
  const {depth: asked = 1, resume} = options
  const depth: unknown = resume === undefined ? asked : resumeDepth(resume, options.depth)
  assertDepthOrWalk(depth)
  return streamListing(session, makeQuery(session, target, options, depth), options)
}

/** Makes the stream of a query. Nothing is sent yet. */
export function streamListing<P>(
  session: Session,
  query: ListingQuery,
  options: Pick<PropfindOptions, 'concurrency' | 'resume' | 'retry' | 'signal' | 'timeout'>,
): ListingStream<P> {
  const {resume, signal, timeout} = options
  const concurrency = resolveConcurrency(options.concurrency ?? session.concurrency)
  const listings =
    resume === undefined
      ? [firstListing(query, session)]
      : resumeListings(resume, query, session.base)
  const frontier = new Frontier(listings)
  const incomplete: Incomplete[] = [...(resume?.incomplete ?? [])]
  const policy = resolveRetry(session, options)
  const call = {href: query.url, signal, timeout, incomplete, policy, concurrency}
  const stream = createCall<P>(session, call, (context, emit) =>
    walk(frontier, {...context, incomplete, throws: true}, emit),
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
  // Without `levels`, the checkpoint of a walk decides, because it has them.
  const isTold = levels === undefined && isWalk(options.resume?.depth)
  const depth = isTold ? undefined : {walk: true as const, levels}
  return propfind(session, target, {...options, depth})
}

/** Makes the query of a call. */
export function makeQuery(
  session: Session,
  target: Target,
  options: PropertySelection & Pick<PropfindOptions, 'decoders' | 'pages'>,
  asked: Depth | Walk,
): ListingQuery {
  const {href: url} = resolveTarget(target, session.base)
  const depth = isWalk(asked) ? plainWalk(asked) : asked
  const method = 'PROPFIND'
  const body = formatPropfind(isDeep({method, depth}) ? withResourceType(options) : options)
  const decoders =
    options.propname === true ? UNDECODED : mergeDecoders(session.decoders, options.decoders)
  const pages = options.pages && readPages(options.pages)
  return {...propfindQuery(url, body, depth, decoders), pages}
}

/** Copies a walk into a plain object, because a checkpoint becomes JSON, which loses inherited members. */
function plainWalk({levels}: Walk): Walk {
  return {walk: true, ...(levels !== undefined && {levels})}
}

/** Makes the first listing of a query. After a refusal, the client does not send Depth infinity again. */
export function firstListing(query: ListingQuery, {server}: Session): Listing {
  const {url, depth} = query
  const isWalked = isWalk(depth) || (isDeep(query) && server.refusesInfinity)
  return {query, url, depth: isWalked ? 1 : depth, isFirst: true}
}

/** Adds `resourcetype` to a selection: a deep listing must recognize collections to notice missing members. */
function withResourceType(selection: PropertySelection): PropertySelection {
  const {properties} = selection
  // `formatPropfind` refuses an invalid value.
  return Array.isArray(properties) && properties.length > 0
    ? {...selection, properties: [...properties, 'resourcetype']}
    : selection
}
