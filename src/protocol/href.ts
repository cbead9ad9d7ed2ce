/**
 * Resolves hrefs of servers and compares paths. Never throws, and never leaves the request's own origin. Servers behind a proxy
 * write their inner host into hrefs, and no href may lead credentials to another host. RFC 4918, section 8.3; RFC 3986, sections
 * 3.3 and 5.
 */

import {ANCESTRY_CHARACTERS, PLAIN_PATH_CHARACTERS} from './bounds.ts'
import {PERCENT, SLASH} from './characters.ts'

/** The relation of a resource to the request URL: the same, directly inside it, deeper inside it, or none of these. */
export type Relation = 'self' | 'member' | 'descendant' | 'outside'

/** A resolved href. */
export interface ResolvedHref {
  /** The absolute URL on the request's own origin, percent-encoded. */
  readonly url: string
  /** Its relation to the request URL. */
  readonly relation: Relation
}

const AUTHORITY = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i
const NETWORK_PATH = /^\/\/([^/?#\\]*)/
// A whole URL, and a whole path, that a server has escaped as if it were the name of a member.
const MANGLED_URL = /^https?(?::|%3a)(?:\/|%2f)+([^/?#\\%]|%(?!2f))*/i
const MANGLED_PATH = /^%2f/i
// Not with the flag `i`: with `u`, `\w` would then match U+017F and U+212A.
const NOT_IN_PATH = /%(?![\dA-Fa-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/gu
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i

// Segments without a dot, escaped or not, at their beginning. Only the last one may be empty.
const PLAIN_PATH =
  /^(?:\/(?:[\w\-~!$&'()*+,;=:@]|%[013-9A-Fa-f][\dA-Fa-f])[\w\-.~!$&'()*+,;=:@]*(?:%[\dA-Fa-f]{2}[\w\-.~!$&'()*+,;=:@]*)*)*\/?$/

// An escape of a plain character, or one in lower case: `%20` and `%C3%A9` are none.
const NEEDLESS_ESCAPE = /%(?![01][\dA-F]|2[0235F]|3[CEF]|5[B-E]|60|7[BCDF]|[89A-F][\dA-F])/

// Characters that need no escape in a segment. RFC 3986, section 3.3.
const PLAIN_CHARACTER = /[\w\-.~!$&'()*+,;=:@]/

// By byte: 0 is in no plain path, 3 cannot begin a segment, 2 is a hexadecimal digit, 1 is any other byte.
const SEGMENT_BYTES: Uint8Array = /* @__PURE__ */ Uint8Array.from({length: 256}, (_, byte) => {
  const character = String.fromCharCode(byte)
  if ('./%'.includes(character)) return 3
  return /[\dA-Fa-f]/.test(character) ? 2 : Number(PLAIN_CHARACTER.test(character))
})

/** Resolves the hrefs of one answer against the URL of its request. */
export class HrefResolver {
  readonly #origin: string
  readonly #authorities: readonly string[]
  readonly #folder: string
  readonly #self: string
  readonly #canonical: string
  // The bytes of the request path with a slash; empty for a path that is not plain.
  readonly #plainSelf: Uint8Array

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
    this.#plainSelf = new TextEncoder().encode(isPlainPath(this.#self) ? this.#self : '')
  }

  /**
   * Resolves a trimmed href. A plain path at or below the request URL takes half the time so.
   *
   * @param bytes - Hold the href from `from` to `to`, and a `<` behind it.
   */
  resolveAt(href: string, bytes: Uint8Array, from: number, to: number): ResolvedHref {
    const self = this.#plainSelf
    let at = 0
    while (at < self.length && bytes[from + at] === self[at]) at++
    if (at === 0 || at < self.length || !arePlainSegments(bytes, from + at, to))
      return this.resolve(href)
    return {url: this.#origin + href, relation: relationBelow(href, at)}
  }

  /** Resolves a trimmed href. */
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

  /** Reads the absolute path from an href. The host of an href does not count. */
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

  /** Reads the path from a whole path or URL that a server wrote as a relative reference, without a slash or escaped. */
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

/** Finds the relation of one canonical path to another. */
export function relate(path: string, base: string): Relation {
  if (path === base) return 'self'
  if (!path.startsWith(`${base}/`)) return 'outside'
  return path.includes('/', base.length + 1) ? 'descendant' : 'member'
}

/** Tells if one path is at or below another, by decoded segments. */
export function isWithin(path: string, base: string): boolean {
  return relate(canonicalPath(path), canonicalPath(base)) !== 'outside'
}

/**
 * Formats a path so that paths of one resource are equal strings. It has no empty segments, no trailing slash, no needless
 * escapes, and escapes in upper case. Bytes that are not UTF-8 stay escapes, and so does `%2F`.
 */
export function canonicalPath(path: string): string {
  if (isPlainPath(path) && !NEEDLESS_ESCAPE.test(path))
    return path.endsWith('/') ? path.slice(0, -1) : path
  const escaped = path.replaceAll(NOT_IN_PATH, escapeCharacter)
  const unescaped = escaped.replaceAll(/%[\da-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    return PLAIN_CHARACTER.test(character) ? character : escape.toUpperCase()
  })
  const segments = unescaped.split('/').filter((segment) => segment !== '')
  return segments.length === 0 ? '' : `/${segments.join('/')}`
}

/** Formats the canonical path of an absolute URL. */
export function canonicalPathOf(url: string): string {
  const slash = url.indexOf('/', url.indexOf('//') + 2)
  return slash === -1 ? '' : canonicalPath(url.slice(slash).replace(/[?#].*$/su, ''))
}

/** Makes a key for the resource of a URL: its canonical path. Another query means another resource. */
export function resourceKey(url: string): string {
  return url.includes('?') ? url : canonicalPathOf(url)
}

/**
 * Lists the canonical paths of the parents of a path, the nearest first. The path of the root is empty. Of an extremely long and
 * deep path, only the nearest parents are listed.
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

/** Recognizes an absolute path without anything to escape or to resolve. Nearly all hrefs are plain, so they take the fast way. */
function isPlainPath(href: string): boolean {
  return href.length <= PLAIN_PATH_CHARACTERS && href.startsWith('/') && PLAIN_PATH.test(href)
}

/** Tests bytes behind a slash as `PLAIN_PATH` tests a text, but refuses any escape at the beginning of a segment. */
function arePlainSegments(bytes: Uint8Array, from: number, to: number): boolean {
  let isBegin = true
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0
    const kind = SEGMENT_BYTES[byte]
    if (kind === 0 || (isBegin && kind === 3)) return false
    if (
      byte === PERCENT &&
      (SEGMENT_BYTES[bytes[at + 1] ?? 0] !== 2 || SEGMENT_BYTES[bytes[at + 2] ?? 0] !== 2)
    )
      return false
    isBegin = byte === SLASH
  }
  return true
}

function relationBelow(path: string, from: number): Relation {
  if (path.length === from) return 'self'
  const slash = path.indexOf('/', from)
  return slash === -1 || slash === path.length - 1 ? 'member' : 'descendant'
}

function escapeCharacter(character: string): string {
  // Half of a surrogate pair has no UTF-8. It becomes U+FFFD, as in the platform's URL.
  return character === '%'
    ? '%25'
    : encodeURIComponent(character.toWellFormed()).replaceAll("'", '%27')
}
