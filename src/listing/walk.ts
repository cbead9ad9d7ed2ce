/**
 * Listings of many collections as one stream. Depth infinity is asked for once; where it is refused, a walk of Depth 1
 * requests takes its place, and where the answer was cut, what it left out is walked. RFC 4918, section 9.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {CallSummary} from '../call/call.ts'
import type {Frontier, Listing} from './frontier.ts'
import type {ListingAnswer, CallContext} from './listing.ts'
import {ledElsewhere, list} from './listing.ts'
import {merge, pour} from '../call/merge.ts'
import {incompleteListing, isDeep, levelsOf, listingFailure, withRequest} from './query.ts'
import {cutsInSilence, DepthRefused, isRefusal, refusesDepth, REFUSALS} from './depth-refusal.ts'
import {spelled} from '../call/target.ts'
import {DeeperResults, Types, Completeness} from './completeness.ts'

/** How the collections are listed. */
export interface WalkContext extends CallContext {
  /** Whether what goes wrong with an order as a whole is thrown. Else it is a Failure, as it is for what was found below. */
  readonly throws: boolean
  /** What is known not to be whole so far. More is added as it is found. */
  readonly incomplete: Incomplete[]
}

/** Lists what is on the frontier and what is found there. Each resource is reported once. */
export async function* walk<P>(
  frontier: Frontier,
  context: WalkContext,
): AsyncGenerator<readonly DavResult<P>[], CallSummary, undefined> {
  const {incomplete, stop, connection} = context
  const types = new Types()
  const deeper = new DeeperResults()
  let first: CallSummary | undefined
  const run = async function* (
    listing: Listing,
  ): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
    const {query, url} = listing
    const attempt = {url, times: 0}
    let found: readonly Listing[]
    try {
      const end = yield* listOne<P>(listing, attempt, {...context, types, deeper})
      // That is known now, and not before: who may not see a collection is refused in the same words.
      if (listing.isRefused === true) context.session.server.refusesInfinity = true
      if (listing.isFirst) first ??= end.summary
      for (const one of end.summary.incomplete) noteIncomplete(incomplete, one)
      found = listingsOf(end.collections, listing, incomplete)
      // Asked for everything, the server has named the resource alone: it may have taken the Depth for 0.
      if (end.isUnlisted)
        found = [{...listing, url: listing.isFirst ? query.root : url, depth: 1, isFirst: false}]
    } catch (error) {
      const isFinal = listing.isFirst && context.throws && !(error instanceof DepthRefused)
      if (isFinal || connection.signal.aborted || !(error instanceof DavError)) {
        frontier.end()
        throw error
      }
      if (error instanceof DepthRefused) {
        found = [{...listing, depth: 1, isRefused: true}]
      } else {
        const failure = listingFailure(query, attempt, error)
        yield [failure]
        noteIncomplete(incomplete, incompleteListing(failure))
        found = []
      }
    }
    frontier.settle(listing, found)
    return undefined
  }
  const options = {pace: connection.pace, signal: connection.signal, stop}
  yield* merge<Listing, DavResult<P>>(frontier, options, (listing, emit) =>
    pour(run(listing), emit),
  )
  for (const url of deeper.unlisted) noteIncomplete(incomplete, {href: url, reason: 'shallow'})
  return {...first, incomplete}
}

/** What one listing gave. */
interface Listed {
  readonly summary: CallSummary
  /** Whether what was asked for showed no member, and must be listed by itself. */
  readonly isUnlisted: boolean
  /** The URLs of collections that must be listed by themselves. */
  readonly collections: readonly string[]
}

