/**
 * What the answer to a DELETE says of its target: exactly one verdict, whatever the server answered. Knows no network.
 * RFC 4918, sections 9.6.1 and 9.6.2.
 */

import type {
  DavResult,
  Failure,
  FailureCause,
  FailureReason,
  Success,
} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {NotSentError} from '../retry/not-sent.ts'
import {ElsewhereError, HiddenRedirectError} from '../transport/redirects.ts'
import type {AnswerHead, PlainAnswer} from '../call/answer.ts'
import {causeOf} from '../call/answer.ts'
import type {DeleteRequest} from '../verbs/delete-target.ts'
import {formatRequest} from '../verbs/delete-target.ts'
import {isMissingStatus} from '../listing/presence.ts'
import {isSafelyBelow, spelled} from '../call/target.ts'

/** The verdict after a Multi-Status document: its own word on the target, or what follows from the members. */
export function verdictOf(
  request: DeleteRequest,
  head: AnswerHead,
  self: DavResult | undefined,
  hasFailures: boolean,
): DavResult {
  const isRefused = head.status >= 300
  if (self !== undefined && !(self.ok && isRefused)) {
    if (self.ok) return {...self, ...(request.attempts > 0 && {attempts: request.attempts + 1})}
    return countsAsDeleted(request, self.status)
      ? successOf(request, self.status)
      : withRequest(self, request)
  }
  if (!hasFailures && countsAsDeleted(request, head.status)) return successOf(request, head.status)
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
  const {conditions, description: words} = answer
  if (status === 207) {
    const problem = answer.problem()
    const found =
      problem instanceof Error ? problem.message : 'The 207 has no Multi-Status document'
    const description = words === '' ? found : words
    return failureOf(request, {status, reason: 'malformed', conditions, description})
  }
  if (isSuccessStatus(status) && (answer.isCut || answer.isError)) {
    const found = answer.isCut ? 'was cut off' : 'is a DAV:error'
    const description =
      words === '' ? `The DELETE was answered ${status}, and its body ${found}` : words
    return failureOf(request, {
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      conditions,
      description,
    })
  }
  if (isSuccessStatus(status) || countsAsDeleted(request, status)) return successOf(request, status)
  return failureOf(request, {
    status,
    reason: 'status',
    conditions,
    retryAfter,
    location,
    ...(words !== '' && {description: words}),
  })
}

/** The verdict where a part of the answer could not be understood, which may tell of a failure. */
export function unreadableVerdict(request: DeleteRequest, words: string | undefined): Failure {
  const description = words ?? 'A part of the Multi-Status document could not be understood'
  return failureOf(request, {status: 0, reason: 'no-answer', cause: 'unreadable', description})
}

/** What is not there is deleted where that was wanted, or where an earlier attempt may have done it unheard. */
function countsAsDeleted({attempts, ifMissing}: DeleteRequest, status: number): boolean {
  return isMissingStatus(status) && (attempts > 0 || ifMissing === 'success')
}

/**
 * The verdict where the exchange broke, or was never begun because the call ended. What is not the network's or the server's
 * fault is thrown on.
 */
export function brokenVerdict(
  request: DeleteRequest,
  error: unknown,
  ending?: AbortSignal,
): Failure {
  if (error instanceof NotSentError) {
    const {attempts} = request
    const description = attempts > 0 ? 'It was not sent again' : 'It was not sent'
    const failure = failureOf(request, {
      status: 0,
      reason: 'no-answer',
      cause: 'not-sent',
      description: `${description}: the call was ended`,
    })
    return {...failure, request: formatRequest(request)}
  }
  if (ending?.aborted === true && error === ending.reason) {
    const description = 'The call was ended before the answer came'
    return failureOf(request, {status: 0, reason: 'no-answer', cause: 'aborted', description})
  }
  if (!(error instanceof DavError)) throw error
  const {message: description} = error
  if (error instanceof HiddenRedirectError || error instanceof ElsewhereError)
    return failureOf(request, {status: 0, reason: 'refused', description})
  return failureOf(request, {status: 0, reason: 'no-answer', cause: causeOf(error), description})
}

