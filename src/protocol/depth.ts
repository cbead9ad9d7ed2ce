/**
 * The Depth header: which resources a request is about. Its text is made here and nowhere else.
 * RFC 4918, section 10.2.
 */

import {visible} from './errors.ts'
import type {Rules} from './options.ts'
import {ANY, readOptions} from './options.ts'

/**
 * How far below the request URL a request reaches: `0` is the resource itself, `1` adds its members,
 * `'infinity'` adds everything below. RFC 4918, section 10.2.
 */
export type Depth = 0 | 1 | 'infinity'

/**
 * All that is below a collection, by one request with Depth 1 for each collection in it: what Depth infinity asks for, from
 * servers that refuse it, and in a way that can be continued.
 */
export interface Walk {
  /** Tells it from a {@link Depth}. */
  readonly walk: true
  /**
   * How many levels of collections below the request URL are listed. What is deeper makes the listing `shallow`. A link to a
   * collection around it is, for most servers, a collection without end: this is what ends it. With several links in one
   * another each level has several times the collections of the one above it, so a small number is needed there.
   *
   * @defaultValue 100
   */
  readonly levels?: number | undefined
}

/** The members of a walk. */
const WALK: Rules<Walk> = {walk: ANY, levels: ANY}

/**
 * Checks what a caller gave as the depth of a listing.
 *
 * @throws RangeError where it is no depth, or `levels` is no whole number above zero; TypeError for an unknown member.
 */
export function assertDepthOrWalk(depth: unknown): asserts depth is Depth | Walk {
  if (isObject(depth)) readOptions<Partial<Walk>>('depth', depth, WALK)
  if (!isWalk(depth)) return assertDepth(depth)
  const {levels = 1} = depth
  if (Number.isSafeInteger(levels) && levels > 0) return undefined
  throw new RangeError(`levels is a whole number above zero, not ${visible(String(levels), 100)}`)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a depth asks for a walk. */
export function isWalk(depth: unknown): depth is Walk {
  return typeof depth === 'object' && depth !== null && 'walk' in depth && depth.walk === true
}

/**
 * Checks what a caller gave as a depth.
 *
 * @throws RangeError where it is none of the three.
 */
export function assertDepth(depth: unknown): asserts depth is Depth {
  if (depth !== 0 && depth !== 1 && depth !== 'infinity') {
    throw new RangeError(
      `depth is 0, 1, 'infinity' or {walk: true}, not ${visible(JSON.stringify(depth) ?? typeof depth, 100)}`,
    )
  }
}

/** The text of the Depth header. */
export function formatDepth(depth: Depth): string {
  return String(depth)
}
