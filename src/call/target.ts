/**
 * What a caller may name a resource by, and what is refused before anything is sent: whatever would make a request hit
 * another resource than the one that is meant. RFC 3986; RFC 4918, section 8.3.
 */

import {typesOf} from '../multistatus/selection.ts'
import {quoted, visible} from '../protocol/errors.ts'
import {hasControlCharacter, isBelowInEachReading, standings} from '../protocol/readings.ts'
import {explainLeadingSlash} from './leading-slash.ts'

/** A resource: a URL reference, resolved against the client's URL; a `URL`; or a result, whose `url` counts. */
export type Target = string | URL | ResultTarget

/** A result, or what else has an absolute URL as its `url`. */
export interface ResultTarget {
  /** The resource, absolute. */
  readonly url: string
}

/**
 * The URL of a target, as it is sent. A `;` becomes `%3B`, because servlet containers cut off what follows a raw one. A result
 * that is a collection by its type gets its slash, without which nginx answers a DELETE with 409.
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
  spell(url)
  if (isKnownCollection(target) && url.search === '' && !url.pathname.endsWith('/'))
    url.pathname += '/'
  return url
}

/** Writes a path in the way that all servers read alike, as far as there is one. */
function spell(url: URL): void {
  if (url.pathname.includes(';')) url.pathname = url.pathname.replaceAll(';', '%3B')
}

/** A URL that a server wrote, as it is sent. */
export function spelled(href: string): string {
  if (!href.includes(';')) return href
  const url = new URL(href)
  spell(url)
  return url.href
}

/** Whether a target is a result whose type says that it is a collection. */
function isKnownCollection(target: unknown): boolean {
  if (typeof target !== 'object' || target === null || !('properties' in target)) return false
  return typesOf(target.properties)?.includes('collection') === true
}

/**
 * Refuses what a verb that destroys must not be pointed at by mistake: the client's own base, and what is outside it.
 *
 * @throws TypeError
 */
export function guardTarget(url: URL, base: URL, verb: string, target?: unknown): void {
  const found = standings(url.pathname, base.pathname)
  if (found.has('same') || found.has('around')) {
    throw new TypeError(
      `${verb} ${url.href} is refused: the client's own base is in it; say unguarded: true if that is meant`,
    )
  }
  if (found.has('elsewhere')) {
    throw new TypeError(
      `${verb} ${url.href} is refused: it is outside ${base.href}; say unguarded: true if that is meant${explainLeadingSlash(target, url, base)}`,
    )
  }
}

/**
 * Why a verb that destroys must not be sent to a URL, though it is below the base: servers read control characters as the end
 * of a name, or as nothing.
 */
export function findControlProblem({pathname}: URL, base: URL): string | undefined {
  const isBelow = pathname.startsWith(base.pathname)
  return hasControlCharacter(isBelow ? pathname.slice(base.pathname.length) : pathname)
    ? 'there is a control character in its name, which some servers read as another name; say unguarded: true if it is meant'
    : undefined
}

/** Why a verb that destroys must not be sent to a URL: to some servers, it is the collection that it is in. */
export function findParentProblem({pathname}: URL): string | undefined {
  const parent = pathname.slice(0, pathname.replace(/\/$/, '').lastIndexOf('/') + 1)
  return isBelowInEachReading(pathname, parent)
    ? undefined
    : 'some servers read it as the collection that it is in; say unguarded: true if it is meant'
}

/** Whether a URL is below another one in whatever way a server reads their paths, and means one resource. */
export function isSafelyBelow(url: string, other: string): boolean {
  const {pathname} = new URL(spelled(url))
  const around = new URL(spelled(other)).pathname
  return !hasControlCharacter(pathname) && isBelowInEachReading(pathname, around)
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