/** The verdict on a target that a DELETE of the same call has deleted with what it is in. */
export function coveredVerdict(request: DeleteRequest, status: number): Success {
  const verdict = successOf(request, status)
  const description = 'Deleted together with a target that it is in'
  const {description: accepted} = verdict
  return {...verdict, description: accepted ? `${description}. ${accepted}` : description}
}

/** The verdict on a target that an earlier attempt has deleted. */
export function goneVerdict(request: DeleteRequest): Success {
  return successOf(request, 404)
}

/** What stands for the verdict on a target where nothing is sent. */
export function plannedVerdict(request: DeleteRequest): Success {
  const description = 'Not sent: this is a dry run'
  return {...successOf(request, 0), description, request: formatRequest(request)}
}

/** The verdict on a target that was said to be deleted, and stands. RFC 4918, section 9.6.1. */
export function standingVerdict(
  request: DeleteRequest,
  {status}: Success,
  hasMembers: boolean,
): Failure {
  const description = `It is still there after a DELETE that was answered ${status}`
  return hasMembers
    ? failureOf(request, {status: 424, reason: 'member', description})
    : failureOf(request, {status, reason: 'status', description})
}

/** The verdict on a target that was said to be deleted, where that could not be seen. */
export function unseenVerdict(
  request: DeleteRequest,
  {status}: Success,
  cause: FailureCause,
  why: string,
): Failure {
  const description = `The DELETE was answered ${status}, but whether it is gone could not be seen: ${why}`
  return failureOf(request, {status: 0, reason: 'no-answer', cause, description})
}

function successOf(request: DeleteRequest, status: number): Success {
  const {url, attempts} = request
  return {
    ok: true,
    href: pathOf(url),
    url,
    relation: 'self',
    status,
    properties: {},
    missing: [],
    ...(status === 202 && {description: 'Accepted, and perhaps not done yet'}),
    ...(attempts > 0 && {attempts: attempts + 1}),
  }
}

function failureOf(
  request: DeleteRequest,
  facts: {
    readonly status: number
    readonly reason: FailureReason
    readonly cause?: FailureCause
    readonly conditions?: readonly string[]
    readonly retryAfter?: number | undefined
    readonly location?: string | undefined
    readonly description?: string
  },
): Failure {
  const {status, reason, cause, conditions = [], retryAfter, location, description} = facts
  const failure: Failure = {
    ok: false,
    href: pathOf(request.url),
    url: request.url,
    relation: 'self',
    status,
    reason,
    ...(cause !== undefined && {cause}),
    conditions,
    missing: [],
    ...(description !== undefined && {description}),
    ...(location !== undefined && {location}),
    ...(retryAfter !== undefined && {retryAfter}),
  }
  return withRequest(failure, request)
}

/**
 * A failed member can be deleted by itself. What was named outside the target cannot, nor what a server may take for that:
 * nothing that a server writes may choose our targets.
 */
export function withRequest(failure: Failure, request: DeleteRequest): Failure {
  if (failure.relation === 'outside') return failure
  const sent = formatRequest({...request, attempts: request.attempts + 1})
  if (failure.relation === 'self') return {...failure, request: sent}
  if (!isSafelyBelow(failure.url, request.url)) return failure
  const {conditions, ...others} = sent
  // The lock is on the target, and its token is needed for what is in it too. RFC 4918, sections 7.5 and 10.4.2.
  const token = conditions?.['if']
  return {
    ...failure,
    request: {
      ...others,
      url: spelled(failure.url),
      ...(token !== undefined && {conditions: {if: token}}),
    },
  }
}

/** The path of an absolute URL, as it is written. */
function pathOf(url: string): string {
  return /^[^:]+:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? ''
}
