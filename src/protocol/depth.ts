/** The depth of a request, and its header. Only this file makes the text of the header. RFC 4918, section 10.2. */

import {visible} from './errors.ts'
import {memberOf} from './members.ts'
import type {Rules} from './options.ts'
import {ANY, isRecord, readOptions, assertCount} from './options.ts'

/**
 * The reach of a request below its URL: `0` is the resource itself, `1` adds its members, `'infinity'` adds everything below.
 * RFC 4918, section 10.2.
 */
export type Depth = 0 | 1 | 'infinity'

/**
 * Everything below a collection, by one request with Depth 1 for each collection. It gives the results of Depth infinity on
 * servers that refuse that, and it can be continued.
 */
export interface Walk {
  /** Always true. */
  readonly walk: true
  /**
   * The number of levels of collections to list. Deeper collections make the listing incomplete as `shallow`. Most servers show a
   * link to a parent as a collection without end, and this limit ends it. Several such links multiply the collections at each
   * level, and need a small number.
   *
   * @defaultValue 100
   */
  readonly levels?: number | undefined
}

const WALK: Rules<Walk> = {walk: ANY, levels: ANY}

/**
 * Checks the depth of a listing.
 *
 * @throws RangeError for a value that is no depth, and for `levels` that is no whole number above zero. TypeError for an unknown
 *   member.
 */
export function assertDepthOrWalk(depth: unknown): asserts depth is Depth | Walk {
  if (isRecord(depth)) readOptions<Partial<Walk>>('depth', depth, WALK)
  if (!isWalk(depth)) return assertDepth(depth, ' or {walk: true}')
  return assertCount('levels', depth.levels)
}

/** Reports if a depth asks for a walk. */
export function isWalk(depth: unknown): depth is Walk {
  return memberOf(depth, 'walk') === true
}

/**
 * Checks a depth.
 *
 * @param others - Other values that the caller takes, for the message.
 * @throws RangeError for any other value than the three.
 */
export function assertDepth(depth: unknown, others = ''): asserts depth is Depth {
  if (depth !== 0 && depth !== 1 && depth !== 'infinity') {
    throw new RangeError(
      `depth is 0, 1 or 'infinity'${others}, not ${visible(JSON.stringify(depth) ?? typeof depth, 100)}`,
    )
  }
}

/**
 * Checks the depth of a lock.
 *
 * @throws RangeError for any other value than the two.
 */
export function assertLockDepth(depth: unknown): asserts depth is 0 | 'infinity' {
  if (depth === 0 || depth === 'infinity') return
  throw new RangeError("depth of a lock is 0 or 'infinity'")
}

/** Formats the Depth header. */
export function formatDepth(depth: Depth): string {
  return String(depth)
}
