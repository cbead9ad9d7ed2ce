/**
 * Makes the one verdict on the target of a request, whatever the server answered. Knows no network and no method. RFC 4918,
 * sections 9.6.1, 9.8.5 and 9.9.4.
 */

import type {AnswerHead, PlainAnswer} from '../call/answer.ts'
import {causeOf} from '../call/answer.ts'
import type {Connection} from '../call/connection.ts'
import type {Session} from '../call/session.ts'
import {placeOf} from '../call/target.ts'
import type {FailureFacts} from '../multistatus/failure.ts'
import {createFailure, pathOf, UNREADABLE} from '../multistatus/failure.ts'
import type {DavResult, Failure, FailureCause, Success} from '../multistatus/result.ts'
import type {SentScheme} from '../protocol/challenge.ts'
import {explainChallenges} from '../protocol/challenge.ts'
import {DavError, DavNetworkError, visible} from '../protocol/errors.ts'
import {isSuccessStatus} from '../protocol/status.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {BarredError} from '../transport/barred.ts'
import {ElsewhereError} from '../transport/redirects.ts'
import {WithheldError} from '../transport/withheld.ts'
import {changed} from './payload.ts'
import type {TargetRequest, Verb} from './verb.ts'

/** Makes the verdict of a Multi-Status document: the response for the target, or else the conclusion from its members. */
export function documentVerdict(
  verb: Verb,
  request: TargetRequest,
  head: AnswerHead,
  self: DavResult | undefined,
  hasFailures: boolean,
): DavResult {
  const {status, retryAfter} = head
  const isRefused = status >= 300
  if (self !== undefined && !(self.ok && isRefused)) {
    if (self.ok) return {...self, ...attemptsOf(request)}
    return verb.isDone(request, self.status)
      ? succeed(request, self.status)
      : {...self, request: sentAgain(request)}
  }
  if (hasFailures) return fail(request, {status: 424, reason: 'member', retryAfter})
  return isRefused && !verb.isDone(request, status)
    ? fail(request, {status, reason: 'status', retryAfter})
    : succeed(request, status)
}

/** Makes the verdict of an answer without a Multi-Status document. */
export function plainVerdict(
  verb: Verb,
  request: TargetRequest,
  head: AnswerHead,
  answer: PlainAnswer,
  sent: SentScheme,
): DavResult {
  const {status, retryAfter, location} = head
  const {conditions, conditionUrls, description: words} = answer
  const told = {conditions, conditionUrls}
  // A 207 says nothing without its document.
  if (isSuccessStatus(status) && (status === 207 || answer.isCut || answer.isError)) {
    const found = answer.isCut
      ? 'was cut off'
      : answer.isError
        ? 'tells of an error'
        : 'is no Multi-Status document'
    const sentence = `The ${request.method} was answered ${status}, and its body ${found}`
    return fail(request, {...UNREADABLE, ...told, description: words || sentence})
  }
  if (isSuccessStatus(status) || verb.isDone(request, status)) return succeed(request, status)
  const description = words || explain401(head, sent)
  return fail(request, {status, reason: 'status', ...told, retryAfter, location, description})
}

/** Explains a 401: missing or refused credentials, or a scheme that the client lacks. */
export function explain401({status, challenges}: AnswerHead, sent: SentScheme): string | undefined {
  return status === 401 ? visible(explainChallenges(challenges, sent), 300) : undefined
}

/**
 * Makes the verdict of a broken exchange, or of a request that was not sent because the call ended. Throws any error that is
 * neither of the network nor of the server.
 */
export function brokenVerdict(
  request: TargetRequest,
  error: unknown,
  ending?: AbortSignal,
): Failure {
  if (error instanceof NotSentError) {
    const again = request.attempts > 0 ? 'It was not sent again' : 'It was not sent'
    return {...unclear(request, 'not-sent', `${again}: the call was ended`), request}
  }
  if (ending?.aborted === true && error === ending.reason)
    return unclear(request, 'aborted', 'The call was ended before the answer came')
  if (!(error instanceof DavError)) throw error
  const {message: description} = error
  if (error instanceof BarredError || error instanceof ElsewhereError)
    return failUnsent(request, description)
  return unclear(request, causeOf(error), description)
}

/**
 * Makes the verdict of a request that was answered with success, and whose check broke. The answer must be reported even after the
 * end of the call. Throws any error that is neither of the network nor of the server.
 */
export function uncheckedVerdict(
  request: TargetRequest,
  error: unknown,
  unseen: string,
  connection: Connection,
): Failure {
  if (connection.isGraceful && connection.isEnd(error))
    return unclear(request, 'aborted', `${unseen}: the call was ended`)
  if (!(error instanceof DavError)) throw error
  return unclear(request, causeOf(error), `${unseen}: ${error.message}`)
}

/** Makes the verdict of an answer that does not tell the outcome. */
export function unclear(request: TargetRequest, cause: FailureCause, description: string): Failure {
  return fail(request, {status: 0, reason: 'no-answer', cause, description})
}

