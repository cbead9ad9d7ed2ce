/**
 * The summary of a stream of results, and the gaps that make a listing incomplete. RFC 4918, section 9.1; RFC 6578, section 3.6.
 */

import {MAX_INCOMPLETE} from '../protocol/bounds.ts'
import type {DavResult, Failure} from './result.ts'

/** The end of a stream of results: its counts, and its completeness. */
export interface Summary {
  /**
   * True if every member was reported, as a Success or a Failure. Only then may a sync job delete local files. In a browser, a server
   * on another origin must expose `Link`. A page cannot tell a hidden header from a missing one, which marks the last page.
   */
  readonly complete: boolean
  /** The gaps; empty if `complete` is true. At most 1,000: of more, the last one names the root of the server for all others. */
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
  /**
   * The extent of a sync: `changes` since the token, or `all` resources, because there was no token or the server had lost it.
   * Without a state, a resource that a complete sync of `all` does not name is gone.
   */
  readonly covers?: 'changes' | 'all'
}

/** A collection that was not fully listed. */
export interface Incomplete {
  /** The collection, as a URL or as the server wrote its href. */
  readonly href: string
  /**
   * The reason of the gap.
   *
   * - `storage`: the server left out members (507).
   * - `shallow`: the members of a collection, or of a resource that may be one, were not listed.
   * - `refused`: the server refused to list it.
   * - `failed`: the listing failed.
   * - `paged`: there are further pages that were not read.
   * - `self`: the response for the collection itself is a failure, or the answer is no listing of it.
   * - `stopped`: the program stopped reading.
   * - `malformed`: a response could not be understood.
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
  /** 507 for `storage`; the status of a refused or failed listing. */
  readonly status?: number
}

/** Adds a gap to a bounded list. At the bound, one last gap names the root of the server, and stands for all others. */
export function noteIncomplete(to: Incomplete[], incomplete: Incomplete): void {
  if (to.length < MAX_INCOMPLETE - 1) to.push(incomplete)
  else if (to.length < MAX_INCOMPLETE)
    to.push({href: URL.parse('/', incomplete.href)?.href ?? incomplete.href, reason: 'failed'})
}

/** Makes the gap of a result that may have members of its own, or may be a member by another name. */
export function incompleteResult({ok, url, status}: DavResult<unknown>): Incomplete {
  if (ok) return {href: url, reason: 'shallow'}
  const reason = status === 507 ? 'storage' : 'failed'
  return status === 0 ? {href: url, reason} : {href: url, reason, status}
}

/** Tells if the answer to a method lists members. Only a listing can be incomplete. */
export function lists(method: unknown): boolean {
  return method === 'PROPFIND' || picks(method)
}

/** Tells if the answer to a method lists the matches of a question, and not every member. */
export function picks(method: unknown): boolean {
  return method === 'REPORT' || method === 'SEARCH'
}

/** Tells if a method sets all properties or none. RFC 4918, section 9.2; RFC 5689, section 3. */
export function setsAll(method: string): boolean {
  return method === 'PROPPATCH' || method === 'MKCOL'
}

/** Makes the gap of a requested collection that refused its properties. It counts only if no member was listed. */
export function refusedSelf({url, relation, reason, status}: Failure): Incomplete | undefined {
  // After a 404 it has none of these properties, which is no refusal.
  if (relation !== 'self' || reason !== 'propstat' || status === 404) return undefined
  return {href: url, reason: 'self', status}
}

/**
 * Makes the gap of a requested collection that is a Failure. To a search, the 507 of its scope is one too: servers disagree about
 * which of the two is cut short. RFC 5323, section 2.3.2.
 */
export function incompleteSelf(failure: Failure, isOfMatches: boolean): Incomplete | undefined {
  const {url, relation, reason, status, missing} = failure
  if (isOfMatches && reason === 'status' && status === 507)
    return {href: url, reason: 'storage', status}
  // A resource that only refused its properties did answer. lighttpd writes a 403 without any property for a collection that it
  // may not list.
  const answered = reason === 'propstat' && status !== 507 && missing.length > 0
  if (relation !== 'self' || answered) return undefined
  return {href: url, reason: status === 507 ? 'storage' : 'self', status}
}
