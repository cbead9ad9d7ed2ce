/**
 * A listing query of a caller, its single requests (listings), and the Failures from which `retry` can send them again. Sends
 * nothing.
 */

import {reasonOf} from '../call/answer.ts'
import {spelled} from '../call/target.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {picks} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {MAX_LEVELS} from '../protocol/bounds.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {isWalk} from '../protocol/depth.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import type {Relation} from '../protocol/href.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import type {Pages} from './pages.ts'

/** The query of a caller: the resource, the depth and the properties. It may take many requests. */
export interface ListingQuery {
  /** `PROPFIND`, `REPORT` or `SEARCH`. */
  readonly method: string
  readonly url: string
  /** The URL to which results are related. It changes once, if a redirect adds a slash. */
  root: string
  readonly depth: Depth | Walk
  readonly body: string
  readonly decoders: Decoders
  /** True for a report, whose answer may be a content of its own, and no Multi-Status document. */
  readonly mayBeContent?: boolean
  /** The pages to request for each collection. */
  readonly pages?: Pages | undefined
  /** The number of requests in earlier calls. */
  readonly attempts: number
}

/** One listing of a query: the request for one collection, or for another resource. */
export interface Listing {
  readonly query: ListingQuery
  readonly url: string
  readonly depth: Depth
  /** True for the resource of the query, false for collections found below it. */
  readonly isFirst: boolean
  /** True after a refusal of Depth infinity. */
  readonly isRefused?: boolean
  /** The number of times it was sent. */
  sent?: number
}

/** Makes the query of a PROPFIND. */
export function propfindQuery(
  url: string,
  body: string,
  depth: Depth | Walk = 0,
  decoders: Decoders = {},
): ListingQuery {
  return {method: 'PROPFIND', url, root: url, depth, body, decoders, attempts: 0}
}

/** Tells if a query is for everything below. A report with Depth infinity is one request, and nothing follows it. */
export function isDeep({method, depth}: Pick<ListingQuery, 'method' | 'depth'>): boolean {
  return !picks(method) && (depth === 'infinity' || isWalk(depth))
}

/** Reads the number of levels of collections to list. */
export function levelsOf({depth}: ListingQuery): number {
  return isWalk(depth) ? (depth.levels ?? MAX_LEVELS) : MAX_LEVELS
}

/**
 * Adds the request for a failed member to its Failure. It asks for everything below too, if the query did. A report or a search
 * cannot be narrowed to a member, so its request is the whole one.
 */
export function withRequest(failure: Failure, {query, sent = 0}: Listing): Failure {
  const {method, url, body, depth, root, attempts} = query
  const again = {method, body, attempts: attempts + sent}
  if (picks(method))
    return {...failure, request: {...again, url, ...(method === 'REPORT' && {depth})}}
  if (failure.relation === 'outside') return failure
  const isWhole = failure.relation === 'self' || isDeep(query)
  return {
    ...failure,
    request: {
      ...again,
      url: spelled(failure.url),
      depth: isWhole ? depth : 0,
      ...(isDeep(query) && root !== failure.url && {root}),
    },
  }
}

/** Completes the result of a request for one resource: a Success with its attempts, a Failure with the request. */
export function withAttempts<P>(result: DavResult<P>, listing: Listing): DavResult<P> {
  if (!result.ok) return withRequest(result, listing)
  const attempts = listing.query.attempts + (listing.sent ?? 1)
  return listing.depth === 0 && attempts > 1 ? {...result, attempts} : result
}

/** Makes the Failure of a refused or broken listing. Throws any error that is neither of the network nor of the server. */
export function listingFailure(listing: Listing, error: unknown): Failure {
  if (!(error instanceof DavError)) throw error
  const {url, query} = listing
  const relation = relate(canonicalPathOf(url), canonicalPathOf(query.root))
  return withRequest(failureOf(error, url, relation), listing)
}

/** Makes the Failure of a refused or broken request. */
export function failureOf(error: DavError, url: string, relation: Relation): Failure {
  if (error instanceof DavHttpError) {
    const {status, conditions, retryAfter, location, message} = error
    // The message of a 401 names the schemes that the server accepts.
    const description = error.description ?? (status === 401 ? message : undefined)
    const facts = {status, conditions, description, retryAfter, location}
    return createFailure({url, relation, reason: 'status', ...facts})
  }
  const {message: description} = error
  return createFailure({url, relation, status: 0, ...reasonOf(error), description})
}

/** Makes the error of an unusable answer. */
export function listingError({method}: ListingQuery, url: string, sentence: string): DavError {
  return new DavError(sentence, {method, url})
}

/** Makes the gap of a failed listing. */
export function incompleteListing({url, status}: Failure): Incomplete {
  return status === 0 ? {href: url, reason: 'failed'} : {href: url, reason: 'refused', status}
}
