/**
 * The result of one href, a {@link Success} or a {@link Failure}, and the helpers that tell them apart. Plain readonly objects,
 * no classes: results cross queues and processes as JSON. RFC 4918, sections 13 and 14.24.
 */

import type {Depth, Walk} from '../protocol/depth.ts'
import type {Relation} from '../protocol/href.ts'
import {isMissingStatus} from '../protocol/status.ts'
import type {Properties} from '../properties/vocabulary.ts'
import type {XmlElement} from '../xml/element.ts'

/** The result of one href. `ok` tells the two kinds apart. */
export type DavResult<P = Properties> = Success<P> | Failure

/** A resource that the server has, or for which it did the request. */
export interface Success<P = Properties> {
  /** Always true. */
  readonly ok: true
  /** The href as the server wrote it, trimmed. It may hold control characters: print it through `visible`. */
  readonly href: string
  /** The absolute URL for further requests, percent-encoded. Always on the request's own origin. */
  readonly url: string
  /** The relation of the href to the request URL. */
  readonly relation: Relation
  /** 200, 201, 204, …: the status of the response, else that of its first 2xx propstat. */
  readonly status: number
  /** Values by property name, from 2xx propstats only. */
  readonly properties: P
  /** Properties that the server answered with another status, and properties with an undecodable value. */
  readonly missing: readonly PropertyFailure[]
  /** The server's words about the resource, trimmed; words of this package if the server has none. RFC 4918, section 14.25. */
  readonly description?: string
  /** The number of attempts, as `retry` counts them; absent for one. A repetition after a 401 is none. */
  readonly attempts?: number
  /** The ETag of the content that was written or read, as the server wrote it; absent without one. RFC 9110, section 8.8.3. */
  readonly etag?: string
  /** The absolute URL of the new resource after a COPY or MOVE. */
  readonly destination?: string
  /** Of a report whose answer is no Multi-Status document: that answer. RFC 3253, section 3.6. */
  readonly content?: ReportContent
  /** Of a dry run: the request that would be sent. */
  readonly request?: FailedRequest
  /** The other results of a 207 to a DELETE, COPY or MOVE of one target, in the server's order. */
  readonly members?: readonly DavResult[]
}

/** The answer to a report that is no Multi-Status document, such as the free-busy times of RFC 4791, section 7.10. */
export interface ReportContent {
  /** The media type, as the server wrote it; empty without one. */
  readonly type: string
  /** The whole body. */
  readonly text: string
  /** The root element of an XML document. */
  readonly root?: XmlElement
}

/** A resource for which the request failed, or its outcome is unknown. Plain data, which survives JSON. */
export interface Failure {
  /** Always false. */
  readonly ok: false
  /** The href as the server wrote it, trimmed; empty without one. */
  readonly href: string
  /** The absolute URL, percent-encoded. Always on the request's own origin. The request URL without an href. */
  readonly url: string
  /** The relation of the href to the request URL; `outside` without an href. */
  readonly relation: Relation
  /** 423, 404, …; 0 without a status. */
  readonly status: number
  /** The kind of failure. */
  readonly reason: FailureReason
  /** The cause of a missing answer. With reason `no-answer` only. */
  readonly cause?: FailureCause
  /** Names of the conditions in `DAV:error`, such as `lock-token-submitted` or `{ns}name`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /**
   * The absolute URLs that the conditions of a refused request name, on its own origin. For `lock-token-submitted` and
   * `no-conflicting-lock` they are those of the locked resources. Left out without any, and for a resource of a 207. RFC 4918,
   * section 16.
   */
  readonly conditionUrls?: readonly string[]
  /** The properties that the server refused, each with its status. */
  readonly missing: readonly PropertyFailure[]
  /**
   * The server's words about the resource, trimmed; words of this package if the server has none. Of a 401, these tell if
   * credentials were missing or refused.
   */
  readonly description?: string
  /**
   * The target of a redirect, as the server wrote it: from `DAV:location` or the Location header. RFC 4918, section 14.9. With
   * reason `refused`, the URL of the resource that answered.
   */
  readonly location?: string
  /** The request to send again. `retry()` needs it. */
  readonly request?: FailedRequest
  /** Milliseconds to wait, by the server's Retry-After. */
  readonly retryAfter?: number
  /**
   * The tokens of your locks that the request submitted, and that are known not to hold any more. Somebody else may have written
   * since. RFC 4918, sections 6.6 and 10.4.
   */
  readonly lostLocks?: readonly string[]
  /** The other results of a 207 to a DELETE, COPY or MOVE of one target, in the server's order. */
  readonly members?: readonly DavResult[]
}

