/**
 * Bounds on the memory that a body may take. All but the last two are finite by default, so that no server can exhaust the
 * memory of its client. Each is far above the needs of a real server. RFC 4918, section 20.6.
 */

import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'

/**
 * Bounds on a 207 body. A body that breaks one ends in a `MultiStatusError` with reason `limit-exceeded` and the name of the
 * `limit`. The results before it are still delivered.
 */
export interface Limits {
  /**
   * Bytes of one `DAV:response` with its markup, up to its end tag, as UTF-8.
   *
   * @defaultValue 67,108,864: one response is held at a time
   */
  readonly response: number
  /**
   * Characters of one value; of a structured one, bytes of its markup as UTF-8.
   *
   * @defaultValue 33,554,432: some programs keep 10 MB in a dead property
   */
  readonly value: number
  /**
   * Elements in one structured value.
   *
   * @defaultValue 100,000: each becomes an object
   */
  readonly elements: number
  /**
   * Bytes of one tag or processing instruction, as UTF-8.
   *
   * @defaultValue 65,536: room for many namespace declarations
   */
  readonly tag: number
  /**
   * Characters of the name of an element, an attribute or a namespace.
   *
   * @defaultValue 1,024: names become keys, which are hashed and compared as a whole
   */
  readonly name: number
  /**
   * Attributes of one tag, namespace declarations included.
   *
   * @defaultValue 256: they are held together, to find a repeated one
   */
  readonly attributes: number
  /**
   * Levels of elements. `DAV:multistatus` is the first.
   *
   * @defaultValue 256: programs walk structured values recursively
   */
  readonly depth: number
  /**
   * Properties of one response in all its propstats. Propstats and conditions together have the same bound.
   *
   * @defaultValue 10,000: they are held until the end of their response
   */
  readonly properties: number
  /**
   * Hrefs of one response.
   *
   * @defaultValue 100,000: a server may put all hrefs with one status into one response
   */
  readonly hrefs: number
  /**
   * Responses of the body.
   *
   * @defaultValue Infinity: finished responses are not held
   */
  readonly responses: number
  /**
   * Bytes of the body.
   *
   * @defaultValue Infinity: read bytes are not held
   */
  readonly bytes: number
}

const DEFAULTS: Limits = {
  response: 67_108_864,
  value: 33_554_432,
  elements: 100_000,
  tag: 65_536,
  name: 1024,
  attributes: 256,
  depth: 256,
  properties: 10_000,
  hrefs: 100_000,
  responses: Number.POSITIVE_INFINITY,
  bytes: Number.POSITIVE_INFINITY,
}

// Complete limits. A client gives them to the parser of each answer.
const RESOLVED: WeakSet<object> = /* @__PURE__ */ new WeakSet<object>([DEFAULTS])

/**
 * Completes the given limits with the defaults.
 *
 * @throws RangeError for a limit that is not above zero, TypeError for another type or an unknown name.
 */
export function resolveLimits(given: Partial<Limits> = DEFAULTS): Limits {
  if (isResolved(given)) return given
  const entries = Object.keys(DEFAULTS).map((name) => [name, NUMBER])
  const rules = Object.fromEntries(entries) as Rules<Partial<Limits>>
  const limits = readOptions('limits', given, rules)
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) throw new RangeError(`limits.${name} is a number above zero`)
  }
  const resolved = {...DEFAULTS, ...limits}
  RESOLVED.add(resolved)
  return resolved
}

function isResolved(given: Partial<Limits>): given is Limits {
  return RESOLVED.has(given)
}
