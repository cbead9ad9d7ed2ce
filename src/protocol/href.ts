/**
 * Resolves the hrefs of servers. It never throws and never leaves the request's own origin. Servers behind a proxy write
 * their inner host into hrefs, and nothing that a server writes may lead credentials elsewhere.
 * RFC 4918, section 8.3; RFC 3986, sections 3.3 and 5.
 */

import {ANCESTRY_CHARACTERS, PLAIN_PATH_CHARACTERS} from './bounds.ts'

/** The relation of a resource to the request URL: the same, directly below, further below, or none of these. */
export type Relation = 'self' | 'member' | 'descendant' | 'outside'

/** An href, resolved. */
export interface ResolvedHref {
  /** Absolute, on the request's own origin, percent-encoded. */
  readonly url: string
  /** Its relation to the request URL. */
  readonly relation: Relation
}

const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i
const NETWORK_PATH = /^\/\/([^/?#\\]*)/
// A whole URL, or a whole path, that a server has escaped as if it were the name of a member.
const MANGLED_URL = /^https?(?::|%3a)(?:\/|%2f)+([^/?#\\%]|%(?!2f))*/i
const MANGLED_PATH = /^%2f/i
// Not with the flag `i`: with `u`, `\w` would then match U+017F and U+212A.
const NOT_IN_PATH = /%(?![\dA-Fa-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gu
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i

// Segments that begin with no dot, escaped or not, and of which none but the last is empty.
const PLAIN_PATH =
  /^(?:\/(?:[\w\-~!$&'()*+,;=:@]|%[013-9A-Fa-f][\dA-Fa-f])[\w\-.~!$&'()*+,;=:@]*(?:%[\dA-Fa-f]{2}[\w\-.~!$&'()*+,;=:@]*)*)*\/?$/

// It needs no escape in a segment. RFC 3986, section 3.3.
const PLAIN_CHARACTER = /[\w\-.~!$&'()*+,;=:@]/

/** Resolves the hrefs of one answer against the URL of its request. */
export class HrefResolver {
  readonly #origin: string
  readonly #authorities: readonly string[]
  readonly #folder: string
  readonly #self: string
  readonly #canonical: string

  /** The request URL. */
  readonly base: string

  constructor(url: URL) {
    this.base = url.href
    this.#origin = url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin
    const port = url.protocol === 'https:' ? '443' : '80'
    this.#authorities = [url.host, `${url.hostname}:${port}`]
    this.#folder = url.pathname.slice(0, url.pathname.lastIndexOf('/') + 1)
    this.#self = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`
    this.#canonical = canonicalPath(url.pathname)
  }

  /** Resolves an href, which is trimmed already. */
  resolve(href: string): ResolvedHref {
    if (isPlainPath(href)) {
      if (href.startsWith(this.#self))
        return {url: this.#origin + href, relation: relationBelow(href, this.#self.length)}
      return {url: this.#origin + href, relation: this.#relation(href)}
    }
    let path = this.#pathOf(href).replaceAll(NOT_IN_PATH, escapeCharacter)
    if (DOT_SEGMENT.test(path)) path = new URL(`http://localhost${path}`).pathname
    return {url: this.#origin + path, relation: this.#relation(path)}
  }

  /** Reads the absolute path from an href, whatever host it names. */
  #pathOf(href: string): string {
    const authority = AUTHORITY.exec(href)
    if (authority !== null) return absolute(href.slice(authority[0].length))
    const network = NETWORK_PATH.exec(href)
    // A request path may begin with two slashes itself.
    if (network !== null && !(this.#self.startsWith('//') && href.startsWith(this.#self))) {
      const isAsked = this.#authorities.includes((network[1] ?? '').toLowerCase())
      return isAsked ? absolute(href.slice(network[0].length)) : href.replaceAll(/\/{2,}/g, '/')
    }
    if (href.startsWith('/')) return href
    return this.#repeated(href) ?? this.#folder + href
  }

  /** Reads the path of a whole path or URL that is written as a relative reference. */
  #repeated(written: string): string | undefined {
    const href = /^https?:\\/i.test(written) ? written.replaceAll('\\', '/') : written
    const url = MANGLED_URL.exec(href)
    if (url !== null) {
      const path = absolute(unescapeSlashes(href.slice(url[0].length)))
      // Escapes of the path may be escaped too.
      const once = path.replaceAll(/%25(?=[\da-f]{2})/gi, '%')
      return this.#relation(path) === 'outside' && this.#relation(once) !== 'outside' ? once : path
    }
    if (href.startsWith('\\')) {
      const path = href.replaceAll('\\', '/').replaceAll(/\/{2,}/g, '/')
      return this.#relation(path) === 'outside' ? undefined : path
    }
    if (MANGLED_PATH.test(href)) return unescapeSlashes(href)
    if (this.#canonical === '') return undefined
    const candidates = [`/${href}`, `/${unescapeSlashes(href)}`]
    return candidates.find((path) => this.#relation(path) !== 'outside')
  }

  #relation(path: string): Relation {
    return relate(canonicalPath(path), this.#canonical)
  }
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`
}

function unescapeSlashes(path: string): string {
  return path.replaceAll(/%2f/gi, '/')
}

/** Gives the relation of one canonical path to another one. */
export function relate(path: string, base: string): Relation {
  if (path === base) return 'self'
  if (!path.startsWith(`${base}/`)) return 'outside'
  return path.includes('/', base.length + 1) ? 'descendant' : 'member'
}

/** Tells if one path is at or below another one, by decoded segments. */
export function isWithin(path: string, base: string): boolean {
  return relate(canonicalPath(path), canonicalPath(base)) !== 'outside'
}

/**
 * Writes a path in one form, so that equal paths are equal strings. It has no empty segments, no trailing slash, no
 * needless escapes, and escapes in upper case. Bytes that are not UTF-8 stay escapes, and so does `%2F`.
 */
export function canonicalPath(path: string): string {
  if (!path.includes('%') && isPlainPath(path)) return path.endsWith('/') ? path.slice(0, -1) : path
  const escaped = path.replaceAll(NOT_IN_PATH, escapeCharacter)
  const unescaped = escaped.replaceAll(/%[\da-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return PLAIN_CHARACTER.test(character) ? character : escape.toUpperCase()
  })
  const segments = unescaped.split('/').filter((segment) => segment !== '')
  return segments.length === 0 ? '' : `/${segments.join('/')}`
}

/** Gives the canonical path of an absolute URL. */
export function canonicalPathOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2)
  return slash === -1 ? '' : canonicalPath(url.slice(slash).replace(/[?#].*$/su, ''))
}

/** Makes a key for the resource of a URL: its canonical path. A URL with a query is a resource by itself. */
export function resourceKey(url: string): string {
  return url.includes('?') ? url : canonicalPathOf(url)
}

/**
 * Gives the canonical paths of the collections around a canonical path, the nearest first. That of the root is empty. Of a path
 * that is longer and deeper than those of files, only the nearest are given.
 */
export function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = []
  let length = 0
  for (let end = path.length; end > 0 && length < ANCESTRY_CHARACTERS; length += end) {
    end = path.lastIndexOf('/', end - 1)
    if (end >= 0) ancestors.push(path.slice(0, end))
  }
  return ancestors
}

/** Recognizes an absolute path with nothing to escape, to resolve or to fold. Nearly every server writes such paths. */
function isPlainPath(href: string): boolean {
  return href.length <= PLAIN_PATH_CHARACTERS && href.startsWith('/') && PLAIN_PATH.test(href)
}

function relationBelow(path: string, from: number): Relation {
  if (path.length === from) return 'self'
  const slash = path.indexOf('/', from)
  return slash === -1 || slash === path.length - 1 ? 'member' : 'descendant'
}

function escapeCharacter(character: string): string {
  // A lone half of a surrogate pair has no UTF-8; it becomes U+FFFD, as the platform's URL does it.
  return character === '%'
    ? '%25'
    : encodeURIComponent(character.toWellFormed()).replaceAll("'", '%27')
}