/**
 * The kind of a failure.
 *
 * - `status`: the response's own status is not 2xx; or it is, and `verify` found something else than it says.
 * - `propstat`: the resource answered, and refused its properties or one that was to be set. Or its answer did not name one that
 *   was to be set, or `verify` found another value.
 * - `malformed`: a response that cannot be understood, or an answer to GET that contradicts itself or its request.
 * - `member`: the target of a DELETE, COPY or MOVE failed because members of it failed.
 * - `no-answer`: the exchange broke, or never began because the call ended. The outcome is unknown.
 * - `refused`: nothing was sent, or it must not be sent again. The target is invalid or guarded, or lacks a strong ETag that is
 *   needed. Or it is a collection, which has no content to read. Or it leads to a redirect that a browser hides, or was answered by
 *   another resource. Or the server is known not to have the method. Or a certificate or a proxy keeps the client from the server.
 */
export type FailureReason = 'status' | 'propstat' | 'malformed' | 'member' | 'no-answer' | 'refused'

/**
 * The cause of a missing answer.
 *
 * - `network`: no connection, or a broken one.
 * - `timeout`: a time limit ran out.
 * - `aborted`: the call ended while it waited for the answer.
 * - `not-sent`: the request was not sent, or not sent again. The call ended before, or no connection got free. Or an HTTP/2 server
 *   says that it did not process it.
 * - `unreadable`: there was an answer that does not tell the outcome.
 */
export type FailureCause = 'network' | 'timeout' | 'aborted' | 'not-sent' | 'unreadable'

/** A property without a value. */
export interface PropertyFailure {
  /** Its name, as in `properties`. */
  readonly name: string
  /** The status of its propstat; 0 for an unreadable status and for an undecodable value. */
  readonly status: number
  /** Names of the conditions in the propstat's `DAV:error`. */
  readonly conditions: readonly string[]
  /** The server's words about the propstat, trimmed, or the reason why the value could not be decoded. */
  readonly description?: string
}

/** A request as plain data, to be sent again. Never holds credentials. */
export interface FailedRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The absolute URL. */
  readonly url: string
  /** The Depth header, if the method has one, or a walk of everything below. */
  readonly depth?: Depth | Walk
  /** The absolute URL of the destination of a COPY or MOVE. */
  readonly destination?: string
  /** `true` if a COPY or MOVE may replace a resource. RFC 4918, section 10.6. */
  readonly overwrite?: boolean
  /** Of a COPY or MOVE that failed because of members: their number. Without all of them, `retry` sends the target again. */
  readonly failedMembers?: number
  /** `true` if missing parent collections are made. */
  readonly parents?: boolean
  /** The media type of an upload. */
  readonly type?: string
  /** The token of the lock that a LOCK refreshes or an UNLOCK removes. */
  readonly lockToken?: string
  /** The Timeout header of a LOCK. RFC 4918, section 10.7. */
  readonly timeout?: string
  /** `true` if the new lock is refreshed before its end. */
  readonly renew?: boolean
  /** `true` if an upload goes beside its target first. */
  readonly safely?: boolean
  /** The protocol of an upload. Default: `auto`. */
  readonly strategy?: 'plain' | 'nextcloud' | 'tus'
  /** Bytes of one chunk of an upload. */
  readonly chunkSize?: number
  /** `true` if an upload needs a server that honours its conditions. */
  readonly requireConditions?: boolean
  /** The URL to which `relation` of the results refers, if that is another one. */
  readonly root?: string
  /** Conditional headers, such as `if-match`, by name in lower case. */
  readonly conditions?: Readonly<Record<string, string>>
  /** `success` if a missing target counts as deleted. */
  readonly ifMissing?: 'failure' | 'success'
  /** `true` if the client is to check each success at the server. */
  readonly verify?: boolean
  /** Of a multiget report: the hrefs that belong behind the properties in its body. */
  readonly hrefs?: readonly string[]
  /** The XML body of the request, if it had one. The body of an upload is no plain data, so it is not here. */
  readonly body?: string
  /** The number of times it was sent so far. */
  readonly attempts: number
}

