/**
 * The Depth header: which resources a request is about. Its text is made here and nowhere else.
 * RFC 4918, section 10.2.
 */

/**
 * How far below the request URL a request reaches: `0` is the resource itself, `1` adds its members,
 * `'infinity'` adds everything below. RFC 4918, section 10.2.
 */
export type Depth = 0 | 1 | 'infinity'

/**
 * Checks what a caller gave as a depth.
 *
 * @throws RangeError where it is none of the three.
 */
export function assertDepth(depth: unknown): asserts depth is Depth {
  if (depth !== 0 && depth !== 1 && depth !== 'infinity') {
    throw new RangeError(
      `depth is 0, 1 or 'infinity', not ${JSON.stringify(depth) ?? typeof depth}`,
    )
  }
}

/** The text of the Depth header. */
export function formatDepth(depth: Depth): string {
  return String(depth)
}
