/**
 * In which order failed requests are sent again: leaves before their collections, and what failed because of others after
 * those. RFC 4918, sections 9.6.1 and 11.4.
 */

import type {Failure} from '../multistatus/result.ts'
import {canonicalPathOf} from '../protocol/href.ts'

/** Failures whose requests do not depend on one another; each level on those before it. */
export function inLevels(failures: readonly Failure[]): readonly (readonly Failure[])[] {
  const paths = failures.map((failure) => ({
    failure,
    path: canonicalPathOf(failure.request?.url ?? failure.url),
  }))
  // A 424 comes after its cause, which is one of the others, and what it is in comes after it.
  const late = new Set<string>()
  for (const {failure, path} of paths) {
    if (failure.status !== 424) continue
    for (let end = path.length; end >= 0; end = end === 0 ? -1 : path.lastIndexOf('/', end - 1)) {
      late.add(path.slice(0, end))
    }
  }
  const levels = new Map<number, Failure[]>()
  for (const {failure, path} of paths) {
    const depth = path.split('/').length
    const order = late.has(path) ? depth - LATEST : depth
    const level = levels.get(order)
    if (level === undefined) levels.set(order, [failure])
    else level.push(failure)
  }
  return [...levels].toSorted(([one], [other]) => other - one).map(([, level]) => level)
}

// More than any path is deep.
const LATEST = 1_000_000
