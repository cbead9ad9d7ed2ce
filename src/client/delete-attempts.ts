/**
 * One DELETE, sent until its verdict is final. What an attempt says is given out only where no other one follows, so that
 * each target has one verdict. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {inPhases} from '../retry/phases.ts'
import type {Repeats} from '../retry/repeats.ts'
import {Unsent} from '../retry/unsent.ts'
import type {DeleteManner} from './delete-exchange.ts'
import {deleteTarget} from './delete-exchange.ts'
import type {DeleteRequest} from './delete-target.ts'
import {brokenVerdict} from './delete-verdict.ts'
import {Folding} from './folding.ts'
import type {Give} from './merge.ts'

/** What an attempt came to. */
interface DeleteAttempt {
  readonly members: readonly DavResult[]
  readonly verdict: DavResult
  /** What broke the exchange; the verdict is then the Failure that says so. */
  readonly problem?: unknown
}

/**
 * Sends one DELETE, as often as the call's policy says. Gives out the members' results, and returns the verdict: a broken
 * exchange is a Failure, with the error beside it.
 */
export async function deleteWithRetries(
  request: DeleteRequest,
  manner: DeleteManner,
  give: Give<DavResult>,
): Promise<{readonly verdict: DavResult; readonly problem?: unknown}> {
  const {repeats, ending} = manner.line
  if (repeats !== undefined) {
    const {members, ...last} = await deleteRepeatedly(request, manner, repeats)
    await give(members)
    return last
  }
  try {
    return {verdict: await deleteTarget(request, manner, give)}
  } catch (problem) {
    return {verdict: brokenVerdict(request, problem, ending), problem}
  }
}

/** Sends a DELETE, and again what failed of it: the members first, leaves before their collections, and the target last. */
async function deleteRepeatedly(
  request: DeleteRequest,
  manner: DeleteManner,
  repeats: Repeats,
): Promise<DeleteAttempt> {
  const {line, isRetriedElsewhere} = manner
  let last = await attempt(request, manner)
  for (let number = 1; !line.ending.aborted; number++) {
    const {verdict} = last
    if (verdict.ok) break
    const members = last.members.filter((result) => !result.ok)
    // What stands because of members is worth another attempt where one of theirs is.
    const causes = verdict.reason === 'member' ? members : [verdict]
    const wait = repeats.next(number, causes, verdict.retryAfter)
    if (wait === undefined) break
    const left = new Map(members.map((failure) => [canonicalPathOf(failure.url), failure]))
    try {
      await wait()
      const again = [...left.values()].filter(
        (failure) => repeats.isRetryable(failure) && isRetriedElsewhere?.(failure) !== true,
      )
      for (const phase of inPhases(again)) {
        const folding = new Folding()
        await Promise.all(
          phase.map(async (failure) => {
            const taken = folding.take(failure.url)
            await taken?.before
            await deleteMember(failure, left, request, manner)
            taken?.settle(undefined)
          }),
        )
      }
      const attempts = request.attempts + number
      last = await attempt({...request, attempts}, manner)
    } catch (error) {
      if (!line.isGraceful || !line.isEnd(error)) throw error
      // What was answered before the end of the call is true still.
      return {...last, members: [...left.values()]}
    }
  }
  return last
}

async function attempt(request: DeleteRequest, manner: DeleteManner): Promise<DeleteAttempt> {
  const {ending, isGraceful} = manner.line
  const members: DavResult[] = []
  try {
    const verdict = await deleteTarget(request, manner, async (batch) => {
      for (const result of batch) members.push(result)
      return true
    })
    return {members, verdict}
  } catch (problem) {
    if (problem instanceof Unsent && request.attempts > 0 && isGraceful) throw problem
    return {members, verdict: brokenVerdict(request, problem, ending), problem}
  }
}

/** Deletes a member by itself, where the budget allows that, and notes what became of it. */
async function deleteMember(
  failure: Failure,
  left: Map<string, Failure>,
  {verify}: DeleteRequest,
  manner: DeleteManner,
): Promise<void> {
  const {request: sent} = failure
  if (sent === undefined || manner.line.repeats?.spend() !== true) return
  const {url, conditions, attempts} = sent
  const request: DeleteRequest = {url, conditions, attempts, ifMissing: 'success', verify}
  const {verdict} = await attempt(request, manner)
  const key = canonicalPathOf(failure.url)
  if (verdict.ok) left.delete(key)
  else left.set(key, {...verdict, relation: failure.relation})
}
