/** The query of a PROPFIND, however many requests it takes, and the failures that ask for parts of it again. */

import {causeOf} from '../call/answer.ts'
import {spelled} from '../call/target.ts'
import {createFailure} from '../multistatus/failure.ts'
import type {Failure} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {MAX_LEVELS} from '../protocol/bounds.ts'
import type {Depth, Walk} from '../protocol/depth.ts'
import {isWalk} from '../protocol/depth.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import type {Relation} from '../protocol/href.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'

/** The resource, the depth and the properties that a caller asks for. */
export interface ListingQuery {
  readonly url: string
  /** The URL that results are related to. It changes once, if the answer comes from another URL. */
  root: string
  readonly depth: Depth | Walk
  readonly body: string
  readonly decoders: Decoders
  /** Requests for it in earlier calls. */
  readonly attempts: number
}

/** One request of a query: the PROPFIND of one collection, or of another resource. */
export interface Listing {
  readonly query: ListingQuery
  readonly url: string
  readonly depth: Depth
  /** Tells the resource of the query from the collections found below. */
  readonly isFirst: boolean
  /** Set after a refusal of Depth infinity. */
  readonly isRefused?: boolean
  /** Times that it was sent so far. */
  sent?: number
}

/** Tells if a query asks for everything below. */
export function isDeep({depth}: Pick<ListingQuery, 'depth'>): boolean {
  return depth === 'infinity' || isWalk(depth)
}

/** Gives the number of levels of collections to list. */
export function levelsOf({depth}: ListingQuery): number {
  return isWalk(depth) ? (depth.levels ?? MAX_LEVELS) : MAX_LEVELS
}

/** Adds the request that asks for a failed member by itself; with all below it, if the query asked for that. */
export function withRequest(failure: Failure, {query, sent = 0}: Listing): Failure {
  if (failure.relation === 'outside') return failure
  const {body, depth, root, attempts} = query
  const isWhole = failure.relation === 'self' || isDeep(query)
  return {
    ...failure,
    request: {
      method: 'PROPFIND',
      url: spelled(failure.url),
      depth: isWhole ? depth : 0,
      ...(isDeep(query) && root !== failure.url && {root}),
      body,
      attempts: attempts + sent,
    },
  }
}

/** Makes the Failure of a listing that was refused or broke. Throws any error that is not the network's or the server's. */
export function listingFailure(listing: Listing, error: unknown): Failure {
  if (!(error instanceof DavError)) throw error
  const {url, query} = listing
  const relation = relate(canonicalPathOf(url), canonicalPathOf(query.root))
  return withRequest(failureOf(error, url, relation), listing)
}

/** Makes the Failure of a PROPFIND that was refused or broke. */
export function failureOf(error: DavError, url: string, relation: Relation): Failure {
  if (error instanceof DavHttpError) {
    const {status, conditions, retryAfter, location, message} = error
    // The sentence on a 401 says which credentials the server wants.
    const description = error.description ?? (status === 401 ? message : undefined)
    const facts = {status, conditions, description, retryAfter, location}
    return createFailure({url, relation, reason: 'status', ...facts})
  }
  const {message: description} = error
  const isHidden = error instanceof HiddenRedirectError
  const why = isHidden
    ? ({reason: 'refused'} as const)
    : ({reason: 'no-answer', cause: causeOf(error)} as const)
  return createFailure({url, relation, status: 0, ...why, description})
}

/** Makes the error of a PROPFIND whose answer is of no use. */
export function propfindError(url: string, sentence: string): DavError {
  return new DavError(sentence, {method: 'PROPFIND', url})
}

/** Makes the gap in the whole that a failed listing is. */
export function incompleteListing({url, status}: Failure): Incomplete {
  return status === 0 ? {href: url, reason: 'failed'} : {href: url, reason: 'refused', status}
}
