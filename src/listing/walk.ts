/**
 * Listings of many collections as one stream. Depth infinity is asked for once. After a refusal, a walk of Depth 1 requests
 * takes its place; after a cut answer, the missing collections are walked. RFC 4918, section 9.1.
 */

import type {CallContext} from '../call/call.ts'
import {runAll} from '../call/run-all.ts'
import {spelled} from '../call/target.ts'
import type {DavResult} from '../multistatus/result.ts'
import type {Ending, Sink} from '../multistatus/result-stream.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
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
  listingFailure,
  propfindError,
  withRequest,
} from './query.ts'

/** The means of a walk. */
export interface WalkContext extends CallContext {
  /** Throws an error of a first listing. Otherwise it is a Failure, like that of a collection below. */
  readonly throws: boolean
  /** Known gaps. Further ones are added as they are found. */
  readonly incomplete: Incomplete[]
}

/** Lists the frontier and the collections that it finds there. Emits each resource once. */
export async function walk<P>(
  frontier: Frontier,
  context: WalkContext,
  emit: Sink<DavResult<P>>,
): Promise<Ending> {
  const {incomplete, connection} = context
  const {pace, signal} = connection
  const found = {types: new Types(), deeper: new DeeperResults()}
  let first: Ending | undefined
  // A transport that does not heed the signal may still give results.
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
        // Nothing of it was emitted so far, so nothing is reported twice.
        frontier.settle(listing, [{...listing, depth: 1, isRefused: true}])
        return
      }
      // One collection that fails does not end the walk. Its failure asks for it and for all below it.
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

/** Lists one collection. Returns its summary, and the listings that it makes necessary; `undefined` if the reader has gone. */
async function listOne<P>(
  listing: Listing,
  context: WalkContext & {readonly types: Types; readonly deeper: DeeperResults},
  emit: Sink<DavResult<P>>,
): Promise<{readonly summary: Ending; readonly next: readonly Listing[]} | undefined> {
  const {query, url, depth, isFirst} = listing
  const {types, deeper, throws, incomplete, session} = context
  const isInfinite = depth === 'infinity'
  const answer = await list<P>(listing, context).catch((error: unknown) => {
    throw isInfinite && isDepthRefusalError(error) ? new DepthRefused() : error
  })
  const {isElsewhere} = answer
  // A redirect to the slash leads to the same resource. One to elsewhere leads to another, whose results are outside.
  if (isFirst && query.root === query.url && !isElsewhere) query.root = answer.url
  const mayBeElsewhere = isFirst && throws && query.root === query.url
  const {root} = query
  const completeness = isDeep(query)
    ? new Completeness(answer.url, depth, query.decoders, types)
    : undefined
  // A refusal inside a document comes before any result. Behind one, the same words are about a member.
  let isBegun = false
  const isRead = await answer.read((batch) => {
    // A collection that leads elsewhere may lead to one above it, and so without end.
    if (isElsewhere && !mayBeElsewhere) throw ledElsewhere(url, answer)
    if (!isBegun && isInfinite && (cutsInSilence(answer.server) || refusesDepth(batch)))
      throw new DepthRefused()
    isBegun ||= batch.length > 0
    const fresh = completeness === undefined || isInfinite ? batch : deeper.filter(batch)
    completeness?.add(batch, fresh)
    const placed = answer.place(fresh, root)
    return emit(placed.map((result) => (result.ok ? result : withRequest(result, listing))))
  })
  if (!isRead) return undefined
  const gaps = [...answer.end.incomplete, ...(completeness?.incomplete() ?? [])]
  // An empty answer, or one about other resources, lists nothing of this one: it is not an empty collection.
  if (!answer.hasListed || isElsewhere) {
    const isNamed = answer.hasSelf && !isElsewhere
    const sentence = `The answer to PROPFIND ${url} names neither the resource nor its members`
    if (!isNamed && (!isFirst || !throws)) throw propfindError(url, sentence)
    gaps.push({href: url, reason: 'self'})
  }
  // Known only now: a collection that may not be seen is refused in the same words as the depth.
  if (listing.isRefused === true) session.server.refusesInfinity = true
  for (const one of gaps) noteIncomplete(incomplete, one)
  const summary = {...answer.end, incomplete: gaps}
  if (isElsewhere || completeness === undefined) return {summary, next: []}
  // An answer to Depth infinity that names the resource alone: the server may have taken the Depth for 0.
  if (isInfinite && completeness.mayBeDepthZero)
    return {summary, next: [{...listing, url: isFirst ? root : url, depth: 1, isFirst: false}]}
  return {summary, next: listingsOf(completeness.unlisted(), listing, incomplete)}
}

/** Makes the listings of collections that were found, down to the last level of the query. */
function listingsOf(
  collections: readonly string[],
  {query}: Listing,
  incomplete: Incomplete[],
): readonly Listing[] {
  const last = levelOf(query.root) + levelsOf(query)
  const found: Listing[] = []
  for (const collection of collections) {
    // With the slash at the end of a collection. Without it, servers answer that it is missing.
    const url = spelled(collection.endsWith('/') ? collection : `${collection}/`)
    if (levelOf(url) > last) noteIncomplete(incomplete, {href: url, reason: 'shallow'})
    else found.push({query, url, depth: 1, isFirst: false})
  }
  return found
}

function levelOf(url: string): number {
  return canonicalPathOf(url).split('/').length
}
