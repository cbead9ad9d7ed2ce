/**
 * In which order failed requests are sent again: leaves before their collections, and what failed because of others after
 * those. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {Failure} from '../multistatus/result.ts'
import {ancestorsOf, canonicalPathOf} from '../protocol/href.ts'

/**
 * Two phases, each with the deepest first. What failed by itself comes in the first one. A 424 comes in the second, after
 * its cause, which is one of the others; and so does what a 424 is in.
 */
export function inPhases(failures: readonly Failure[]): readonly (readonly Failure[])[] {
  const named = failures.map((failure) => {
    const path = canonicalPathOf(failure.request?.url ?? failure.url)
    return {failure, path, depth: path.split('/').length}
  })
  const late = new Set<string>()
  for (const {failure, path} of named) {
    if (failure.status !== 424) continue
    late.add(path)
    for (const ancestor of ancestorsOf(path)) late.add(ancestor)
  }
  const deepestFirst = named.toSorted((one, other) => other.depth - one.depth)
  return [false, true].map((isLate) =>
    deepestFirst.filter(({path}) => late.has(path) === isLate).map(({failure}) => failure),
  )
}
