/**
 * Listings of many collections as one stream. Depth infinity is asked for once; where it is refused, a walk of Depth 1
 * requests takes its place, and where the answer was cut, what it left out is walked. RFC 4918, section 9.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {isCollection, typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {DavError, DavHttpError, MultiStatusError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {CallSummary} from './call.ts'
import {Coverage} from './coverage.ts'
import type {Frontier, Listing} from './frontier.ts'
import type {ListingAnswer, Manner} from './listing.ts'
import {incompleteMember, list} from './listing.ts'
import {merge} from './merge.ts'
import {isDeep, levelsOf, listingFailure, withRequest} from './order.ts'

/** How the collections are listed. */
export interface WalkManner extends Manner {
  /** Requests under way at once. */
  readonly concurrency: number
  /** Is aborted when the reader goes away. */
  readonly stop: AbortController
  /** Whether what goes wrong with an order as a whole is thrown. Else it is a Failure, as it is for what was found below. */
  readonly throws: boolean
  /** What is known not to be whole so far. More is added as it is found. */
  readonly incomplete: Incomplete[]
}

// A server that does not answer Depth infinity says so in one of these ways, or with a page for people.
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 405, 501, 507])

/** Lists what is on the frontier and what is found there. Each resource is reported once. */
export async function* walk<P>(
  frontier: Frontier,
  manner: WalkManner,
): AsyncGenerator<readonly DavResult<P>[], CallSummary, undefined> {
  const {incomplete, concurrency, stop, line} = manner
  let first: CallSummary | undefined
  const giveUp = (error: unknown): never => {
    frontier.end()
    throw error
  }
  const run = async function* (
    listing: Listing,
  ): AsyncGenerator<readonly DavResult<P>[], undefined, undefined> {
    const {order, url} = listing
    let found: readonly Listing[]
    try {
      const end = yield* listOne<P>(listing, manner)
      // That is known now, and not before: who may not see a collection is refused in the same words.
      if (listing.depth === 1 && order.depth === 'infinity' && listing.isFirst)
        manner.session.server.refusesInfinity = true
      if (listing.isFirst) first ??= end.summary
      incomplete.push(...end.summary.incomplete)
      found = listingsOf(end.collections, listing, incomplete)
    } catch (error) {
      if (line.signal?.aborted === true || !(error instanceof DavError)) giveUp(error)
      if (error instanceof DepthRefused) {
        found = [{...listing, depth: 1}]
      } else {
        if (listing.isFirst && manner.throws) giveUp(error)
        const failure = listingFailure(order, url, error)
        yield [failure]
        const {status} = failure
        incomplete.push(
          status === 0 ? {href: url, reason: 'failed'} : {href: url, reason: 'refused', status},
        )
        found = []
      }
    }
    frontier.settle(listing, found)
    return undefined
  }
  yield* merge(frontier, {concurrency, signal: line.signal, stop}, run)
  return {...first, incomplete}
}

/** What one listing gave. */
interface Listed {
  readonly summary: CallSummary
  /** The URLs of collections that must be listed by themselves. */
  readonly collections: readonly string[]
}

async function* listOne<P>(
  {order, url, depth, isFirst}: Listing,
  manner: WalkManner,
): AsyncGenerator<readonly DavResult<P>[], Listed, undefined> {
  const {body} = order
  const policy = depth === 'infinity' ? withoutRefusals(manner.policy) : manner.policy
  const answer = await list<P>({url, depth, body}, {...manner, policy}).catch((error: unknown) => {
    throw depth === 'infinity' && isRefusal(error) ? new DepthRefused() : error
  })
  if (isFirst && order.root === order.url) order.root = answer.url
  else checkAnswerer(url, answer)
  const place = placing<P>(order.root, answer.url, isFirst)
  const coverage = new Coverage(answer.url)
  const incomplete: Incomplete[] = []
  const types = new Types()
  let isBegun = false
  for await (const batch of answer.batches) {
    if (!isBegun && depth === 'infinity' && batch.some(refusesDepth)) throw new DepthRefused()
    isBegun ||= batch.length > 0
    if (isDeep(order)) {
      coverage.see(batch)
      types.see(batch)
      for (const result of batch) {
        const missing = result.ok ? undefined : incompleteMember(result)
        if (missing !== undefined) incomplete.push(missing)
      }
    }
    const placed = place(batch)
    yield placed.map((result) => (result.ok ? result : withRequest(result, order)))
  }
  const end = answer.end()
  if (types.areUnsure) incomplete.push({href: answer.url, reason: 'shallow'})
  return {
    summary: {...end, incomplete: [...end.incomplete, ...incomplete]},
    collections: isDeep(order) ? coverage.unlisted() : [],
  }
}

