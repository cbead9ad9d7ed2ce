/**
 * One DELETE, sent until its verdict is final. What an attempt says is given out only where no other one follows, so that
 * each target has one verdict. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {inPhases} from '../retry/phases.ts'
import type {Repeats} from '../retry/repeats.ts'
import {NotSentError} from '../retry/not-sent.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import type {DeleteAttempt, DeleteContext, Deletion} from './exchange.ts'
import {deleteTarget} from './exchange.ts'
import type {DeleteRequest} from '../verbs/delete-target.ts'
import {brokenVerdict} from './verdict.ts'
import {Folding} from './folding.ts'
import type {Sink} from '../call/merge.ts'
import {merge} from '../call/merge.ts'
import {FailedMembers} from './failed-members.ts'

/**
 * Sends one DELETE, as often as the call's policy says. Gives out the members' results, and returns the verdict: a broken
 * exchange is a Failure, with the error beside it.
 */
export async function deleteWithRetries(
  request: DeleteRequest,
  context: DeleteContext,
  emit: Sink<DavResult>,
): Promise<Deletion & {readonly problem?: unknown}> {
  const {repeats, ending} = context.connection
  if (repeats !== undefined) {
    const {members, ...last} = await deleteRepeatedly(request, context, repeats)
    await emit(members)
    return last
  }
  try {
    return await deleteTarget(request, context, emit)
  } catch (problem) {
    const verdict = brokenVerdict(request, problem, ending)
    return {verdict, extent: extentOf(problem), isDone: false, problem}
  }
}

/** Sends a DELETE, and again what failed of it: the members first, leaves before their collections, and the target last. */
async function deleteRepeatedly(
  request: DeleteRequest,
  context: DeleteContext,
  repeats: Repeats,
): Promise<DeleteAttempt> {
  const {connection, isRetriedElsewhere} = context
  const standing = new FailedMembers(request.url)
  let last = await attempt(request, context)
  let hasBegun = last.extent !== 'none'
  standing.hear(last)
  for (let number = 1; !connection.ending.aborted; number++) {
    const {verdict, isDone} = last
    const members = standing.open
    const again = members.filter(
      (failure) =>
        failure.request !== undefined &&
        repeats.isRetryable(failure) &&
        isRetriedElsewhere?.(failure) !== true,
    )
    const wait = repeats.next(number, isDone ? again : causesOf(last, members), {
      asked: verdict.ok ? undefined : verdict.retryAfter,
      spends: !isDone,
    })
    if (wait === undefined) break
    try {
      await wait()
      await deleteMembers(again, standing, request, context)
      if (isDone) continue
      last = await attempt({...request, attempts: request.attempts + number}, context)
    } catch (error) {
      if (!connection.isGraceful || !connection.isEnd(error)) throw error
      // What was answered before the end of the call is true still.
      break
    }
    hasBegun ||= last.extent !== 'none'
    standing.hear(last)
  }
  const {told} = standing
  const isWhole = last.verdict.ok && told.length === 0
  return {
    ...last,
    extent: isWhole ? 'all' : hasBegun ? 'part' : 'none',
    members: [...last.members.filter(({ok}) => ok), ...told],
  }
}

/** What kept a target from success, as far as that is known. What stands because of members does so because of theirs. */
function causesOf(
  {verdict, members}: DeleteAttempt,
  standing: readonly Failure[],
): readonly Failure[] {
  const isOfMembers = members.some(({ok}) => !ok)
  if (verdict.ok) return []
  if (!isOfMembers || standing.length === 0) return [verdict]
  return verdict.status === 424 ? standing : [...standing, verdict]
}

async function attempt(request: DeleteRequest, context: DeleteContext): Promise<DeleteAttempt> {
  const {ending, isGraceful} = context.connection
  const members: DavResult[] = []
  try {
    const deletion = await deleteTarget(request, context, async (batch) => {
      for (const result of batch) members.push(result)
      return true
    })
    return {...deletion, members}
  } catch (problem) {
    if (problem instanceof NotSentError && request.attempts > 0 && isGraceful) throw problem
    const verdict = brokenVerdict(request, problem, ending)
    return {verdict, extent: extentOf(problem), isDone: false, members, problem}
  }
}

/** What may be gone after a DELETE whose exchange broke. */
function extentOf(problem: unknown): Deletion['extent'] {
  return problem instanceof NotSentError || problem instanceof HiddenRedirectError ? 'none' : 'part'
}

/** Deletes members by themselves, leaves before their collections. */
async function deleteMembers(
  failures: readonly Failure[],
  standing: FailedMembers,
  request: DeleteRequest,
  context: DeleteContext,
): Promise<void> {
  const {connection, stop} = context
  const {pace, ending} = connection
  const merging = {pace, ending, signal: stop.signal, stop}
  for (const phase of inPhases(failures)) {
    const folding = new Folding()
    const runs = merge(phase, merging, async (failure) => {
      // Those that are in it were taken before it, and are waited for.
      const taken = folding.take(failure.url)
      if (taken?.before !== undefined) await pace.idle(taken.before)
      try {
        await deleteMember(failure, standing, request, context)
      } finally {
        taken?.settle(undefined)
      }
    })
    // They give out nothing: what becomes of them is noted.
    for await (const _ of runs);
  }
}

/** Deletes a member by itself, where the budget allows that, and notes what became of it. */
async function deleteMember(
  failure: Failure,
  standing: FailedMembers,
  {verify}: DeleteRequest,
  context: DeleteContext,
): Promise<void> {
  const {request: sent} = failure
  if (sent === undefined || context.connection.repeats?.spend() !== true) return
  const {url, conditions, attempts} = sent
  const request: DeleteRequest = {url, conditions, attempts, ifMissing: 'success', verify}
  standing.hearMember(failure, await attempt(request, context))
}
