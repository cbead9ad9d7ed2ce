/** Methods by their effect. RFC 9110, section 9.2.1; RFC 3253, section 3.6; RFC 5323, section 2. */

const SAFE: ReadonlySet<string> = new Set([
  'PROPFIND',
  'OPTIONS',
  'GET',
  'HEAD',
  'REPORT',
  'SEARCH',
])

/** Reports if a method changes nothing on the server, so that sending it twice does no harm. */
export function isSafe(method: string): boolean {
  return SAFE.has(method)
}
