/**
 * Sends one request until its verdict is final. Only the last attempt is reported, so that each target has one verdict. Knows no
 * method. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {Sink} from '../multistatus/result-stream.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import type {Repeats} from '../retry/repeats.ts'
import {BarredError} from '../transport/barred.ts'
import {exchange, reconsider} from './exchange.ts'
import {FailedMembers} from './failed-members.ts'
import {endLocks} from './locks.ts'
import {changed, isOneShot} from './payload.ts'
import {runPhases} from './phases.ts'
import type {Attempt, Outcome, TargetRequest, VerbContext} from './verb.ts'
import {brokenVerdict, doubt, doubtUnsent, isUnclear} from './verdict.ts'

/**
 * Sends one request as often as the policy of the call allows. Emits the results of members, and returns the verdict. A broken
 * exchange is a Failure, with the error beside it. A body that can be read once only is sent once.
 */
export function sendWithRetries(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const {repeats} = context.connection
  return repeats === undefined || isOneShot(request)
    ? attempt(request, context, emit)
    : sendHeld(request, context, emit, repeats)
}

/** Sends a request until its verdict is final, and then emits the members. */
async function sendHeld(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
  repeats: Repeats,
): Promise<Outcome> {
  const {members, ...last} = await sendRepeatedly(request, context, repeats)
  await emit(members)
  return last
}

/** Sends a request, and then again the parts that failed: first the members, then the target. Successes are not repeated. */
async function sendRepeatedly(
  request: TargetRequest,
  context: VerbContext,
  repeats: Repeats,
): Promise<Attempt> {
  const {connection, verb, isRetriedElsewhere} = context
  const failed = new FailedMembers(request.url)
  let last = await attemptWhole(request, context)
  let hasBegun = last.extent !== 'none'
  failed.addAttempt(last)
  let done: DavResult | undefined
  let mayBeDone = context.mayBeDone === true
  for (let number = 1; !connection.ending.aborted; number++) {
    const {verdict, isDone} = last
    const members = failed.open
    const again = members.filter(
      (failure) =>
        failure.request !== undefined &&
        repeats.isRetryable(failure) &&
        isRetriedElsewhere?.(failure) !== true,
    )
    const isOfMembers =
      verb.afterMembers !== undefined &&
      verdict.status === 424 &&
      members.some((member) => member.request !== undefined || member.relation === 'outside')
    const wait = repeats.next(number, isDone ? again : causesOf(last, members), {
      asked: verdict.ok ? undefined : verdict.retryAfter,
      spends: !isDone && !isOfMembers,
    })
    if (wait === undefined) break
    try {
      await wait()
      await sendMembers(again, failed, context)
      if (isDone || (isOfMembers && failed.reported.length > 0)) continue
      // An attempt is more than one request if missing parents were made.
      const counted = verdict.ok ? 0 : (verdict.request?.attempts ?? 0)
      const sent = Math.max(request.attempts + number, counted)
      done = isOfMembers ? verb.afterMembers?.(changed(request, {attempts: sent - 1})) : undefined
      if (done !== undefined) break
      mayBeDone ||= isUnclear(verdict)
      last = await attemptWhole(changed(request, {attempts: sent}), {...context, mayBeDone})
    } catch (error) {
      if (!connection.isGraceful || !connection.isEnd(error)) throw error
      // The call has ended, but the answers so far are still true.
      break
    }
    hasBegun ||= last.extent !== 'none'
    failed.addAttempt(last)
  }
  const {reported} = failed
  const verdict = done ?? verdictOf(last, mayBeDone)
  const isWhole = verdict.ok && reported.length === 0
  return {
    ...last,
    verdict,
    extent: isWhole ? 'all' : hasBegun ? 'part' : 'none',
    members: [...last.members.filter(({ok}) => ok), ...reported],
  }
}

/** Returns the verdict of an attempt. A refusal is no verdict after an attempt that may have been carried out. */
function verdictOf({verdict, isChecked}: Outcome, mayBeDone: boolean): DavResult {
  return mayBeDone && isChecked !== true && !verdict.ok ? doubt(verdict) : verdict
}

/** Lists the failures that keep a target from success. A 424 has no cause of its own: its members are the causes. */
function causesOf({verdict, members}: Attempt, open: readonly Failure[]): readonly Failure[] {
  const isOfMembers = members.some(({ok}) => !ok)
  if (verdict.ok) return []
  if (!isOfMembers || open.length === 0) return [verdict]
  return verdict.status === 424 ? open : [...open, verdict]
}

/** Sends one attempt, and holds the results of members: they are reported only if no other attempt follows. */
async function attemptWhole(request: TargetRequest, context: VerbContext): Promise<Attempt> {
  const members: DavResult[] = []
  const outcome = await attempt(request, context, (batch) => {
    for (const result of batch) members.push(result)
    return Promise.resolve(true)
  })
  const {problem} = outcome
  // An unsent repetition tells nothing new, so the last answer stays the verdict.
  if (problem instanceof NotSentError && request.attempts > 0 && context.connection.isGraceful)
    throw problem
  return {...outcome, members}
}

/** Sends one attempt. A broken exchange becomes a Failure, with the error beside it. Locks end with their resources. */
export async function attempt(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  const {session, verb} = context
  const outcome = await (verb.run ?? exchange)(request, context, emit).catch((problem: unknown) =>
    brokenOutcome(request, problem, context),
  )
  if (session.locks.isEmpty || verb.endsLocks !== true) return outcome
  const {verdict, extent} = outcome
  // A 202 promises nothing. A 404 to a MOVE may be that of a parent of its destination.
  const isGone = verdict.ok
    ? extent === 'all' && verdict.status !== 202
    : extent === 'none' && isMissing(verdict) && request.destination === undefined
  if (isGone) await endLocks(request.url, context)
  return outcome
}

/** Makes the outcome of a broken exchange. */
async function brokenOutcome(
  request: TargetRequest,
  thrown: unknown,
  context: VerbContext,
): Promise<Outcome> {
  const problem = context.mayBeDone === true ? doubtUnsent(thrown, request) : thrown
  const verdict = brokenVerdict(request, problem, context.connection.ending)
  const isUnbegun = problem instanceof NotSentError || problem instanceof BarredError
  const outcome = {verdict, extent: isUnbegun ? 'none' : 'part', isDone: false, problem} as const
  return isUnbegun ? outcome : reconsider(request, outcome, verdict, context)
}

/** Sends failed members by themselves, within the budget, and adds the outcomes. */
async function sendMembers(
  failures: readonly Failure[],
  failed: FailedMembers,
  context: VerbContext,
): Promise<void> {
  const {ending, repeats} = context.connection
  await runPhases(failures, context, ending, {
    others: failed.open.filter((failure) => !failures.includes(failure)),
    async send(failure) {
      if (failure.request === undefined || repeats?.spend() !== true) return failure
      const mayBeDone = isUnclear(failure)
      const outcome = await attemptWhole(failure.request, {...context, mayBeDone})
      const verdict = verdictOf(outcome, mayBeDone)
      failed.addMemberAttempt(failure, {...outcome, verdict})
      return verdict
    },
    settle(verdict, failure) {
      if (verdict.ok)
        failed.addMemberAttempt(failure, {verdict, extent: 'all', isDone: true, members: []})
    },
  })
}