/** The listings of collections that were found, as far down as the order goes. */
function listingsOf(
  collections: readonly string[],
  {order}: Listing,
  incomplete: Incomplete[],
): readonly Listing[] {
  const outermost = levelOf(order.root)
  const most = levelsOf(order)
  const found: Listing[] = []
  for (const collection of collections) {
    // With the slash that collections end with: without it, servers answer that it is missing.
    const url = collection.endsWith('/') ? collection : `${collection}/`
    if (levelOf(url) - outermost > most) incomplete.push({href: url, reason: 'shallow'})
    else found.push({order, url, depth: 1, isFirst: false})
  }
  return found
}

/** Relates the results of a listing to the root, and leaves out the collection itself where its own listing reported it. */
function placing<P>(
  root: string,
  url: string,
  isFirst: boolean,
): (batch: readonly DavResult<P>[]) => readonly DavResult<P>[] {
  if (root === url) return (batch) => batch
  const base = canonicalPathOf(root)
  return (batch) =>
    batch
      .filter(({ok, relation}) => isFirst || !ok || relation !== 'self')
      .map((result) => related(result, base))
}

function related<P>(result: DavResult<P>, base: string): DavResult<P> {
  return {...result, relation: relate(canonicalPathOf(result.url), base)}
}

/** Whether members may be collections that nothing tells from files: no types are given, and no slashes written. */
class Types {
  #isSelfBare = false
  #isUntold = false

  get areUnsure(): boolean {
    return this.#isSelfBare && this.#isUntold
  }

  see(batch: readonly DavResult<unknown>[]): void {
    for (const result of batch) {
      if (!result.ok || result.relation === 'outside') continue
      if (result.relation === 'self') this.#isSelfBare ||= !result.href.endsWith('/')
      else this.#isUntold ||= typesOf(result.properties) === undefined && !isCollection(result)
    }
  }
}

/**
 * A collection that leads elsewhere may lead to what is around it, and so without end.
 *
 * @throws DavError
 */
function checkAnswerer(url: string, answer: ListingAnswer<unknown>): void {
  if (canonicalPathOf(url) === canonicalPathOf(answer.url)) return
  throw new DavError(`PROPFIND ${url} was redirected to ${answer.url}, which is another resource`)
}

/** Depth infinity was refused, and nothing was given out. */
class DepthRefused extends DavError {}

function isRefusal(error: unknown): boolean {
  if (error instanceof DavHttpError) return REFUSALS.has(error.status)
  return error instanceof MultiStatusError && error.reason === 'not-multistatus'
}

/** Whether a Failure in the answer refuses Depth infinity for the resource itself. RFC 4918, section 9.1. */
function refusesDepth(result: DavResult<unknown>): boolean {
  return (
    !result.ok && result.relation === 'self' && result.conditions.includes('propfind-finite-depth')
  )
}

/** A refusal of Depth infinity will not go away. */
function withoutRefusals(policy: Manner['policy']): Manner['policy'] {
  if (policy === undefined) return undefined
  return {
    ...policy,
    retryable: (failure) => !REFUSALS.has(failure.status) && policy.retryable(failure),
  }
}

function levelOf(url: string): number {
  return canonicalPathOf(url).split('/').length
}
