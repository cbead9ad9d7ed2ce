/**
 * What happened to one href: a {@link Success} or a {@link Failure}, told apart by `ok`. Plain readonly objects.
 * RFC 4918, sections 13 and 14.24.
 */

import type {Depth, Walk} from '../protocol/depth.ts'
import type {Relation} from '../protocol/href.ts'
import {isMissingStatus} from '../protocol/status.ts'
import type {Properties} from '../properties/vocabulary.ts'

/** One verdict of the server about one href. */
export type DavResult<P = Properties> = Success<P> | Failure

/** The server did it, or had it. */
export interface Success<P = Properties> {
  /** Tells a success from a failure. */
  readonly ok: true
  /** As the server wrote it, white space around it trimmed. */
  readonly href: string
  /** Absolute, on the request's own origin, percent-encoded: what to send a request to. */
  readonly url: string
  /** Where the href stands to the request URL. */
  readonly relation: Relation
  /** 200, 201, 204, …: the status of the response, or of its first propstat that has a 2xx one. */
  readonly status: number
  /** Values by property name, from propstats with a 2xx status only. */
  readonly properties: P
  /** Properties that the server answered with another status, and those whose value could not be decoded. */
  readonly missing: readonly PropertyFailure[]
  /** What the server says about the response, trimmed; what we know of it where the server says nothing. RFC 4918, section 14.25. */
  readonly description?: string
  /** How often the request was sent for it, where that was more than once. */
  readonly attempts?: number
  /** The request of a dry run, which was not sent. */
  readonly request?: FailedRequest
  /** Results that a 207 to the DELETE, COPY or MOVE of one target named, in the server's order, the target's own aside. */
  readonly members?: readonly DavResult[]
}

/** The server did not do it, or did not say so, or we do not know. Plain data: it may cross a queue as JSON. */
export interface Failure {
  /** Tells a failure from a success. */
  readonly ok: false
  /** As the server wrote it, white space around it trimmed; empty where there was none. */
  readonly href: string
  /** Absolute, on the request's own origin, percent-encoded. The request URL where there was no href. */
  readonly url: string
  /** Where the href stands to the request URL; `outside` where there was no href. */
  readonly relation: Relation
  /** 423, 404, …; 0 where there is none. */
  readonly status: number
  /** What kind of failure it is. */
  readonly reason: FailureReason
  /** Why there is no answer, or why nothing was sent; with reason `no-answer` only. */
  readonly cause?: FailureCause
  /** Names of the conditions in `DAV:error`, such as `lock-token-submitted` or `{ns}name`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** What the server said of single properties. */
  readonly missing: readonly PropertyFailure[]
  /** What the server says about the response, trimmed; what we found wrong where the server says nothing. */
  readonly description?: string
  /** Where the resource is instead, as the server wrote it. RFC 4918, section 14.9. */
  readonly location?: string
  /** What to send again; `retry()` needs it. */
  readonly request?: FailedRequest
  /** Milliseconds that the server asks to wait, from Retry-After. */
  readonly retryAfter?: number
  /** Results that a 207 to the DELETE, COPY or MOVE of one target named, in the server's order, the target's own aside. */
  readonly members?: readonly DavResult[]
}

/**
 * - `status`: the response's own status is not 2xx; or it is, and `verify` has seen that the resource is still there.
 * - `propstat`: every propstat is non-2xx. The resource answered, the properties did not.
 * - `malformed`: a response that cannot be understood.
 * - `member`: the target of a DELETE, COPY or MOVE stands because members of it failed.
 * - `no-answer`: the exchange broke, or was never begun because the call ended. The outcome is unknown.
 * - `refused`: nothing was sent, or it must not be sent again. The target is invalid or guarded, has no strong ETag where one
 *   is needed, leads to a redirect that a browser hides, or was answered by another resource.
 */
export type FailureReason = 'status' | 'propstat' | 'malformed' | 'member' | 'no-answer' | 'refused'

/**
 * - `network`: no connection, or one that broke.
 * - `timeout`: a time limit ran out.
 * - `aborted`: the call was ended while the answer was waited for.
 * - `not-sent`: the request was not sent, or not sent again. The call ended before, or no connection got free.
 * - `unreadable`: there was an answer, and it does not tell the outcome.
 */
export type FailureCause = 'network' | 'timeout' | 'aborted' | 'not-sent' | 'unreadable'

/** One property that the server gave no value for. */
export interface PropertyFailure {
  /** The property's name, as in `properties`. */
  readonly name: string
  /** The status of its propstat; 0 where that could not be read, or where the value could not be decoded. */
  readonly status: number
  /** Names of the conditions in the propstat's `DAV:error`. */
  readonly conditions: readonly string[]
  /** What the server says about the propstat, trimmed, or why the value could not be decoded. */
  readonly description?: string
}

/** A request as plain data: what to send again after a failure. Never holds a credential. */
export interface FailedRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The URL, absolute. */
  readonly url: string
  /** The Depth header, where the method has one, or a walk of everything below. */
  readonly depth?: Depth | Walk
  /** The destination of a COPY or MOVE, absolute. */
  readonly destination?: string
  /** The URL to which `relation` of the results is meant, where that is another one. */
  readonly root?: string
  /** Conditional headers, such as `if-match`, by name in lower case. */
  readonly conditions?: Readonly<Record<string, string>>
  /** Where a target that is not there counts as deleted. */
  readonly ifMissing?: 'failure' | 'success'
  /** Whether a success was to be verified. */
  readonly verify?: boolean
  /** The request body, where there was one. */
  readonly body?: string
  /** How often it was sent so far. */
  readonly attempts: number
}

/** Whether a result is a {@link Success}. */
export function isSuccess<P>(result: DavResult<P>): result is Success<P> {
  return result.ok
}

/** Whether a result is a {@link Failure}. */
export function isFailure(result: DavResult<unknown>): result is Failure {
  return !result.ok
}

/** Tells if a result says that the resource is not there. */
export function isMissing(result: DavResult<unknown>): boolean {
  return !result.ok && result.reason === 'status' && isMissingStatus(result.status)
}

/** Results in two lists, each in the order in which they came. */
export interface Partitioned<P> {
  /** Those with `ok: true`. */
  readonly successes: readonly Success<P>[]
  /** Those with `ok: false`. */
  readonly failures: readonly Failure[]
}

/**
 * Sorts results into two lists, each in the order in which they came. Holds all of them.
 *
 * @returns The lists; a promise of them where the results come asynchronously, which rejects with what their source throws.
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

const RETRYABLE: ReadonlySet<number> = new Set([423, 424, 425, 429, 500, 502, 503, 504, 507])

/**
 * Whether the same request may do better later: 423, 424, 425, 429, 500, 502, 503, 504, 507 and `no-answer`. What the
 * server has refused for good, such as 403 or 412, and what it has not, such as 404, is not.
 */
export function isRetryable(failure: Failure): boolean {
  if (failure.reason === 'malformed' || failure.reason === 'refused') return false
  return failure.reason === 'no-answer' || RETRYABLE.has(failure.status)
}
