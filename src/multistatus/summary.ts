/** What can be said of a stream of results when it has ended. */

import type {Failure} from './result.ts'

/** Counts, and whether the listing was whole. */
export interface Summary {
  /** Every member that the server has was reported. A program may delete locally only where this is true. */
  readonly complete: boolean
  /** Why not, with the hrefs concerned: empty where `complete` is true. Of more than 1,000, the last one names the root of the server for all the others. */
  readonly incomplete: readonly Incomplete[]
  /** How many results were a Success. */
  readonly successes: number
  /** How many results were a Failure. */
  readonly failures: number
  /** How many requests were sent, repeated ones included; 0 from the parser, which sends none. */
  readonly requests: number
  /** What the server says about the whole answer, trimmed. RFC 4918, section 14.25. */
  readonly description?: string
  /** The state of the collection for the next sync-collection. RFC 6578, section 6.2. */
  readonly syncToken?: string
}

/** A collection that was not fully listed. */
export interface Incomplete {
  /** The collection, as a URL or as the server wrote its href. */
  readonly href: string
  /**
   * - `storage`: the server left members out (507 on the collection itself).
   * - `shallow`: what is in it, or in a resource that may be a collection or a member by another name, was not listed.
   * - `refused`: the server would not list it.
   * - `failed`: listing it failed.
   * - `paged`: there are more pages than were read.
   * - `self`: the collection itself was answered with a failure, or the answer is not a listing of it.
   * - `stopped`: the caller stopped reading.
   * - `malformed`: a response that could not be understood was left out.
   */
  readonly reason:
    | 'storage'
    | 'shallow'
    | 'refused'
    | 'failed'
    | 'paged'
    | 'self'
    | 'stopped'
    | 'malformed'
  /** 507 for `storage`, and what a refused or failed listing was answered with. */
  readonly status?: number
}

// Each failed member of a tree may be one. The first ones say enough: the listing is not complete.
const MOST_INCOMPLETE = 1000

/** Adds a reason, as long as there are few enough of them. The last one is about the server as a whole, and stands for the rest. */
export function noteIncomplete(to: Incomplete[], incomplete: Incomplete): void {
  if (to.length < MOST_INCOMPLETE - 1) to.push(incomplete)
  else if (to.length < MOST_INCOMPLETE)
    to.push({href: URL.parse('/', incomplete.href)?.href ?? incomplete.href, reason: 'failed'})
}

/** Whether the answer to a method lists members, so that it can be incomplete. */
export function lists(method: string): boolean {
  return method === 'PROPFIND' || method === 'REPORT' || method === 'SEARCH'
}

/** That a listing may not be complete, where the request URL itself answered, and refused to tell its properties. */
export function refusedSelf({url, relation, reason, status}: Failure): Incomplete | undefined {
  // What has none of the properties says 404.
  if (relation !== 'self' || reason !== 'propstat' || status === 404) return undefined
  return {href: url, reason: 'self', status}
}

/** That a listing is not complete, where a Failure says so of the request URL itself. */
export function incompleteSelf(failure: Failure): Incomplete | undefined {
  const {url, relation, reason, status, missing} = failure
  // Where no property was given, the resource answered all the same; but lighttpd writes a 403 without any for one that
  // it may not list.
  const answered = reason === 'propstat' && status !== 507 && missing.length > 0
  if (relation !== 'self' || answered) return undefined
  return {href: url, reason: status === 507 ? 'storage' : 'self', status}
}
