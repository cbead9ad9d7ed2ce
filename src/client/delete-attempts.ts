/**
 * One DELETE, sent until its verdict is final. What an attempt says is given out only where no other one follows, so that
 * each target has one verdict. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {DavResult, Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import {inPhases} from '../retry/phases.ts'
import type {Repeats} from '../retry/repeats.ts'
import {Unsent} from '../retry/unsent.ts'
import type {DeleteManner, Deletion} from './delete-exchange.ts'
import {deleteTarget} from './delete-exchange.ts'
import type {DeleteRequest} from './delete-target.ts'
import {brokenVerdict} from './delete-verdict.ts'
import {Folding} from './folding.ts'
import type {Give} from './merge.ts'

/** What an attempt came to. */
interface DeleteAttempt extends Deletion {
  readonly members: readonly DavResult[]
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
    return {verdict, mayHaveBegun: !(problem instanceof Unsent), problem}
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
  let {mayHaveBegun} = last
  // Whether members were named by an answer before the last one, which may have changed what they are.
  let isOutdated = false
  for (let number = 1; !line.ending.aborted; number++) {
    const {verdict} = last
    if (verdict.ok) break
    const members = last.members.filter((result) => !result.ok)
    // What stands because of members is worth another attempt where one of theirs is.
    const isOfMembers = verdict.status === 424 && members.length > 0
    const wait = repeats.next(number, isOfMembers ? members : [verdict], verdict.retryAfter)
    if (wait === undefined) break
    const standing = new Standing(members)
    try {
      await wait()
      const again = standing.failures.filter(
        (failure) => repeats.isRetryable(failure) && isRetriedElsewhere?.(failure) !== true,
      )
      await deleteMembers(again, standing, request, manner)
      const next = await attempt({...request, attempts: request.attempts + number}, manner)
      // A failure that names no member does not say that they are gone.
      const namesNone = !next.verdict.ok && next.members.every(({ok}) => ok)
      last = namesNone ? {...next, members: standing.failures} : next
      isOutdated = namesNone && (isOutdated || next.mayHaveBegun)
      mayHaveBegun ||= next.mayHaveBegun
    } catch (error) {
      if (!line.isGraceful || !line.isEnd(error)) throw error
      // What was answered before the end of the call is true still.
      last = {...last, members: standing.failures}
      break
    }
  }
  const {members} = last
  return {...last, mayHaveBegun, members: isOutdated ? members.map(withoutAnswer) : members}
}

/** A member of which it is not known any more what it is. */
function withoutAnswer(member: DavResult): DavResult {
  // What was named outside of the target was not sent again with it.
  if (member.ok || member.request === undefined) return member
  const description = `It failed with ${member.status}, and the target was sent again since`
  return {...member, status: 0, reason: 'no-answer', conditions: [], description}
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
    return {verdict, mayHaveBegun: !(problem instanceof Unsent), members, problem}
  }
}

/** Deletes members by themselves, leaves before their collections. */
async function deleteMembers(
  failures: readonly Failure[],
  standing: Standing,
  request: DeleteRequest,
  manner: DeleteManner,
): Promise<void> {
  for (const phase of inPhases(failures)) {
    const folding = new Folding()
    const runs = phase.map(async (failure) => {
      const taken = folding.take(failure.url)
      await taken?.before
      try {
        await deleteMember(failure, standing, request, manner)
      } finally {
        taken?.settle(undefined)
      }
    })
    // All of them, or some would go on after the call.
    for (const run of await Promise.allSettled(runs)) {
      if (run.status === 'rejected') throw run.reason
    }
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
  const {verdict, members} = await attempt(request, manner)
  for (const member of members) {
    if (!member.ok && member.relation !== 'outside')
      standing.add({...member, relation: 'descendant'})
  }
  if (verdict.ok) standing.remove(failure.url)
  else standing.add({...verdict, relation: failure.relation})
}

/** What failed of a target, each once, as long as it has not gone since: by itself, or with a collection that it is in. */
class Standing {
  readonly #failures = new Map<string, Failure>()
  readonly #gone = new Set<string>()

  constructor(failures: readonly Failure[]) {
    for (const failure of failures) this.add(failure)
  }

  add(failure: Failure): void {
    this.#failures.set(canonicalPathOf(failure.url), failure)
  }

  remove(url: string): void {
    this.#gone.add(canonicalPathOf(url))
  }

  get failures(): readonly Failure[] {
    const isGone = (path: string): boolean =>
      this.#gone.has(path) || ancestorsOf(path).some((one) => this.#gone.has(one))
    return [...this.#failures].filter(([path]) => !isGone(path)).map(([, failure]) => failure)
  }
}
