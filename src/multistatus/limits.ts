/**
 * Bounds on the memory that a body may take. All but the last two are finite, so that no server can exhaust the memory of its
 * client. Each is far above the needs of a real server.
 */

import type {Rules} from '../protocol/options.ts'
import {NUMBER, readOptions} from '../protocol/options.ts'

/**
 * Bounds on a 207 body. As much as a limit says is read; past it, reading ends in a `MultiStatusError` with reason
 * `limit-exceeded` that names it. RFC 4918, section 20.6.
 */
export interface Limits {
  /**
   * Bytes of one `DAV:response` with its markup, up to its end tag, as UTF-8.
   *
   * @defaultValue 67,108,864: one response is held as a whole
   */
  readonly response: number
  /**
   * Characters of one value; of a structured one the bytes of its markup, as UTF-8.
   *
   * @defaultValue 33,554,432: dead properties of 10 MB are in use
   */
  readonly value: number
  /**
   * Elements in one value that is structured.
   *
   * @defaultValue 100,000: each becomes an object
   */
  readonly elements: number
  /**
   * Bytes of one tag or processing instruction, as UTF-8.
   *
   * @defaultValue 65,536: room for a tag full of namespace declarations
   */
  readonly tag: number
  /**
   * Characters of the name of an element or attribute, and of the name of a namespace.
   *
   * @defaultValue 1,024: names become keys, which are hashed and compared as a whole
   */
  readonly name: number
  /**
   * Attributes of one tag, namespace declarations included.
   *
   * @defaultValue 256: they are held together, to find one that comes twice
   */
  readonly attributes: number
  /**
   * Levels of elements, `DAV:multistatus` being the first one.
   *
   * @defaultValue 256: structured values are trees of objects, and programs walk them recursively
   */
  readonly depth: number
  /**
   * Properties of one response, over all its propstats; as many propstats and conditions.
   *
   * @defaultValue 10,000: they are held until the status of their propstat is known
   */
  readonly properties: number
  /**
   * Hrefs of one response.
   *
   * @defaultValue 100,000: a server may name all that shares one status in one response
   */
  readonly hrefs: number
  /**
   * Responses of the body.
   *
   * @defaultValue Infinity: they are not held
   */
  readonly responses: number
  /**
   * Bytes of the body.
   *
   * @defaultValue Infinity: they are not held
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

/**
 * The limits to apply: those given, and the defaults for the others.
 *
 * @throws RangeError for a limit that is not above zero, TypeError for another type or an unknown name.
 */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  const entries = Object.keys(DEFAULTS).map((name) => [name, NUMBER])
  const rules = Object.fromEntries(entries) as Rules<Partial<Limits>>
  const limits = readOptions('limits', given, rules)
  for (const [name, value] of Object.entries(limits)) {
    if (!(value > 0)) throw new RangeError(`limits.${name} is a number above zero`)
  }
  return {...DEFAULTS, ...limits}
}
