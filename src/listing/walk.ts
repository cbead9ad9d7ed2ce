/**
 * Lists many collections as one stream. After a refusal of Depth infinity, a walk by requests with Depth 1 replaces it. After a
 * cut answer, the walk lists the missing collections. RFC 4918, section 9.1.
 */

import type {CallContext} from '../call/call.ts'
import {runAll} from '../call/run-all.ts'
import {spelled} from '../call/target.ts'
import type {DavResult} from '../multistatus/result.ts'
import type {Ending, Sink} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete, picks} from '../multistatus/summary.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {Completeness, DeeperResults, Types} from './completeness.ts'
import {cutsInSilence, DepthRefused, isDepthRefusalError, refusesDepth} from './depth-refusal.ts'
import type {Frontier} from './frontier.ts'
import type {Listing} from './query.ts'
import {ledElsewhere, list} from './listing.ts'
import {
  incompleteListing,
  isDeep,
  levelsOf,
  listingError,
  listingFailure,
  withAttempts,
} from './query.ts'

/** The context of a walk. */
export interface WalkContext extends CallContext {
  /** True to throw the error of a first listing. Otherwise it becomes a Failure, like that of a collection below. */
  readonly throws: boolean
  /** The gaps so far. The walk adds to them. */
  readonly incomplete: Incomplete[]
  /** Tells if a reported collection, by its URL, need not be listed. Default: all are listed. */
  readonly isUnchanged?: (collection: string) => boolean
}

/** Lists the frontier, and the collections that it finds. Emits each resource once. */
export async function walk<P>(
  frontier: Frontier,
  context: WalkContext,
  emit: Sink<DavResult<P>>,
): Promise<Ending> {
  const {incomplete, connection} = context
  const {pace, signal} = connection
  const found = {types: new Types(), deeper: new DeeperResults()}
  let first: Ending | undefined
  // A transport that ignores the signal may still give results.
  const sink: Sink<DavResult<P>> = (batch) =>
    signal.aborted ? Promise.resolve(false) : emit(batch)
  await runAll(frontier, {pace, signal}, async (listing) => {
    try {
      const end = await listOne(listing, {...context, ...found}, sink)
      // The reader has gone. The listing stays on the frontier, for a checkpoint.
      if (end === undefined) return
      if (listing.isFirst) first ??= end.summary
      frontier.settle(listing, end.next)
    } catch (error) {
      const isFinal = listing.isFirst && context.throws && !(error instanceof DepthRefused)
      if (isFinal || signal.aborted || !(error instanceof DavError)) throw error
      if (error instanceof DepthRefused) {
        // Nothing was emitted for it yet, so the walk reports nothing twice.
        frontier.settle(listing, [{...listing, depth: 1, isRefused: true}])
        return
      }
      // A failed collection does not end the walk. Its Failure has the request for it and everything below.
      const failure = listingFailure(listing, error)
      if (!(await sink([failure]))) return
      noteIncomplete(incomplete, incompleteListing(failure))
      frontier.settle(listing, [])
    }
  })
  for (const url of found.deeper.unlisted)
    noteIncomplete(incomplete, {href: url, reason: 'shallow'})
  return {...first, incomplete}
}

/** Lists one collection. Returns its summary, and the listings that must follow; `undefined` if the reader has gone. */
async function listOne<P>(
  listing: Listing,
  context: WalkContext & {readonly types: Types; readonly deeper: DeeperResults},
  emit: Sink<DavResult<P>>,
): Promise<{readonly summary: Ending; readonly next: readonly Listing[]} | undefined> {
  const {query, url, depth, isFirst} = listing
  const {types, deeper, throws, incomplete, session} = context
  const isInfinite = isDeep(query) && depth === 'infinity'
  const answer = await list<P>(listing, context).catch((error: unknown) => {
    throw isInfinite && isDepthRefusalError(error) ? new DepthRefused() : error
  })
  const {isElsewhere} = answer
  // A redirect to the slash leads to the same resource. Any other redirect leads to another resource, whose results are outside.
  if (isFirst && query.root === query.url && !isElsewhere) query.root = answer.url
  const mayBeElsewhere = isFirst && throws && query.root === query.url
  const {root} = query
  const completeness = isDeep(query)
    ? new Completeness(answer.url, depth, query.decoders, types)
    : undefined
  // A refusal of the depth inside a document comes before any result. Behind a result, the same status concerns a member.
  let isBegun = false
  const isRead = await answer.read((batch) => {
    // A redirected collection may lead to a parent, and so to a walk without end.
    if (isElsewhere && !mayBeElsewhere) throw ledElsewhere(query, url, answer)
    if (!isBegun && isInfinite && (cutsInSilence(answer.server) || refusesDepth(batch)))
      throw new DepthRefused()
    isBegun ||= batch.length > 0
    const fresh = completeness === undefined || isInfinite ? batch : deeper.filter(batch)
    completeness?.add(batch, fresh)
    const placed = answer.place(fresh, root)
    return emit(placed.map((result) => withAttempts(result, listing)))
  })
  if (!isRead) return undefined
  const gaps = [...answer.end.incomplete, ...(completeness?.incomplete() ?? [])]
  // An empty answer, or one about other resources, does not mean an empty collection. A report may have no results.
  if (isElsewhere || (!answer.hasListed && !picks(query.method))) {
    const isNamed = answer.hasSelf && !isElsewhere
    const sentence = `The answer to ${query.method} ${url} names neither the resource nor its members`
    if (!isNamed && (!isFirst || !throws)) throw listingError(query, url, sentence)
    gaps.push({href: url, reason: 'self'})
  }
  // Known only now, after Depth 1 succeeded: servers refuse a forbidden collection by the same status as the depth.
  if (listing.isRefused === true) session.server.refusesInfinity = true
  for (const one of gaps) noteIncomplete(incomplete, one)
  const summary = {...answer.end, incomplete: gaps}
  if (isElsewhere || completeness === undefined) return {summary, next: []}
  // If an answer to Depth infinity names the resource alone, the server may have taken the Depth for 0. Depth 1 finds out.
  if (isInfinite && completeness.mayBeDepthZero)
    return {summary, next: [{...listing, url: isFirst ? root : url, depth: 1, isFirst: false}]}
  const unlisted = completeness.unlisted()
  const open = unlisted.filter((collection) => context.isUnchanged?.(collection) !== true)
  return {summary, next: listingsOf(open, listing, incomplete)}
}

/** Makes the listings of found collections, down to the last level of the query. */
function listingsOf(
  collections: readonly string[],
  {query}: Listing,
  incomplete: Incomplete[],
): readonly Listing[] {
  const last = levelOf(query.root) + levelsOf(query)
  const found: Listing[] = []
  for (const collection of collections) {
    // With the slash of a collection. Some servers answer 404 without it.
    const url = spelled(collection.endsWith('/') ? collection : `${collection}/`)
    if (levelOf(url) > last) noteIncomplete(incomplete, {href: url, reason: 'shallow'})
    else found.push({query, url, depth: 1, isFirst: false})
  }
  return found
}

function levelOf(url: string): number {
  return canonicalPathOf(url).split('/').length
}
