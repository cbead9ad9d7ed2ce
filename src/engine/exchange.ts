/**
 * Sends one request for one target, once. Reads the results of the members that the answer names, and the verdict on the target.
 * RFC 4918, sections 9.6.1, 9.8.5 and 9.9.4.
 */

import type {AnswerHead, MultiStatusAnswer} from '../call/answer.ts'
import {readAnswer, readHead} from '../call/answer.ts'
import type {Submission} from '../call/submission.ts'
import {submit} from '../call/submission.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import {keepSelf, selfOf} from '../listing/presence.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {UNDECODED} from '../properties/decode.ts'
import type {Properties} from '../properties/vocabulary.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {refuseElsewhere} from '../transport/redirects.ts'
import {isStreamed} from '../transport/request-body.ts'
import type {DavRequest} from '../transport/transport.ts'
import {judge} from './locks.ts'
import {changed} from './payload.ts'
import type {Outcome, TargetRequest, VerbContext} from './verb.ts'
import {
  documentVerdict,
  lossOf,
  plainVerdict,
  sentAgain,
  unclear,
  withRefusedAttempt,
  withSentence,
} from './verdict.ts'

/** The body of a request. */
type Content = Pick<DavRequest, 'body' | 'length' | 'onSent' | 'onWhole'>

/**
 * Sends one request with the tokens of the locks that it touches. Sends it once more if the server misunderstood the tokens. Emits
 * the results of members as they arrive, and returns the verdict on the target.
 *
 * @param content - The body of an upload. Default: the XML body of the request.
 * @throws DavNetworkError, DavTimeoutError or MultiStatusError for a broken exchange; NotSentError; the signal's reason.
 */
export async function exchange(
  asked: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  content: Content = xmlOf(asked),
): Promise<Outcome> {
  const submission = submit(asked, context.connection.locks)
  let request = asked
  const send = async (header: string | undefined, isAlone = false): Promise<Outcome> => {
    const sent = await exchangeOnce(asked, {...submission, header, isAlone}, context, emit, content)
    ;({request} = sent)
    return sent.outcome
  }
  const again = {
    alone: () => withCount(send(submission.header, true)),
    withHeader: (header: string | undefined) => withCount(send(header)),
    withLocks: () => withCount(exchange(asked, context, emit, content)),
  }
  const first = await send(submission.header)
  if (first.verdict.ok) return first
  // An earlier attempt that was carried out has ended the locks, which are not lost then.
  const seen =
    context.mayBeDone === true && (await reconsider(request, first, first.verdict, context))
  if (seen !== false && seen.verdict.ok) return seen
  const mayRepeat = first.extent === 'none' && !isStreamed(content.body)
  const judged = await judge(first, submission, context, mayRepeat ? again : undefined)
  if (judged.verdict.ok) return judged
  const {verdict, ...outcome} =
    seen !== false && judged === first
      ? seen
      : await reconsider(request, judged, judged.verdict, context)
  return {...outcome, verdict: verdict.ok ? verdict : {...verdict, ...lossOf(judged.verdict)}}
}

/** Counts the refused request before this one. */
async function withCount(sent: Promise<Outcome>): Promise<Outcome> {
  const outcome = await sent
  return {...outcome, verdict: withRefusedAttempt(outcome.verdict)}
}

/** Sends one request once. */
async function exchangeOnce(
  asked: TargetRequest,
  {header, locks, isAlone}: Pick<Submission, 'header' | 'locks'> & {readonly isAlone: boolean},
  context: VerbContext,
  emit: Sink<DavResult>,
  content: Content,
): Promise<{readonly outcome: Outcome; readonly request: TargetRequest}> {
  const {session, connection, verb} = context
  const {method, url, conditions, lockToken} = asked
  const submitted = header === undefined ? undefined : {if: header}
  const headers = {...conditions, ...submitted, ...verb.headers(asked, session)}
  const tokens = [...locks.map(({token}) => token), ...(lockToken === undefined ? [] : [lockToken])]
  const {answer: response, isBeside} = await session.lockTurns.send(
    tokens,
    isAlone,
    connection.ending,
    () => connection.send({method, url, headers, ...content}),
  )
  const head = readHead(response, url, connection.repeats)
  const isElsewhere = head.url !== url && canonicalPathOf(head.url) !== canonicalPathOf(url)
  if (isElsewhere && verb.followsRedirects !== true)
    await refuseElsewhere(response, asked, head.url)
  const request = isElsewhere ? changed(asked, {url: head.url}) : asked
  // An answer names the properties that were set, and has no values.
  const reading = {method, url: head.url, decoders: UNDECODED}
  const answer = await readAnswer<Properties>(session, response, reading)
  const {verdict: first, failsMembers} =
    answer.kind === 'plain'
      ? {verdict: plainVerdict(verb, request, head, answer, connection.sent), failsMembers: false}
      : await readMembers(request, head, answer, context, emit)
  const verdict = verb.conclude?.(request, first, head, answer, session) ?? first
  if (verdict.ok) {
    const seen =
      request.verify === true && verb.verify !== undefined
        ? await verb.verify(request, verdict, context, emit, head.server)
        : verdict
    // The server reported success. A failed check does not change that the request was done.
    const isDone = seen.ok || seen.reason === 'no-answer'
    const extent = seen.ok && !failsMembers ? 'all' : 'part'
    return {request, outcome: {verdict: seen, extent, isDone, server: head.server}}
  }
  const isUnbegun = answer.kind === 'plain' && isRefusedUnbegun(verdict.status)
  const extent = isUnbegun ? 'none' : 'part'
  return {request, outcome: {verdict, extent, isDone: false, isBeside, server: head.server}}
}

