/**
 * Runs failed requests again in an order in which they can succeed. A request for a collection and one for a member of it wait
 * for each other. RFC 4918, sections 9.6.1 and 11.4.
 */

import {runAll} from '../call/run-all.ts'
import type {DavResult, Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import {Claims} from './claims.ts'
import {changed} from './payload.ts'
import type {TargetRequest, VerbContext} from './verb.ts'

/** The steps for failures that are sent again. */
interface Steps {
  /** Further failures, which are not sent again. */
  readonly others: readonly Failure[]
  /** Sends the request of a failure, and returns its verdict. */
  send(failure: Failure): Promise<DavResult>
  /** Takes the verdict on a target that needs no request, or cannot be sent while its members fail. */
  settle(verdict: DavResult, failure: Failure): Promise<void> | void
}

/**
 * Sends failures again. After `ending` is aborted, no further request begins. With some verbs, a target that failed because of
 * its members waits for them. It is not sent while a member fails.
 */
export async function runPhases(
  failures: readonly Failure[],
  {connection, verb}: VerbContext,
  ending: AbortSignal | undefined,
  steps: Steps,
): Promise<void> {
  const {pace} = connection
  const options = {pace, signal: connection.stopping, ending}
  const isOrdered = verb.afterMembers !== undefined
  const standing = new Standing(isOrdered ? [...failures, ...steps.others] : [])
  const run = async (failure: Failure): Promise<void> => {
    const {ok} = await steps.send(failure)
    if (ok && isOrdered) standing.remove(failure)
  }
  const waiting = failures.filter((failure) => standing.has(failure))
  const late = new Map(waiting.map((failure) => [failure, standing.count(failure)]))
  for (const phase of inPhases(
    failures.filter((failure) => !late.has(failure)),
    verb.isLeavesFirst,
  )) {
    const claims = new Claims()
    await runAll(phase, options, async (failure) => {
      if (failure.request === undefined) return run(failure)
      const {before, end} = claims.take(verb, failure.request)
      if (before !== undefined) await pace.idle(before)
      try {
        await run(failure)
      } finally {
        end()
      }
    })
  }
  // The innermost come first.
  for (const failure of waiting.toSorted((one, other) => depthOf(other) - depthOf(one))) {
    if (ending?.aborted === true) return
    const {request} = failure
    const isOpen = request === undefined || standing.has(failure)
    // A caller may have left out some of the members.
    const areKnown =
      (late.get(failure) ?? 0) >= (request?.failedMembers ?? Number.POSITIVE_INFINITY)
    const verdict = isOpen
      ? failure
      : areKnown
        ? verb.afterMembers?.(beforeLast(request))
        : undefined
    if (verdict === undefined) await run(failure)
    else await steps.settle(verdict, failure)
    if (verdict?.ok === true) standing.remove(failure)
  }
}

/** Makes the request as it was last sent. */
function beforeLast(request: TargetRequest): TargetRequest {
  return changed(request, {attempts: Math.max(0, request.attempts - 1)})
}

/** Counts failures by the paths of the collections around them, at the destination: one source may have several copies. */
class Standing {
  readonly #counts = new Map<string, number>()

  constructor(failures: readonly Failure[]) {
    for (const failure of failures) if (failure.request !== undefined) this.#add(failure, 1)
  }

  /** Tells if a target failed because of members, and some of them still fail. */
  has(failure: Failure): boolean {
    return failure.reason === 'member' && this.count(failure) > 0
  }

  /** Counts the members of a target that still fail. */
  count(failure: Failure): number {
    return this.#counts.get(endOf(failure)) ?? 0
  }

  remove(failure: Failure): void {
    this.#add(failure, -1)
  }

  #add(failure: Failure, by: number): void {
    for (const path of ancestorsOf(endOf(failure)))
      this.#counts.set(path, (this.#counts.get(path) ?? 0) + by)
  }
}

function endOf({request, url}: Failure): string {
  return canonicalPathOf(request?.destination ?? request?.url ?? url)
}

function pathFor({request, url}: Failure): string {
  return canonicalPathOf(request?.url ?? url)
}

function depthOf(failure: Failure): number {
  return pathFor(failure).split('/').length
}

/**
 * Sorts failures into two phases, each in the order of the verb. The second phase has the 424s, because their causes are in the
 * first. It also has the failures that depend on a 424: the collections around it, or its members.
 */
export function inPhases(
  failures: readonly Failure[],
  isLeavesFirst = false,
): readonly (readonly Failure[])[] {
  const named = failures.map((failure) => {
    const path = pathFor(failure)
    return {failure, path, depth: path.split('/').length}
  })
  const dependents = new Set<string>()
  for (const {failure, path} of named) {
    if (failure.status !== 424) continue
    dependents.add(path)
    if (isLeavesFirst) for (const ancestor of ancestorsOf(path)) dependents.add(ancestor)
  }
  const isLate = (path: string): boolean =>
    dependents.has(path) || (!isLeavesFirst && ancestorsOf(path).some((one) => dependents.has(one)))
  const sorted = named.toSorted((one, other) =>
    isLeavesFirst ? other.depth - one.depth : one.depth - other.depth,
  )
  return [false, true].map((late) =>
    sorted.filter(({path}) => isLate(path) === late).map(({failure}) => failure),
  )
}
