/**
 * What a caller may name a resource by, and what is refused before anything is sent: whatever would make a request hit
 * another resource than the one that is meant. RFC 3986; RFC 4918, section 8.3.
 */

import {quoted, visible} from '../protocol/errors.ts'
import {isWithin} from '../protocol/href.ts'
import {explainLeadingSlash} from './leading-slash.ts'

/** A resource: a URL reference, resolved against the client's URL; a `URL`; or a result, whose `url` counts. */
export type Target = string | URL | ResultTarget

/** A result, or what else has an absolute URL as its `url`. */
export interface ResultTarget {
  /** The resource, absolute. */
  readonly url: string
}

/**
 * The URL of a target.
 *
 * @throws TypeError where it is none, is on another origin, or would hit another resource than it seems to.
 */
export function resolveTarget(target: Target, base: URL): URL {
  const reference =
    typeof target === 'string' ? target : isTargetObject(target) ? target : undefined
  if (reference === undefined) throw new TypeError('A target is a URL reference, a URL or a result')
  if (typeof reference === 'object' && namesNothing(reference)) {
    throw new TypeError('A malformed failure may name another resource, so it cannot be a target')
  }
  const url =
    typeof reference === 'string' ? resolveReference(reference, base) : resolveObject(reference)
  if (url.origin !== base.origin) {
    throw new TypeError(
      `${describe(url)} is not on ${base.origin}: a client stays on the origin of its url`,
    )
  }
  if (url.hash !== '' || url.href.endsWith('#')) {
    throw new TypeError(`${describe(url)} has a fragment: escape a '#' of a name with encodePath`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(
      `${describe(url)} has credentials in it: give them as auth, such as basicAuth(username, password)`,
    )
  }
  return url
}

/**
 * Refuses what a verb that destroys must not be pointed at by mistake: the client's own base, and what is outside it.
 *
 * @throws TypeError
 */
export function guardTarget(url: URL, base: URL, verb: string, target?: unknown): void {
  // Without any of these characters, all servers read a path alike.
  const isPlain = !/[%;\\]/.test(url.pathname)
  const paths = isPlain ? [url.pathname] : [url.pathname, asServersRead(url.pathname)]
  if (paths.some((path) => isWithin(base.pathname, path))) {
    throw new TypeError(
      `${verb} ${url.href} is refused: the client's own base is in it; say unguarded: true if that is meant`,
    )
  }
  if (!paths.every((path) => isWithin(path, base.pathname))) {
    throw new TypeError(
      `${verb} ${url.href} is refused: it is outside ${base.href}; say unguarded: true if that is meant${explainLeadingSlash(target, url, base)}`,
    )
  }
}

/** Whether a URL is in another one, in whatever way a server reads its path. */
export function isSafelyWithin(url: string, other: string): boolean {
  const {pathname} = new URL(url)
  const around = new URL(other).pathname
  return isWithin(pathname, around) && isWithin(asServersRead(pathname), around)
}

/**
 * What some servers make of a path: nginx decodes `%2F` before it resolves dots, Windows takes `\` for a slash, servlets cut
 * parameters off a segment, and old decoders read an overlong dot. A guard must hold for these too.
 */
function asServersRead(path: string): string {
  const read = path
    .replaceAll(/%2f|%5c/gi, '/')
    .replaceAll(/%c0%ae/gi, '.')
    .replaceAll(/\/(\.{1,2});[^/]*/g, '/$1')
    .replaceAll(/%00.*?(?=\/|$)/g, '')
  return new URL(`http://localhost${read}`).pathname
}

/** Whether a result is the failure of a response that named no resource: its `url` is the request's. */
function namesNothing(target: object): boolean {
  return 'reason' in target && target.reason === 'malformed'
}

function isTargetObject(target: unknown): target is URL | ResultTarget {
  if (target instanceof URL) return true
  return (
    typeof target === 'object' &&
    target !== null &&
    'url' in target &&
    typeof target.url === 'string'
  )
}

function resolveObject(target: URL | ResultTarget): URL {
  const href = target instanceof URL ? target.href : target.url
  const url = URL.parse(href)
  if (url === null) throw new TypeError(`${quoted(href)} is no absolute URL`)
  return url
}

function resolveReference(reference: string, base: URL): URL {
  const problem = findProblem(reference)
  if (problem !== undefined) {
    throw new TypeError(
      `${quoted(reference)} has ${problem}, so it would name another resource: escape a plain path with encodePath`,
    )
  }
  const url = URL.parse(reference, base.href)
  if (url === null)
    throw new TypeError(
      `${quoted(reference)} is no URL reference: escape a plain path with encodePath`,
    )
  return url
}

// What most references are, and nothing in it to find.
const PLAIN = /^[\w\-.~/]+$/

function findProblem(reference: string): string | undefined {
  if (PLAIN.test(reference)) return undefined
  if (reference.includes('#')) return "a '#'"
  if (reference.includes('?')) return "a '?'"
  if (/\p{Cc}/u.test(reference)) return 'a control character'
  if (/%(?![\da-f]{2})/i.test(reference)) return 'a broken escape'
  if (reference.includes('\\')) return "a '\\'"
  if (reference.trim() !== reference) return 'white space around it'
  return reference.isWellFormed() ? undefined : 'half of a surrogate pair'
}

/** A URL without what is secret in it. */
function describe(url: URL): string {
  return visible(url.origin === 'null' ? url.protocol : url.origin + url.pathname, 1000)
}