function xmlOf({body}: TargetRequest): Pick<DavRequest, 'body'> {
  return body === undefined ? {} : {body}
}

/** Lets the verb check an outcome without success. If the check breaks too, the outcome stays. */
export async function reconsider(
  request: TargetRequest,
  outcome: Outcome,
  verdict: Failure,
  context: VerbContext,
): Promise<Outcome> {
  const {connection, verb} = context
  try {
    const seen = await verb.reconsider?.(request, verdict, context)
    if (seen?.ok === true) return {verdict: seen, extent: 'all', isDone: true}
    return seen === undefined ? outcome : {...outcome, verdict: seen, isChecked: true}
  } catch (error) {
    if (error instanceof DavError || (connection.isGraceful && connection.isEnd(error)))
      return outcome
    throw error
  }
}

/**
 * Statuses with which servers refuse a request before they begin. Not 403, 405 and 409: rclone answers 405 at the first member
 * that it cannot delete, after it has deleted others. RFC 9110, section 15.5.
 */
const REFUSED_UNBEGUN: ReadonlySet<number> = new Set([
  400, 401, 404, 407, 408, 410, 411, 412, 413, 414, 415, 417, 421, 423, 425, 426, 428, 429, 431,
])

function isRefusedUnbegun(status: number): boolean {
  return (status >= 300 && status < 400) || REFUSED_UNBEGUN.has(status)
}

/** Emits the results of members. Returns the verdict on the target, and tells if members of it failed. */
async function readMembers(
  request: TargetRequest,
  head: AnswerHead,
  answer: MultiStatusAnswer<Properties>,
  {verb}: VerbContext,
  emit: Sink<DavResult>,
): Promise<{readonly verdict: DavResult; readonly failsMembers: boolean}> {
  const place = placing(request)
  const selves: DavResult[] = []
  /** Results for the destination itself, as results for the target. */
  const ends: DavResult[] = []
  let failedMembers = 0
  let isWhole = true
  for await (const batch of answer.batches) {
    const members: DavResult[] = []
    for (const named of batch) {
      const result = place(named)
      if (result.relation === 'self') {
        keepSelf(named.relation === 'self' ? selves : ends, result)
        continue
      }
      // A result outside may be a member by another name, because some servers leave out the base path.
      if (!result.ok) failedMembers++
      const sent = result.ok ? undefined : verb.forMember(request, result)
      members.push(sent === undefined ? result : {...result, request: sentAgain(sent)})
    }
    if (await emit(members)) continue
    isWhole = false
    break
  }
  const all = [...selves, ...ends]
  const own = selfOf(all, request.url)
  // If an answer names the target twice, the failure is the verdict. If it names both ends, that of the target is.
  const self = own?.ok === true ? (all.find(({ok}) => !ok) ?? own) : own
  const failsMembers = failedMembers > 0
  const isCounted = failsMembers && verb.afterMembers !== undefined
  const counted = isCounted ? changed(request, {failedMembers}) : request
  const verdict = documentVerdict(verb, counted, head, self, failsMembers)
  if (!isWhole) return {verdict, failsMembers}
  const {description: words, incomplete} = answer.summary()
  if (verdict.ok && incomplete.length > 0) {
    const sentence = words ?? 'A part of the Multi-Status document could not be understood'
    return {verdict: unclear(request, 'unreadable', sentence), failsMembers: true}
  }
  // The description of the whole answer is about the target.
  const description = verdict.description ?? words
  const told = {...verdict, ...(description !== undefined && {description})}
  const end = selves.some(({ok}) => !ok) ? ends.find(({ok}) => !ok) : undefined
  if (end === undefined) return {verdict: told, failsMembers}
  return {
    verdict: withSentence(told, `The answer says ${end.status} of the destination`),
    failsMembers,
  }
}

/**
 * Relates results to the destination too, because the answer to a COPY or MOVE may name members there. A result for the
 * destination itself is a verdict on the target, with the href of the destination.
 */
function placing({url, destination}: TargetRequest): (result: DavResult) => DavResult {
  if (destination === undefined) return (result) => result
  const base = canonicalPathOf(destination)
  return (result) => {
    if (result.relation !== 'outside' || result.href === '') return result
    const relation = relate(canonicalPathOf(result.url), base)
    return relation === 'self' ? {...result, relation, url} : {...result, relation}
  }
}
