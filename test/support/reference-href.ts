// Resolves an href and its relation to the request URL, by the words of the contract. Rule 12; RFC 3986, section 5.2.
import type {Relation} from 'multistatus/parser'

/** Characters that a segment may hold unescaped. RFC 3986, section 3.3. */
const PCHAR = /[\w.~!$&'()*+,;=:@-]/

const isDot = (segment: string): boolean => /^(\.|%2e)$/i.test(segment)
const isDoubleDot = (segment: string): boolean => /^(\.|%2e){2}$/i.test(segment)

/** Splits a path into its segments from the root on, and removes the dot segments. */
function segmentsOf(path: string): readonly string[] {
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    if (isDoubleDot(segment)) kept.pop()
    else if (!isDot(segment)) kept.push(segment)
    const isLast = index === segments.length - 1
    if (isLast && (isDot(segment) || isDoubleDot(segment))) kept.push('')
  }
  return kept
}

function escape(segment: string): string {
  let escaped = ''
  for (let index = 0; index < segment.length;) {
    const character = String.fromCodePoint(segment.codePointAt(index) ?? 0)
    const isEscape = /^%[\da-f]{2}/i.test(segment.slice(index, index + 3))
    escaped += isEscape || PCHAR.test(character) ? character : encodeURIComponent(character)
    index += character.length
  }
  return escaped
}

/** Decodes the escapes of a segment to bytes, with one character each. */
function decoded(segment: string): string {
  const bytes = new TextEncoder().encode(segment)
  return Array.from(bytes, (byte) => String.fromCharCode(byte))
    .join('')
    .replaceAll(/%([\da-f]{2})/gi, (_, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    )
}

function relationOf(path: string, base: string): Relation {
  const [target = [], request = []] = [path, base].map((each) =>
    each
      .split('/')
      .filter((segment) => segment !== '')
      .map(decoded),
  )
  if (request.some((segment, index) => segment !== target[index])) return 'outside'
  const below = target.length - request.length
  return below === 0 ? 'self' : below === 1 ? 'member' : 'descendant'
}

/** Picks the path of an href: after a scheme and an authority, or without doubled slashes at its beginning. */
function pathOf(href: string, {host, pathname}: URL): string {
  const authority = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i.exec(href)?.[0]
  if (authority !== undefined) return href.slice(authority.length).replace(/^(?!\/)/, '/')
  const network = /^\/\/([^/?#\\]*)/.exec(href)
  if (network !== null)
    return network[1]?.toLowerCase() === host
      ? href.slice(network[0].length).replace(/^(?!\/)/, '/')
      : href.replaceAll(/\/+/g, '/')
  if (href.startsWith('/')) return href
  // A reference that repeats the request path without its first slash, alone or with a path below it.
  if (relationOf(`/${segmentsOf(`/${href}`).map(escape).join('/')}`, pathname) !== 'outside')
    return `/${href}`
  if (/^%2f/i.test(href)) return href.replaceAll(/%2f/gi, '/')
  return pathname.slice(0, pathname.lastIndexOf('/') + 1) + href
}

/** Resolves an href that is not empty and is no whole URL escaped as one segment. Rule 12. */
export function resolveHref(href: string, base: string): {url: string; relation: Relation} {
  const request = new URL(base)
  const escaped = `/${segmentsOf(pathOf(href, request)).map(escape).join('/')}`
  return {url: request.origin + escaped, relation: relationOf(escaped, request.pathname)}
}
