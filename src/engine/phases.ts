/**
 * Runs failed requests again in an order in which they can succeed. A request for a collection and one for a member of it wait
 * for each other. RFC 4918, sections 9.6.1 and 11.4.
 */

import {runAll} from '../call/run-all.ts'
import type {Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'
import {Claims} from './claims.ts'
import type {Verb, VerbContext} from './verb.ts'

/** Runs a function for each failure. After `ending` is aborted, no further run begins. */
export async function runPhases(
  failures: readonly Failure[],
  {connection, stop, verb}: VerbContext,
  ending: AbortSignal | undefined,
  run: (failure: Failure) => Promise<void>,
): Promise<void> {
  const {pace} = connection
  const options = {pace, signal: stop.signal, ending}
  for (const phase of inPhases(failures, verb.order)) {
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
}

/**
 * Sorts failures into phases, each in the order of the verb. The second phase has the 424s, because their causes are in the first.
 * It also has the failures that depend on a 424: the collections around it, or its members. The last phase has the targets that
 * failed because of members.
 */
export function inPhases(
  failures: readonly Failure[],
  order: Verb['order'],
): readonly (readonly Failure[])[] {
  const isLeavesFirst = order === 'leaves-first'
  const isOfMembers = ({reason}: Failure): boolean => !isLeavesFirst && reason === 'member'
  const named = failures.map((failure) => {
    const path = canonicalPathOf(failure.request?.url ?? failure.url)
    return {failure, path, depth: path.split('/').length}
  })
  const dependents = new Set<string>()
  for (const {failure, path} of named) {
    if (failure.status !== 424 || isOfMembers(failure)) continue
    dependents.add(path)
    if (isLeavesFirst) for (const ancestor of ancestorsOf(path)) dependents.add(ancestor)
  }
  const isLate = (path: string): boolean =>
    dependents.has(path) || (!isLeavesFirst && ancestorsOf(path).some((one) => dependents.has(one)))
  const sorted = named.toSorted((one, other) =>
    isLeavesFirst ? other.depth - one.depth : one.depth - other.depth,
  )
  const phaseOf = (failure: Failure, path: string): number =>
    isOfMembers(failure) ? 2 : isLate(path) ? 1 : 0
  return (isLeavesFirst ? [0, 1] : [0, 1, 2]).map((phase) =>
    sorted
      .filter(({failure, path}) => phaseOf(failure, path) === phase)
      .map(({failure}) => failure),
  )
}
