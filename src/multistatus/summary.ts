/** The summary of a stream of results, at its end. */

import {MAX_INCOMPLETE} from '../protocol/bounds.ts'
import type {DavResult, Failure} from './result.ts'

/** Counts, and the completeness of a listing. */
export interface Summary {
  /** Every member that the server has was reported. A program may delete locally only if this is true. */
  readonly complete: boolean
  /** The gaps: none if `complete` is true. Of more than 1,000, the last one names the root of the server for all others. */
  readonly incomplete: readonly Incomplete[]
  /** The number of results with `ok: true`. */
  readonly successes: number
  /** The number of results with `ok: false`. */
  readonly failures: number
  /** The number of requests, repeated ones included; 0 from the parser, which sends none. */
  readonly requests: number
  /** The server's words on the whole answer, trimmed. RFC 4918, section 14.25. */
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
   * - `shallow`: its members were not listed, or those of a resource that may be a collection or a member by another name.
   * - `refused`: the server refused to list it.
   * - `failed`: the listing failed.
   * - `paged`: there are further pages that were not read.
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
  /** 507 for `storage`, and the status that a refused or failed listing was answered with. */
  readonly status?: number
}

/** Adds a gap to a list with a bound. The last one is about the server as a whole, and stands for the rest. */
export function noteIncomplete(to: Incomplete[], incomplete: Incomplete): void {
  if (to.length < MAX_INCOMPLETE - 1) to.push(incomplete)
  else if (to.length < MAX_INCOMPLETE)
    to.push({href: URL.parse('/', incomplete.href)?.href ?? incomplete.href, reason: 'failed'})
}

/** Makes the gap of a result that may hold members, or may be one by another name. */
export function incompleteResult({ok, url, status}: DavResult<unknown>): Incomplete {
  if (ok) return {href: url, reason: 'shallow'}
  const reason = status === 507 ? 'storage' : 'failed'
  return status === 0 ? {href: url, reason} : {href: url, reason, status}
}

/** Tells if the answer to a method lists members, so that it can be incomplete. */
export function lists(method: string): boolean {
  return method === 'PROPFIND' || method === 'REPORT' || method === 'SEARCH'
}

/** Makes the possible gap of an answer to which the request URL itself refused to tell its properties. */
export function refusedSelf({url, relation, reason, status}: Failure): Incomplete | undefined {
  // A 404 says that it has none of the properties.
  if (relation !== 'self' || reason !== 'propstat' || status === 404) return undefined
  return {href: url, reason: 'self', status}
}

/** Makes the gap of an answer with a Failure of the request URL itself. */
export function incompleteSelf(failure: Failure): Incomplete | undefined {
  const {url, relation, reason, status, missing} = failure
  // A resource that gave no property answered all the same. But lighttpd writes a 403 without any for a collection that it
  // may not list.
  const answered = reason === 'propstat' && status !== 507 && missing.length > 0
  if (relation !== 'self' || answered) return undefined
  return {href: url, reason: status === 507 ? 'storage' : 'self', status}
}
