/**
 * Converts plain paths to URL references and back. A name such as `100% #1?.jpg` must be escaped in a URL, or the URL means
 * another resource. RFC 3986, sections 2 and 3.3.
 */

import {quoted} from './errors.ts'
import {canonicalPathOf} from './href.ts'

/**
 * Escapes a plain path for use as a URL reference. Slashes separate segments; all other characters with a meaning in a URL are
 * escaped.
 *
 * @param path - A path of plain names, such as `photos/100% #1?.jpg`.
 * @returns The reference, such as `photos/100%25%20%231%3F.jpg`.
 * @throws TypeError for a segment `.` or `..`, which is resolved in spite of any escape. Also for half of a surrogate pair,
 *   which no URL can hold.
 * @example
 * ```ts
 * await dav.stat(encodePath('100% #1?.jpg'))
 * ```
 */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map((segment) => {
      if (segment === '.' || segment === '..') {
        throw new TypeError(
          `encodePath: the segment ${quoted(segment)} cannot be the name of a resource`,
        )
      }
      if (!segment.isWellFormed()) {
        throw new TypeError(`encodePath: ${quoted(segment)} has half of a surrogate pair`)
      }
      return encodeURIComponent(segment)
    })
    .join('/')
}

/**
 * Decodes the plain path of a result, a URL or a reference: the way back from {@link encodePath}. The path of an absolute URL
 * begins at the root of the server.
 *
 * @returns The path. `undefined` for a segment with an escaped slash, or with an escape that is not UTF-8: no plain path can
 *   hold these.
 * @example
 * ```ts
 * for await (const result of dav.propfind('photos/')) console.log(decodePath(result) ?? result.href)
 * ```
 */
export function decodePath(of: string | URL | {readonly url: string}): string | undefined {
  const reference = typeof of === 'string' ? of : of instanceof URL ? of.href : of.url
  const path = reference.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/su, '')
  const segments: string[] = []
  for (const segment of path.split('/')) {
    const plain = decodeSegment(segment)
    if (plain === undefined || plain.includes('/')) return undefined
    segments.push(plain)
  }
  return segments.join('/')
}

/**
 * Makes a key for the resource of a result. It is equal for all spellings of one URL: with and without a slash at its end, with
 * doubled slashes, with needless escapes.
 *
 * @example
 * ```ts
 * const verdicts = new Map(results.map((result) => [keyOf(result), result]))
 * ```
 */
export function keyOf({url}: {readonly url: string}): string {
  const {origin, search} = new URL(url)
  return origin + canonicalPathOf(url) + search
}

/**
 * Reads the name of a resource for people: the last segment of its URL, decoded. The name may hold a slash, and stays escaped if
 * its bytes are not UTF-8. Make local paths by `toLocalPath`.
 *
 * @returns The name; empty for the root of a server.
 * @example
 * ```ts
 * for await (const result of members(dav.propfind('photos/'))) console.log(nameOf(result))
 * ```
 */
export function nameOf({url}: {readonly url: string}): string {
  const segment = /([^/]*)\/*$/.exec(new URL(url).pathname)?.[1] ?? ''
  return decodeSegment(segment) ?? segment
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
