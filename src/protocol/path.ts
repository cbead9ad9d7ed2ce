/**
 * Plain paths and the URL references that mean them. A name such as `100% #1?.jpg` must be escaped before it is part of
 * a URL, or another resource is hit. RFC 3986, sections 2 and 3.3.
 */

/**
 * Escapes a plain path segment by segment, so that it can be given to the client as a URL reference. Slashes separate
 * segments; everything else that has a meaning in a URL is escaped.
 *
 * @param path - A path of plain names, such as `photos/100% #1?.jpg`.
 * @returns The reference, such as `photos/100%25%20%231%3F.jpg`.
 * @throws TypeError where a segment is `.` or `..`, which no escape can keep from being resolved, or where the path
 *   has half of a surrogate pair, which no URL can hold.
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
          `encodePath: the segment ${JSON.stringify(segment)} cannot be the name of a resource`,
        )
      }
      if (!segment.isWellFormed()) {
        throw new TypeError(`encodePath: ${JSON.stringify(segment)} has half of a surrogate pair`)
      }
      return encodeURIComponent(segment)
    })
    .join('/')
}

/**
 * The plain path of a result, or of a URL or a reference: what {@link encodePath} escapes. Of an absolute URL it is the
 * path alone, from the root of the server.
 *
 * @returns The path, or `undefined` where no plain path can hold it: a segment with an escaped slash, or with an
 *   escape that is not UTF-8.
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

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