async function* listOne<P>(
  {query, url, depth, isFirst}: Listing,
  attempt: {times: number},
  context: WalkContext & {readonly types: Types; readonly deeper: DeeperResults},
): AsyncGenerator<readonly DavResult<P>[], Listed, undefined> {
  const {body, decoders} = query
  const onSend = (times: number): void => {
    attempt.times = times
  }
  const {types, deeper} = context
  const request = {
    url,
    depth,
    body,
    decoders,
    onSend,
    ...(depth === 'infinity' && {
      mayRepeat: (status: number, problem: unknown) => !REFUSALS.has(status) && !isRefusal(problem),
    }),
  }
  const answer = await list<P>(request, context).catch((error: unknown) => {
    throw depth === 'infinity' && isRefusal(error) ? new DepthRefused() : error
  })
  // A redirect to the slash leads to the same resource. One to elsewhere leads to another, whose results are outside.
  const mayMove = isFirst && query.root === query.url && !answer.isElsewhere
  if (mayMove) query.root = answer.url
  const mayBeElsewhere = isFirst && context.throws && query.root === query.url
  const place = placing<P>(query.root, answer, isFirst)
  const isWalked = isDeep(query)
  const whole = isWalked ? new Completeness(answer.url, depth, decoders, types) : undefined
  let isBegun = false
  for await (const batch of answer.batches) {
    // A collection that leads elsewhere may lead to one above it, and so without end. A throw in the loop gives up the body.
    if (answer.isElsewhere && !mayBeElsewhere) throw ledElsewhere(url, answer)
    const isUseless = cutsInSilence(answer.server) || refusesDepth(batch)
    if (!isBegun && depth === 'infinity' && isUseless) throw new DepthRefused()
    isBegun ||= batch.length > 0
    const fresh = isWalked && depth !== 'infinity' ? deeper.filter(batch) : batch
    whole?.see(batch, fresh)
    const placed = place(fresh)
    yield placed.map((result) => (result.ok ? result : withRequest(result, query, attempt.times)))
  }
  const incomplete = [...(whole?.incomplete() ?? [])]
  // An empty answer, or one about other resources, lists nothing of this one: it is not an empty collection.
  if (!answer.hasListed || answer.isElsewhere) {
    const isNamed = answer.hasSelf && !answer.isElsewhere
    if (!isNamed && (!isFirst || !context.throws)) throw notListed(url)
    incomplete.push({href: url, reason: 'self'})
  }
  const end = answer.end()
  return {
    summary: {...end, incomplete: [...end.incomplete, ...incomplete]},
    isUnlisted: depth === 'infinity' && whole?.mayBeDepthZero === true && !answer.isElsewhere,
    collections: answer.isElsewhere ? [] : (whole?.unlisted() ?? []),
  }
}

/** The listings of collections that were found, as far down as the order goes. */
function listingsOf(
  collections: readonly string[],
  {query}: Listing,
  incomplete: Incomplete[],
): readonly Listing[] {
  const outermost = levelOf(query.root)
  const most = levelsOf(query)
  const found: Listing[] = []
  for (const collection of collections) {
    // With the slash that collections end with: without it, servers answer that it is missing.
    const url = spelled(collection.endsWith('/') ? collection : `${collection}/`)
    if (levelOf(url) - outermost > most) noteIncomplete(incomplete, {href: url, reason: 'shallow'})
    else found.push({query, url, depth: 1, isFirst: false})
  }
  return found
}

/**
 * Relates the results of a listing to the root. What it says of the collection itself, or of what is around it, is left out
 * where their own listings have reported them.
 */
function placing<P>(
  root: string,
  {url}: ListingAnswer<P>,
  isFirst: boolean,
): (batch: readonly DavResult<P>[]) => readonly DavResult<P>[] {
  if (root === url && isFirst) return (batch) => batch
  const base = canonicalPathOf(root)
  const self = canonicalPathOf(url)
  return (batch) => {
    const placed: DavResult<P>[] = []
    for (const result of batch) {
      if (result.href === '') {
        placed.push(result)
        continue
      }
      const path = canonicalPathOf(result.url)
      const relation = relate(path, base)
      const isAround = relation !== 'outside' && relate(self, path) !== 'outside'
      const isReported = isAround && !(isFirst && path === self)
      if (!result.ok || !isReported) placed.push({...result, relation})
    }
    return placed
  }
}

function notListed(url: string): DavError {
  return new DavError(
    `The answer to PROPFIND ${url} names neither the resource nor what is in it`,
    {method: 'PROPFIND', url},
  )
}

function levelOf(url: string): number {
  return canonicalPathOf(url).split('/').length
}
