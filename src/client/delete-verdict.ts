/**
 * What the answer to a DELETE says of its target: exactly one verdict, whatever the server answered. Knows no network.
 * RFC 4918, sections 9.6.1 and 9.6.2.
 */

import type {
  DavResult,
  FailedRequest,
  Failure,
  FailureReason,
  Success,
} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import type {AnswerHead, PlainAnswer} from './answer.ts'

/** What a DELETE is, once it is settled. */
export interface DeleteRequest {
  readonly url: string
  readonly conditions?: Readonly<Record<string, string>> | undefined
  /** How often it was sent before. */
  readonly attempts: number
  readonly ifMissing: 'failure' | 'success'
}

/** The verdict after a Multi-Status document: its own word on the target, or what follows from the members. */
export function verdictOf(
  request: DeleteRequest,
  head: AnswerHead,
  self: DavResult | undefined,
  hasFailures: boolean,
): DavResult {
  const isRefused = head.status >= 300
  if (self !== undefined && !(self.ok && isRefused)) {
    if (self.ok) return self
    return countsAsDeleted(request, self.status)
      ? successOf(request, self.status)
      : withRequest(self, request)
  }
  if (hasFailures)
    return failureOf(request, {status: 424, reason: 'member', retryAfter: head.retryAfter})
  if (isRefused)
    return failureOf(request, {status: head.status, reason: 'status', retryAfter: head.retryAfter})
  return successOf(request, head.status)
}

/** The verdict that an answer without a Multi-Status document is. */
export function plainVerdict(
  request: DeleteRequest,
  head: AnswerHead,
  answer: PlainAnswer,
): DavResult {
  const {status, retryAfter, location} = head
  if (status === 207) {
    const description =
      answer.problem instanceof Error
        ? answer.problem.message
        : 'The 207 has no Multi-Status document'
    return failureOf(request, {status, reason: 'malformed', description})
  }
  if (isSuccessStatus(status) || countsAsDeleted(request, status)) return successOf(request, status)
  return failureOf(request, {
    status,
    reason: 'status',
    conditions: answer.conditions,
    retryAfter,
    location,
  })
}

/** What is not there is deleted where that was wanted, or where an earlier attempt may have done it unheard. */
function countsAsDeleted({attempts, ifMissing}: DeleteRequest, status: number): boolean {
  return (status === 404 || status === 410) && (attempts > 0 || ifMissing === 'success')
}

/** The verdict where the exchange broke. What is not the network's or the server's fault is thrown on. */
export function brokenVerdict(request: DeleteRequest, error: unknown): Failure {
  if (!(error instanceof DavError)) throw error
  return failureOf(request, {status: 0, reason: 'no-answer', description: error.message})
}

function successOf({url}: DeleteRequest, status: number): Success {
  return {
    ok: true,
    href: new URL(url).pathname,
    url,
    relation: 'self',
    status,
    properties: {},
    missing: [],
  }
}

function failureOf(
  request: DeleteRequest,
  facts: {
    readonly status: number
    readonly reason: FailureReason
    readonly conditions?: readonly string[]
    readonly retryAfter?: number | undefined
    readonly location?: string | undefined
    readonly description?: string
  },
): Failure {
  const {status, reason, conditions = [], retryAfter, location, description} = facts
  const failure: Failure = {
    ok: false,
    href: new URL(request.url).pathname,
    url: request.url,
    relation: 'self',
    status,
    reason,
    conditions,
    missing: [],
    ...(description !== undefined && {description}),
    ...(location !== undefined && {location}),
    ...(retryAfter !== undefined && {retryAfter}),
  }
  return withRequest(failure, request)
}

/** What was named outside the target cannot be deleted over it: nothing that a server writes may choose our targets. */
export function withRequest(failure: Failure, {url, conditions, attempts}: DeleteRequest): Failure {
  if (failure.relation === 'outside') return failure
  const isTarget = failure.relation === 'self'
  const again: FailedRequest = {
    method: 'DELETE',
    url: isTarget ? url : failure.url,
    depth: 'infinity',
    ...(isTarget && conditions !== undefined && {conditions}),
    attempts: attempts + 1,
  }
  return {...failure, request: again}
}
