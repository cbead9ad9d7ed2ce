/** A hint for references such as `/a.txt`, which begin at the root of the server and not at the client's URL. RFC 3986, section 5. */

import {quoted} from '../protocol/errors.ts'

/**
 * The end of a sentence that refuses a target outside the base: it says which URL the slash leads to, and the reference to write instead.
 *
 * @returns Nothing for a target without a slash at its beginning.
 */
export function explainLeadingSlash(target: unknown, url: URL, base: URL): string {
  const reference = referenceOf(target)
  if (reference === undefined || !/^\/(?!\/)/.test(reference)) return ''
  const relative = reference.replace(/^\/+/, '')
  // A first segment with a colon would be a scheme.
  const written = /^[^/]*:/.test(relative) ? `./${relative}` : relative
  const meant = relative === '' ? null : URL.parse(written, base.href)
  const instead = meant === null ? '' : `: for ${meant.href} write ${quoted(written)}`
  return `; ${quoted(reference)} with its leading slash means ${url.href}${instead}`
}

function referenceOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (typeof target !== 'object' || target === null || !('href' in target) || 'url' in target)
    return undefined
  return typeof target.href === 'string' && !(target instanceof URL) ? target.href : undefined
}
