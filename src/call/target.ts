/**
 * Resolves the targets of calls, and guards them: no request may reach another resource than the intended one. RFC 3986; RFC
 * 4918, section 8.3.
 */

import {typesOf} from '../multistatus/selection.ts'
import {lists} from '../multistatus/summary.ts'
import {quoted, visible} from '../protocol/errors.ts'
import {memberOf} from '../protocol/members.ts'
import {hasControlCharacter, isBelowInEachReading, standings} from '../protocol/readings.ts'

/** A target: a URL reference, which is resolved against the client's URL; a `URL`; or a result, whose `url` counts. */
export type Target = string | URL | ResultTarget

/** A result, or another object with an absolute URL as its `url`. */
export interface ResultTarget {
  /** The absolute URL of the resource. */
  readonly url: string
}

/** Completes the refusal of a URL. */
export const HAS_CREDENTIALS =
  'has credentials in it: give them as auth, such as basicAuth(username, password)'

/**
 * Resolves a target to the URL to send. A `;` becomes `%3B`, because servlet containers cut a name at a raw one. A result that is
 * a collection by its type gets its slash, without which nginx answers a DELETE with 409.
 *
 * @throws TypeError for an invalid target, for another origin, and for a reference that would reach another resource than it
 *   seems to.
 */
export function resolveTarget(target: Target, base: URL): URL {
  if (typeof target !== 'string' && !isTargetObject(target))
    throw new TypeError('A target is a URL reference, a URL or a result')
  // The `url` of a malformed Failure is the request URL, because the response named no resource.
  if (memberOf(target, 'reason') === 'malformed')
    throw new TypeError('A malformed failure may name another resource, and is no target')
  const url = typeof target === 'string' ? resolveReference(target, base) : resolveObject(target)
  const refusal = (why: string): TypeError => new TypeError(`${describe(url)} ${why}`)
  if (url.origin !== base.origin)
    throw refusal(`is not on ${base.origin}: a client stays on the origin of its url`)
  if (url.hash !== '' || url.href.endsWith('#'))
    throw refusal("has a fragment: escape a '#' of a name with encodePath")
  if (url.username !== '' || url.password !== '') throw refusal(HAS_CREDENTIALS)
  escapeSemicolons(url)
  if (isKnownCollection(target) && url.search === '' && !url.pathname.endsWith('/'))
    url.pathname += '/'
  return url
}

const PLAIN = /^(?:[\w-][\w.~-]*\/)*[\w-][\w.~-]*\/?$/

/**
 * Recognizes a name below the base without a character to resolve, to escape or to guard against, as most targets are. Its URL is
 * the base and the name.
 */
export function isPlainReference(target: unknown): target is string {
  return typeof target === 'string' && PLAIN.test(target)
}

/** Resolves a target as {@link resolveTarget} does, to the text of the URL. */
export function resolveHref(target: Target, base: URL): string {
  return isPlainReference(target) ? base.href + target : resolveTarget(target, base).href
}

function escapeSemicolons(url: URL): void {
  if (url.pathname.includes(';')) url.pathname = url.pathname.replaceAll(';', '%3B')
}

/** Converts a server's URL to the URL to send. */
export function spelled(href: string): string {
  if (!href.includes(';')) return href
  const url = new URL(href)
  escapeSemicolons(url)
  return url.href
}

/** Recognizes a result that is a collection by its type. */
function isKnownCollection(target: unknown): boolean {
  return typesOf(memberOf(target, 'properties'))?.includes('collection') === true
}

/** The target of a destructive request, with the facts that its guards need. */
export interface DestructiveTarget {
  readonly method: string
  readonly url: URL
  /** The client's own collection. */
  readonly base: URL
  /** The target as the caller named it. */
  readonly target?: unknown
}

/**
 * Finds the reason why a destructive request must not be sent. A result may be `outside`, or could not be listed. A name may have
 * a control character, or some servers read it as the collection around it.
 *
 * @returns The reason; `undefined` for a safe target.
 * @throws TypeError for the client's own base, and for a target around or outside it.
 */
export function findDestructiveProblem(destructive: DestructiveTarget): string | undefined {
  const {url, base, target} = destructive
  const problem = findListingProblem(target) ?? findControlProblem(url, base)
  if (problem !== undefined) return problem
  guardTarget(destructive)
  return findParentProblem(url)
}

/**
 * Refuses the client's own base, its parents, and targets outside it, in every reading of a server.
 *
 * @throws TypeError for such a target.
 */
function guardTarget({method, url, base, target}: DestructiveTarget): void {
  const found = standings(url.pathname, base.pathname)
  const holdsBase = found.has('same') || found.has('around')
  if (!holdsBase && !found.has('elsewhere')) return
  const why = holdsBase ? "the client's own base is in it" : `it is outside ${base.href}`
  const hint = holdsBase ? '' : explainLeadingSlash(target, url, base)
  throw new TypeError(`${method} ${url.href} is refused: ${why}${MEANT}${hint}`)
}

/** Finds the reason why a result must not be the target of a destructive request. */
function findListingProblem(target: unknown): string | undefined {
  if (memberOf(target, 'relation') === 'outside')
    return 'its href is outside the collection that was listed'
  return isUnlisted(target)
    ? 'it could not be listed, so nobody knows what would go with it'
    : undefined
}

/** The advice to a caller who knows better than a guard. */
export const MEANT = '; say unguarded: true if it is meant'