/** Tells if a failed request may have been carried out: its answer was lost or unreadable, or a gateway did not wait for it. */
export function isUnclear(result: DavResult): boolean {
  if (result.ok) return false
  const {reason, status, cause} = result
  if (reason === 'no-answer') return cause !== 'not-sent'
  return reason !== 'malformed' && (status === 502 || status === 504)
}

/** Makes the verdict of a refusal, or of a repetition that was not sent, after an attempt that may have been carried out. */
export function doubt(verdict: Failure): Failure {
  const {status, reason, cause, description: words} = verdict
  const isUnsent = cause === 'not-sent'
  const isRefusal = reason === 'status' || reason === 'propstat' || reason === 'refused'
  if (!(isRefusal || isUnsent) || isUnclear(verdict)) return verdict
  const outcome = isUnsent ? 'not sent again' : status === 0 ? 'refused' : `answered ${status}`
  const sentence = `It was ${outcome}, and ${DOUBT}`
  const description = words === undefined ? sentence : `${sentence}. ${words}`
  return {...verdict, ...UNREADABLE, description}
}

const DOUBT = 'an earlier attempt may have done it'

/** Makes the error of an attempt that did not reach its resource, after one that may have been carried out. Returns any other error. */
export function doubtUnsent(error: unknown, {method, url}: TargetRequest): unknown {
  if (!(error instanceof WithheldError || error instanceof BarredError)) return error
  return new DavNetworkError(`${error.message}, and ${DOUBT}`, {cause: error, method, url})
}

/** Makes a Success of the target. */
export function succeed(request: TargetRequest, status: number, description?: string): Success {
  const accepted = status === 202 ? 'Accepted, and perhaps not done yet' : undefined
  const words = [description, accepted].filter((text) => text !== undefined).join('. ')
  return {
    ok: true,
    href: pathOf(request.url),
    url: request.url,
    relation: 'self',
    status,
    properties: {},
    missing: [],
    ...(words !== '' && {description: words}),
    ...attemptsOf(request),
  }
}

/** Makes the Failure of a target to which the request must not be sent, or not again. */
export function failUnsent(request: TargetRequest, description: string): Failure {
  return fail(request, {status: 0, reason: 'refused', description})
}

/** Makes a Failure of the target, with the request to send again. */
export function fail(request: TargetRequest, facts: Omit<FailureFacts, 'url'>): Failure {
  return createFailure({url: request.url, ...facts, request: sentAgain(request)})
}

/** Makes the Failure of a target for which another request failed. */
export function failLike(request: TargetRequest, failure: Failure, description: string): Failure {
  const {status, reason, cause, conditions, conditionUrls, retryAfter} = failure
  const facts = {status, reason, cause, conditions, conditionUrls, retryAfter, description}
  return {...fail(request, facts), ...lossOf(failure)}
}

/** Makes the Success of a target in a dry run. */
export function plan(request: TargetRequest): Success {
  return {...succeed(request, 0, 'Not sent: this is a dry run'), request}
}

/** Makes the Failure of a target that is not sent. It has the URL that the caller named, even on another origin. */
export function refuse(target: unknown, {base}: Session, description: string): Failure {
  return createFailure({...placeOf(target, base), status: 0, reason: 'refused', description})
}

/** Makes the Failure of a request whose method the server is known to lack; `undefined` for a request to send. */
export function refuseLack(
  session: Session,
  {method, url}: TargetRequest,
  {ignoreCapabilities}: {readonly ignoreCapabilities?: boolean | undefined},
): Failure | undefined {
  const lack =
    ignoreCapabilities === true ? undefined : session.server.capabilities.findLack(method, url)
  return lack === undefined
    ? undefined
    : refuse(url, session, `${method} ${url} is not sent: ${lack}`)
}

function attemptsOf({attempts}: TargetRequest): {attempts?: number} {
  return attempts > 0 ? {attempts: attempts + 1} : {}
}

/** Picks the lost locks of a failure, for another verdict on its target. */
export function lossOf({lostLocks}: Failure): Pick<Failure, 'lostLocks'> {
  return lostLocks === undefined ? {} : {lostLocks}
}

/** Adds a sentence to the description of a result. */
export function withSentence<R extends DavResult>(result: R, sentence: string): R {
  return {...result, description: [result.description, sentence].filter(Boolean).join('. ')}
}

/** Counts an attempt that the server refused as a whole. The request itself must not: a 412 would then look like its own write. */
export function withRefusedAttempt(verdict: DavResult): DavResult {
  // Not a copy, because a lock is an object of a class.
  if (verdict.ok) return Object.assign(verdict, {attempts: (verdict.attempts ?? 1) + 1})
  const {request} = verdict
  return request === undefined ? verdict : {...verdict, request: sentAgain(request)}
}

/** Counts one more attempt in a request. */
export function sentAgain(request: TargetRequest): TargetRequest {
  return changed(request, {attempts: request.attempts + 1})
}
