/** What a PROPFIND asks for, whatever requests that takes, and how what failed of it can be asked for again. */

import type {Depth, Walk} from '../protocol/depth.ts'
import {isWalk} from '../protocol/depth.ts'
import {DavError, DavHttpError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import {causeOf} from '../call/answer.ts'
import {spelled} from '../call/target.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {FailedRequest, Failure} from '../multistatus/result.ts'
import type {Incomplete} from '../multistatus/summary.ts'

const MOST_LEVELS = 100

/** What a PROPFIND asks for. */
export interface ListingQuery {
  readonly url: string
  /** What the results are related to. It becomes another URL where the answer comes from one. */
  root: string
  readonly depth: Depth | Walk
  readonly body: string
  readonly decoders: Decoders
  /** How often it was sent before. */
  readonly attempts: number
}

/** Whether everything below is asked for. */
export function isDeep({depth}: Pick<ListingQuery, 'depth'>): boolean {
  return depth === 'infinity' || isWalk(depth)
}

/** How many levels of collections are listed. */
export function levelsOf({depth}: ListingQuery): number {
  return isWalk(depth) ? (depth.levels ?? MOST_LEVELS) : MOST_LEVELS
}

/** A failed member can be asked for again by itself, and what is below it with it, where that was asked for. */
export function withRequest(failure: Failure, query: ListingQuery, times: number): Failure {
  if (failure.relation === 'outside') return failure
  const depth = failure.relation === 'self' || isDeep(query) ? query.depth : 0
  const {body, root, attempts} = query
  const request: FailedRequest = {
    method: 'PROPFIND',
    url: spelled(failure.url),
    depth,
    ...(isDeep(query) && root !== failure.url && {root}),
    body,
    attempts: attempts + times,
  }
  return {...failure, request}
}

/** A listing that was refused or broke, as one of many. What is not the network's or the server's fault is thrown on. */
export function listingFailure(
  query: ListingQuery,
  {url, times}: {url: string; times: number},
  error: unknown,
): Failure {
  if (!(error instanceof DavError)) throw error
  const relation = relate(canonicalPathOf(url), canonicalPathOf(query.root))
  const common = {ok: false, href: new URL(url).pathname, url, relation, missing: []} as const
  if (!(error instanceof DavHttpError)) {
    const {message: description} = error
    const why =
      error instanceof HiddenRedirectError
        ? ({reason: 'refused'} as const)
        : ({reason: 'no-answer', cause: causeOf(error)} as const)
    return withRequest({...common, status: 0, ...why, conditions: [], description}, query, times)
  }
  const {status, conditions, description, retryAfter, location} = error
  return withRequest(
    {
      ...common,
      status,
      reason: 'status',
      conditions,
      ...(description !== undefined && {description}),
      ...(retryAfter !== undefined && {retryAfter}),
      ...(location !== undefined && {location}),
    },
    query,
    times,
  )
}

/** What a listing that failed says of the whole. */
export function incompleteListing({url, status}: Failure): Incomplete {
  return status === 0 ? {href: url, reason: 'failed'} : {href: url, reason: 'refused', status}
}
