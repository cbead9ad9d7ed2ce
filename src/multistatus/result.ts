/**
 * The result of one href: a {@link Success} or a {@link Failure}, told apart by `ok`. Plain readonly objects.
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
  /** Absolute, on the request's own origin, percent-encoded: the URL for further requests. */
  readonly url: string
  /** The relation of the href to the request URL. */
  readonly relation: Relation
  /** 200, 201, 204, …: the status of the response, or of its first propstat that has a 2xx one. */
  readonly status: number
  /** Values by property name, from propstats with a 2xx status only. */
  readonly properties: P
  /** Properties that the server answered with another status, and those whose value could not be decoded. */
  readonly missing: readonly PropertyFailure[]
  /** The server's words on the response, trimmed; our own if the server has none. RFC 4918, section 14.25. */
  readonly description?: string
  /** The number of requests for it, if it was sent more than once. */
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
  /** As the server wrote it, white space around it trimmed; empty if there was none. */
  readonly href: string
  /** Absolute, on the request's own origin, percent-encoded. The request URL if there was no href. */
  readonly url: string
  /** The relation of the href to the request URL; `outside` if there was no href. */
  readonly relation: Relation
  /** 423, 404, …; 0 for none. */
  readonly status: number
  /** The kind of failure. */
  readonly reason: FailureReason
  /** The cause of a missing answer, or of a request that was not sent; with reason `no-answer` only. */
  readonly cause?: FailureCause
  /** Names of the conditions in `DAV:error`, such as `lock-token-submitted` or `{ns}name`. RFC 4918, section 16. */
  readonly conditions: readonly string[]
  /** The server's answers for single properties. */
  readonly missing: readonly PropertyFailure[]
  /** The server's words on the response, trimmed; our own if the server has none. */
  readonly description?: string
  /** The other place of the resource, as the server wrote it. RFC 4918, section 14.9. */
  readonly location?: string
  /** The request to send again; `retry()` needs it. */
  readonly request?: FailedRequest
  /** Milliseconds that the server asks to wait, from Retry-After. */
  readonly retryAfter?: number
  /** Results that a 207 to the DELETE, COPY or MOVE of one target named, in the server's order, the target's own aside. */
  readonly members?: readonly DavResult[]
}

/**
 * - `status`: the response's own status is not 2xx; or it is, and `verify` found the resource still there.
 * - `propstat`: every propstat is non-2xx. The resource answered, the properties did not.
 * - `malformed`: a response that cannot be understood.
 * - `member`: the target of a DELETE, COPY or MOVE failed because members of it failed.
 * - `no-answer`: the exchange broke, or was never begun because the call ended. The outcome is unknown.
 * - `refused`: nothing was sent, or it must not be sent again. The target is invalid or guarded, or lacks a strong ETag that is
 *   needed. Or it leads to a redirect that a browser hides, or was answered by another resource.
 */
export type FailureReason = 'status' | 'propstat' | 'malformed' | 'member' | 'no-answer' | 'refused'

/**
 * - `network`: no connection, or one that broke.
 * - `timeout`: a time limit ran out.
 * - `aborted`: the call was ended during the wait for the answer.
 * - `not-sent`: the request was not sent, or not sent again. The call ended before, or no connection got free.
 * - `unreadable`: there was an answer, and it does not tell the outcome.
 */
export type FailureCause = 'network' | 'timeout' | 'aborted' | 'not-sent' | 'unreadable'

/** One property that the server gave no value for. */
export interface PropertyFailure {
  /** The property's name, as in `properties`. */
  readonly name: string
  /** The status of its propstat; 0 for an unreadable status, and for a value that could not be decoded. */
  readonly status: number
  /** Names of the conditions in the propstat's `DAV:error`. */
  readonly conditions: readonly string[]
  /** The server's words on the propstat, trimmed, or the reason why the value could not be decoded. */
  readonly description?: string
}

/** A request as plain data, to be sent again after a failure. Never holds a credential. */
export interface FailedRequest {
  /** The method, in upper case. */
  readonly method: string
  /** The URL, absolute. */
  readonly url: string
  /** The Depth header, if the method has one, or a walk of everything below. */
  readonly depth?: Depth | Walk
  /** The destination of a COPY or MOVE, absolute. */
  readonly destination?: string
  /** The URL that `relation` of the results is meant to, if that is another one. */
  readonly root?: string
  /** Conditional headers, such as `if-match`, by name in lower case. */
  readonly conditions?: Readonly<Record<string, string>>
  /** `success` if a missing target counts as deleted. */
  readonly ifMissing?: 'failure' | 'success'
  /** `true` if a success is to be verified. */
  readonly verify?: boolean
  /** The request body, if there was one. */
  readonly body?: string
  /** Times that it was sent so far. */
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

/** Tells if a result says that the resource is not there. */
export function isMissing(result: DavResult<unknown>): boolean {
  return !result.ok && result.reason === 'status' && isMissingStatus(result.status)
}

/** Results in two lists, each in the order of their arrival. */
export interface Partitioned<P> {
  /** Those with `ok: true`. */
  readonly successes: readonly Success<P>[]
  /** Those with `ok: false`. */
  readonly failures: readonly Failure[]
}

/**
 * Sorts results into two lists, each in the order of their arrival. Holds all of them.
 *
 * @returns The lists; a promise of them for an asynchronous source, which rejects with the errors of the source.
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
 * Tells if the same request may do better later: after 423, 424, 425, 429, 500, 502, 503, 504, 507 and `no-answer`. Not after
 * a refusal for good, such as 403 or 412, and not for a missing resource, such as 404.
 */
export function isRetryable(failure: Failure): boolean {
  if (failure.reason === 'malformed' || failure.reason === 'refused') return false
  return failure.reason === 'no-answer' || RETRYABLE.has(failure.status)
}
