/**
 * DELETE, with one verdict on the target whatever the server answers, and one on each member that it names.
 * RFC 4918, sections 9.6 and 9.6.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import type {ResultStream} from '../multistatus/result-stream.ts'
import type {Properties} from '../properties/vocabulary.ts'
import type {Attempt} from '../retry/attempts.ts'
import {withAttempts} from '../retry/attempts.ts'
import type {ResolvedPolicy, RetryPolicy} from '../retry/policy.ts'
import {resolvePolicy} from '../retry/policy.ts'
import type {AnswerHead, MultiStatusAnswer} from './answer.ts'
import {readAnswer, readHead} from './answer.ts'
import {createCall} from './call.ts'
import type {DeleteRequest} from './delete-verdict.ts'
import {brokenVerdict, plainVerdict, verdictOf, withRequest} from './delete-verdict.ts'
import type {Line, Session} from './session.ts'
import type {Target} from './target.ts'
import {guardTarget, resolveTarget} from './target.ts'

/** How a resource is deleted. */
export interface DeleteOptions {
  /**
   * What a target that is not there is: `failure`, or `success` for jobs whose aim is that it is gone.
   *
   * @defaultValue `failure`
   */
  readonly ifMissing?: 'failure' | 'success' | undefined
  /**
   * Allows the client's own base, and what is outside it, as a target.
   *
   * @defaultValue `false`
   */
  readonly unguarded?: boolean | undefined
  /** Sends the request again where its target failed for now. */
  readonly retry?: RetryPolicy | undefined
  /** Ends the call; reading it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** Checks the options and makes the stream. Nothing is sent yet. */
export function deleteOne(
  session: Session,
  target: Target,
  options: DeleteOptions = {},
): ResultStream {
  const request = settleDelete(session, target, options)
  const policy = options.retry === undefined ? session.retry : resolvePolicy(options.retry)
  const {signal} = options
  return createCall(session, {href: request.url, signal}, async function* (line) {
    if (policy === undefined) {
      yield* deleteTarget(session, line, request)
    } else {
      const {results, problem} = await deleteRepeatedly(session, line, request, policy)
      yield problem === undefined ? results : results.slice(0, -1)
      if (problem !== undefined) throw problem
    }
    return {incomplete: []}
  })
}

/** The options with their defaults. Throws TypeError where one makes no sense. */
export function settleOptions({ifMissing = 'failure', unguarded = false}: DeleteOptions): {
  readonly ifMissing: 'failure' | 'success'
  readonly unguarded: boolean
} {
  if (ifMissing !== 'failure' && ifMissing !== 'success') {
    throw new TypeError("ifMissing is 'failure' or 'success'")
  }
  return {ifMissing, unguarded}
}

/**
 * The DELETE of a target.
 *
 * @throws TypeError where the target is none, or one that the guards refuse.
 */
export function settleDelete(
  session: Session,
  target: Target,
  options: DeleteOptions,
): DeleteRequest {
  const {ifMissing, unguarded} = settleOptions(options)
  const url = resolveTarget(target, session.base)
  if (!unguarded) guardTarget(url, session.base, 'DELETE')
  return {url: url.href, attempts: 0, ifMissing}
}

/**
 * Sends one DELETE. Gives the members' results as they arrive and the verdict on the target last.
 *
 * @throws DavNetworkError, DavTimeoutError and MultiStatusError where the exchange broke; the signal's reason.
 */
async function* deleteTarget(
  session: Session,
  line: Line,
  request: DeleteRequest,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  const {url, conditions} = request
  const response = await line.send({
    method: 'DELETE',
    url,
    headers: {...conditions, depth: 'infinity'},
  })
  const head = readHead(response, url)
  const answer = await readAnswer<Properties>(session, response, {method: 'DELETE', url: head.url})
  if (answer.kind === 'plain') yield [plainVerdict(request, head, answer)]
  else yield* readVerdicts(request, head, answer)
  return undefined
}

/** The same as one of many: a broken exchange is the target's Failure. */
export async function* deleteAmongMany(
  session: Session,
  line: Line,
  request: DeleteRequest,
  policy: ResolvedPolicy | undefined,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  if (policy !== undefined) {
    yield (await deleteRepeatedly(session, line, request, policy)).results
    return undefined
  }
  try {
    yield* deleteTarget(session, line, request)
  } catch (error) {
    yield [brokenVerdict(request, error)]
  }
  return undefined
}

interface DeleteAttempt extends Attempt {
  readonly results: readonly DavResult[]
  /** What broke the exchange; the last one of the results is then the Failure that says so. */
  readonly problem: unknown
}

function deleteRepeatedly(
  session: Session,
  line: Line,
  request: DeleteRequest,
  policy: ResolvedPolicy,
): Promise<DeleteAttempt> {
  return withAttempts(policy, line.signal, async (number) => {
    const current = {...request, attempts: request.attempts + number - 1}
    const results: DavResult[] = []
    let problem: unknown
    try {
      for await (const batch of deleteTarget(session, line, current)) {
        for (const result of batch) results.push(result)
      }
    } catch (error) {
      results.push(brokenVerdict(current, error))
      problem = error
    }
    const verdict = results.at(-1)
    if (verdict === undefined || verdict.ok) return {results, problem, causes: []}
    // What stands because of members is worth another attempt where one of theirs is.
    const causes =
      verdict.reason === 'member' ? results.slice(0, -1).filter((result) => !result.ok) : [verdict]
    return {results, problem, causes, retryAfter: verdict.retryAfter}
  })
}

/** Reads the members' results and ends with the verdict on the target. */
async function* readVerdicts(
  request: DeleteRequest,
  head: AnswerHead,
  {batches}: MultiStatusAnswer<Properties>,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  let self: DavResult | undefined
  let hasFailures = false
  for await (const batch of batches) {
    const members: DavResult[] = []
    for (const result of batch) {
      if (result.relation === 'self') {
        // Where the target is named twice, the failure is the verdict.
        if (self === undefined || self.ok) self = result
        continue
      }
      hasFailures ||= !result.ok
      members.push(result.ok ? result : withRequest(result, request))
    }
    yield members
  }
  yield [verdictOf(request, head, self, hasFailures)]
  return undefined
}
