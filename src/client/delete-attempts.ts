/**
 * One DELETE, sent until its verdict is final. What an attempt says is given out only where no other one follows, so that
 * each target has one verdict. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {inPhases} from '../retry/phases.ts'
import type {Repeats} from '../retry/repeats.ts'
import {Unsent} from '../retry/unsent.ts'
import {HiddenRedirectError} from '../transport/redirects.ts'
import type {DeleteAttempt, DeleteManner, Deletion} from './delete-exchange.ts'
import {deleteTarget} from './delete-exchange.ts'
import type {DeleteRequest} from './delete-target.ts'
import {brokenVerdict} from './delete-verdict.ts'
import {Folding} from './folding.ts'
import type {Give} from './merge.ts'
import {merge} from './merge.ts'
import {Standing} from './standing.ts'

/**
 * Sends one DELETE, as often as the call's policy says. Gives out the members' results, and returns the verdict: a broken
 * exchange is a Failure, with the error beside it.
 */
export async function deleteWithRetries(
  request: DeleteRequest,
  manner: DeleteManner,
  give: Give<DavResult>,
): Promise<Deletion & {readonly problem?: unknown}> {
  const {repeats, ending} = manner.line
  if (repeats !== undefined) {
    const {members, ...last} = await deleteRepeatedly(request, manner, repeats)
    await give(members)
    return last
  }
  try {
    return await deleteTarget(request, manner, give)
  } catch (problem) {
    const verdict = brokenVerdict(request, problem, ending)
    return {verdict, extent: extentOf(problem), isDone: false, problem}
  }
}

/** Sends a DELETE, and again what failed of it: the members first, leaves before their collections, and the target last. */
async function deleteRepeatedly(
  request: DeleteRequest,
  manner: DeleteManner,
  repeats: Repeats,
): Promise<DeleteAttempt> {
  const {line, isRetriedElsewhere} = manner
  const standing = new Standing(request.url)
  let last = await attempt(request, manner)
  let hasBegun = last.extent !== 'none'
  standing.hear(last)
  for (let number = 1; !line.ending.aborted; number++) {
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
      await deleteMembers(again, standing, request, manner)
      if (isDone) continue
      last = await attempt({...request, attempts: request.attempts + number}, manner)
    } catch (error) {
      if (!line.isGraceful || !line.isEnd(error)) throw error
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

async function attempt(request: DeleteRequest, manner: DeleteManner): Promise<DeleteAttempt> {
  const {ending, isGraceful} = manner.line
  const members: DavResult[] = []
  try {
    const deletion = await deleteTarget(request, manner, async (batch) => {
      for (const result of batch) members.push(result)
      return true
    })
    return {...deletion, members}
  } catch (problem) {
    if (problem instanceof Unsent && request.attempts > 0 && isGraceful) throw problem
    const verdict = brokenVerdict(request, problem, ending)
    return {verdict, extent: extentOf(problem), isDone: false, members, problem}
  }
}

/** What may be gone after a DELETE whose exchange broke. */
function extentOf(problem: unknown): Deletion['extent'] {
  return problem instanceof Unsent || problem instanceof HiddenRedirectError ? 'none' : 'part'
}

/** Deletes members by themselves, leaves before their collections. */
async function deleteMembers(
  failures: readonly Failure[],
  standing: Standing,
  request: DeleteRequest,
  manner: DeleteManner,
): Promise<void> {
  const {line, stop} = manner
  const {pace, ending} = line
  const merging = {pace, ending, signal: stop.signal, stop}
  for (const phase of inPhases(failures)) {
    const folding = new Folding()
    const runs = merge(phase, merging, async (failure) => {
      // Those that are in it were taken before it, and are waited for.
      const taken = folding.take(failure.url)
      if (taken?.before !== undefined) await pace.idle(taken.before)
      try {
        await deleteMember(failure, standing, request, manner)
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
  standing: Standing,
  {verify}: DeleteRequest,
  manner: DeleteManner,
): Promise<void> {
  const {request: sent} = failure
  if (sent === undefined || manner.line.repeats?.spend() !== true) return
  const {url, conditions, attempts} = sent
  const request: DeleteRequest = {url, conditions, attempts, ifMissing: 'success', verify}
  standing.hearMember(failure, await attempt(request, manner))
}