/** Recognizes a {@link Success}. */
export function isSuccess<P>(result: DavResult<P>): result is Success<P> {
  return result.ok
}

/** Recognizes a {@link Failure}. */
export function isFailure(result: DavResult<unknown>): result is Failure {
  return !result.ok
}

/** Recognizes the Failure of a resource that is not there: 404 or 410. */
export function isMissing(result: DavResult<unknown>): boolean {
  return !result.ok && result.reason === 'status' && isMissingStatus(result.status)
}

/** Results in two lists, each in the order of their arrival. */
export interface Partitioned<P> {
  /** The results with `ok: true`. */
  readonly successes: readonly Success<P>[]
  /** The results with `ok: false`. */
  readonly failures: readonly Failure[]
}

/**
 * Sorts results into two lists, each in the order of their arrival. Holds all results in memory.
 *
 * @returns The lists. For an asynchronous source, a promise of them, which rejects with the errors of the source.
 * @example
 * ```ts
 * const {failures} = await partition(dav.deleteMany(targets))
 * ```
 */
export function partition<P>(results: Iterable<DavResult<P>>): Partitioned<P>
export function partition<P>(results: AsyncIterable<DavResult<P>>): Promise<Partitioned<P>>
export function partition<P>(
  results: Iterable<DavResult<P>> | AsyncIterable<DavResult<P>>,
): Partitioned<P> | Promise<Partitioned<P>>
export function partition<P>(
  results: Iterable<DavResult<P>> | AsyncIterable<DavResult<P>>,
): Partitioned<P> | Promise<Partitioned<P>> {
  const successes: Success<P>[] = []
  const failures: Failure[] = []
  const sort = (result: DavResult<P>): void => {
    if (result.ok) successes.push(result)
    else failures.push(result)
  }
  if (Symbol.iterator in results) {
    for (const result of results) sort(result)
    return {successes, failures}
  }
  return (async () => {
    for await (const result of results) sort(result)
    return {successes, failures}
  })()
}

// Too slow, locked, failed dependency, too early, too many requests, server trouble, no space, too many bytes (cPanel's 509). All of
// them may pass by themselves.
const RETRYABLE: ReadonlySet<number> = new Set([
  408, 423, 424, 425, 429, 500, 502, 503, 504, 507, 509,
])

/**
 * Tells if the same request may do better later: after 408, 423, 424, 425, 429, 500, 502, 503, 504, 507, 509 and `no-answer`. False
 * for a lasting refusal, such as 403 or 412, and for a missing resource, such as 404.
 */
export function isRetryable(failure: Failure): boolean {
  const {reason, status, missing} = failure
  if (reason === 'malformed' || reason === 'refused') return false
  // A property fails with 424 because of another one.
  if (reason === 'propstat' && status === 424)
    return missing.some((property) => property.status !== 424 && RETRYABLE.has(property.status))
  return reason === 'no-answer' || RETRYABLE.has(status)
}
