/**
 * Guards the ends of a COPY or MOVE against each other, in every reading of a server. RFC 4918, sections 9.8 and 9.9; RFC 3986,
 * section 6.2.
 */

import {canonicalPathOf, relate} from '../protocol/href.ts'
import {decodePath} from '../protocol/path.ts'
import {standings} from '../protocol/readings.ts'
import {MEANT} from './target.ts'

const RELATED = {
  same: 'the destination is the source itself',
  below: 'the destination is in the source',
  around: 'the source is in the destination',
} as const

type Related = keyof typeof RELATED

/** The two ends, and the permissions of the caller. */
interface Ends {
  readonly method: string
  readonly source: URL
  readonly destination: URL
  /** True if the request may replace a resource at the destination. */
  readonly overwrite: boolean
  /** True to compare the ends in their usual reading only. */
  readonly unguarded: boolean
}

/**
 * Refuses ends that are one resource, or of which one is in the other. Ten of 25 servers lose the resource, or all of its
 * siblings.
 *
 * @throws TypeError
 */
export function assertApart(ends: Ends): void {
  const {method, source, destination, unguarded} = ends
  const [path, other] = [canonicalPathOf(destination.href), canonicalPathOf(source.href)] as const
  const usual = standing(path, other)
  const found = usual ?? (unguarded ? undefined : findOtherReading(ends, path, other))
  if (found === undefined) return
  const hint = found === usual ? '' : ` to some servers${MEANT}`
  throw new TypeError(
    `${method} ${source.href} to ${destination.href} is refused: ${RELATED[found]}${hint}`,
  )
}

function findOtherReading(
  {source, destination, overwrite}: Ends,
  path: string,
  other: string,
): Related | undefined {
  const all = standings(destination.pathname, source.pathname)
  const read = (['same', 'below', 'around'] as const).find((one) => all.has(one))
  if (read !== undefined) return read
  const folded = standing(fold(path), fold(other))
  // Without overwrite, a new case of a name is a rename, and servers refuse a resource that is there.
  return folded === 'below' || overwrite ? folded : undefined
}

/** Folds names that are one on Windows and macOS: their case, and the normal forms of Unicode. */
function fold(path: string): string {
  return (decodePath(path) ?? path).normalize().toLowerCase()
}

function standing(path: string, other: string): Related | undefined {
  const relation = relate(path, other)
  if (relation !== 'outside') return relation === 'self' ? 'same' : 'below'
  return relate(other, path) === 'outside' ? undefined : 'around'
}