/** Recognizes the Failure of a listing that was refused or broke. */
export function isUnlisted(target: unknown): boolean {
  const isListing = lists(memberOf(memberOf(target, 'request'), 'method'))
  return isListing && memberOf(target, 'ok') === false && memberOf(target, 'reason') !== 'propstat'
}

/** Finds a control character in a name below the base. Servers read it as the end of the name, or drop it. */
function findControlProblem({pathname}: URL, base: URL): string | undefined {
  const isBelow = pathname.startsWith(base.pathname)
  return hasControlCharacter(isBelow ? pathname.slice(base.pathname.length) : pathname)
    ? `its name has a control character, so some servers read another name${MEANT}`
    : undefined
}

/** Finds a name that some servers read as the collection around it. */
function findParentProblem({pathname}: URL): string | undefined {
  const parent = pathname.slice(0, pathname.replace(/\/$/, '').lastIndexOf('/') + 1)
  return isBelowInEachReading(pathname, parent)
    ? undefined
    : `some servers read it as the collection that it is in${MEANT}`
}

/** Tells if a URL is below another in every reading of a server, and means one resource to all of them. */
export function isSafelyBelow(url: string, other: string): boolean {
  const {pathname} = new URL(spelled(url))
  const around = new URL(spelled(other)).pathname
  return !hasControlCharacter(pathname) && isBelowInEachReading(pathname, around)
}

function isTargetObject(target: unknown): target is URL | ResultTarget {
  return target instanceof URL || typeof memberOf(target, 'url') === 'string'
}

function resolveObject(target: URL | ResultTarget): URL {
  const href = target instanceof URL ? target.href : target.url
  const url = URL.parse(href)
  if (url === null) throw new TypeError(`${quoted(href)} is no absolute URL`)
  return url
}

function resolveReference(reference: string, base: URL): URL {
  const problem = findReferenceProblem(reference)
  const url = problem === undefined ? URL.parse(reference, base.href) : null
  if (url !== null) return url
  const fault =
    problem === undefined
      ? 'is no URL reference'
      : `has ${problem}, so it would name another resource`
  throw new TypeError(`${quoted(reference)} ${fault}: escape a plain path with encodePath`)
}

// Most references have these characters only, and no problem.
const PLAIN_REFERENCE = /^[\w\-.~/]+$/

function findReferenceProblem(reference: string): string | undefined {
  if (PLAIN_REFERENCE.test(reference)) return undefined
  if (reference.includes('#')) return "a '#'"
  if (reference.includes('?')) return "a '?'"
  if (/\p{Cc}/u.test(reference)) return 'a control character'
  if (/%(?![\da-f]{2})/i.test(reference)) return 'a broken escape'
  if (/^https?:(?!\/\/)/i.test(reference)) return "a scheme without '//'"
  if (reference.includes('\\')) return "a '\\'"
  if (reference.trim() !== reference) return 'white space around it'
  return reference.isWellFormed() ? undefined : 'half of a surrogate pair'
}

/** Formats a URL for a message, without its secrets. */
function describe(url: URL): string {
  return visible(url.origin === 'null' ? url.protocol : url.origin + url.pathname, 1000)
}

/**
 * Explains a reference such as `/a.txt`, which begins at the root of the server and not at the client's URL. Names its URL and
 * the reference to write instead; empty for any other target. RFC 3986, section 5.
 */
function explainLeadingSlash(target: unknown, url: URL, base: URL): string {
  const reference = writtenReference(target)
  if (reference === undefined || !/^\/(?!\/)/.test(reference)) return ''
  const relative = reference.replace(/^\/+/, '')
  // A colon in the first segment would end a scheme.
  const written = /^[^/]*:/.test(relative) ? `./${relative}` : relative
  const meant = relative === '' ? null : URL.parse(written, base.href)
  const instead = meant === null ? '' : `: for ${meant.href} write ${quoted(written)}`
  return `; ${quoted(reference)} with its leading slash means ${url.href}${instead}`
}

function writtenReference(target: unknown): string | undefined {
  const isUrl = target instanceof URL || memberOf(target, 'url') !== undefined
  const reference = isUrl ? undefined : (memberOf(target, 'href') ?? target)
  return typeof reference === 'string' ? reference : undefined
}

/** Finds the URL that a caller intended, for the Failure of a refused target. That of `//other/a` is on another host. */
export function placeOf(target: unknown, base: URL): {readonly href: string; readonly url: string} {
  const reference = referenceOf(target)
  const absolute = URL.parse(reference)
  const url = absolute ?? URL.parse(reference.replaceAll(MISTAKES, encodeURIComponent), base)
  if (url === null) return {href: reference, url: base.href}
  url.username = ''
  url.password = ''
  if (url.origin !== base.origin) return {href: url.href, url: url.href}
  url.search = ''
  url.hash = ''
  return {href: absolute === null ? reference : url.pathname, url: url.href}
}

// Characters that end or change the path of a reference, though they were meant as part of a name.
const MISTAKES = /[#?\\\p{Cc}]|%(?![\da-f]{2})/giu

function referenceOf(target: unknown): string {
  const url = memberOf(target, 'url')
  const reference = typeof url === 'string' ? url : (memberOf(target, 'href') ?? target)
  return typeof reference === 'string' || reference instanceof URL ? String(reference) : ''
}

/** Recognizes the path of a collection, also one that ends with an escaped slash. */
export function isCollectionPath(path: string): boolean {
  return /(?:\/|%2f|%5c)$/i.test(path)
}
