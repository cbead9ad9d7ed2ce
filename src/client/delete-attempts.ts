/**
 * One DELETE, sent until its verdict is final. What an attempt says is given out only where no other one follows, so that
 * each target has one verdict. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {DavError} from '../protocol/errors.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {inLevels} from '../retry/levels.ts'
import type {Repeats} from '../retry/repeats.ts'
import {Unsent} from '../retry/unsent.ts'
import type {DeleteManner} from './delete-exchange.ts'
import {deleteTarget} from './delete-exchange.ts'
import type {DeleteRequest} from './delete-target.ts'
import {brokenVerdict} from './delete-verdict.ts'

/** What an attempt came to. */
export interface DeleteAttempt {
  readonly results: readonly DavResult[]
  /** What broke the exchange; the last one of the results is then the Failure that says so. */
  readonly problem?: unknown
}

/** Sends one DELETE of many, as often as the call's policy says: a broken exchange is the target's Failure. */
export async function* deleteAmongMany(
  request: DeleteRequest,
  manner: DeleteManner,
): AsyncGenerator<readonly DavResult[], undefined, undefined> {
  const {repeats, ending} = manner.line
  if (repeats !== undefined) {
    yield (await deleteRepeatedly(request, manner, repeats)).results
    return undefined
  }
  try {
    yield* deleteTarget(request, manner)
  } catch (error) {
    yield [brokenVerdict(request, error, ending)]
  }
  return undefined
}

/** Sends a DELETE, and again what failed of it: the members first, leaves before their collections, and the target last. */
export async function deleteRepeatedly(
  request: DeleteRequest,
  manner: DeleteManner,
  repeats: Repeats,
): Promise<DeleteAttempt> {
  const {line, isRetriedElsewhere} = manner
  let last = await attempt(request, manner)
  for (let number = 1; !line.ending.aborted; number++) {
    const failures = last.results.filter((result) => !result.ok)
    const verdict = last.results.at(-1)
    if (verdict === undefined || verdict.ok) break
    // What stands because of members is worth another attempt where one of theirs is.
    const members = failures.slice(0, -1)
    const causes = verdict.reason === 'member' ? members : [verdict]
    const wait = repeats.next(number, causes, verdict.retryAfter)
    if (wait === undefined) break
    try {
      await wait()
      const again = members.filter(
        (failure) => repeats.isRetryable(failure) && isRetriedElsewhere?.(failure) !== true,
      )
      // A 207 may name one twice.
      const once = new Map(again.map((failure) => [canonicalPathOf(failure.url), failure]))
      for (const level of inLevels([...once.values()])) {
        await Promise.all(level.map((failure) => deleteMember(failure, request, manner)))
      }
      const attempts = request.attempts + number
      last = await attempt({...request, attempts}, manner)
    } catch (error) {
      // What was answered before the end of the call is true still.
      if (error instanceof Unsent && line.isGraceful) break
      throw error
    }
  }
  return last
}

async function attempt(request: DeleteRequest, manner: DeleteManner): Promise<DeleteAttempt> {
  const {ending, isGraceful} = manner.line
  const results: DavResult[] = []
  try {
    for await (const batch of deleteTarget(request, manner)) {
      for (const result of batch) results.push(result)
    }
    return {results}
  } catch (error) {
    if (error instanceof Unsent && request.attempts > 0 && isGraceful) throw error
    return {results: [...results, brokenVerdict(request, error, ending)], problem: error}
  }
}

/** Its verdict is not looked at: the target is deleted after it, and the answer to that says what is left. */
async function deleteMember(
  {request: sent}: Failure,
  {verify}: DeleteRequest,
  manner: DeleteManner,
): Promise<void> {
  if (sent === undefined) return
  const {url, conditions, attempts} = sent
  const request: DeleteRequest = {url, conditions, attempts, ifMissing: 'success', verify}
  try {
    await Array.fromAsync(deleteTarget(request, manner))
  } catch (error) {
    if (!(error instanceof DavError)) throw error
  }
}
