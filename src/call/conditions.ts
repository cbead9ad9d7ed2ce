/**
 * Reads the conditions of a request, an ETag and a lock token, and formats their headers. Never sends an uncertain condition: a
 * weak ETag matches nothing, and a misspelt one would be none. RFC 9110, section 13.1.1; RFC 4918, section 10.4.
 */

import {kindOf} from '../multistatus/selection.ts'
import {restoreBytes} from '../protocol/byte-string.ts'
import {formatIf, readLockToken} from '../protocol/if-header.ts'
import {isObject, memberOf, namesOf, tagOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {countMistakes, TEXT, unknownOption} from '../protocol/options.ts'
import {isHeaderValue} from '../transport/headers.ts'
import type {Target} from './target.ts'
import {resolveTarget} from './target.ts'

/**
 * A resource with conditions: its known state, or the token of a lock on it. An unknown member is a TypeError, because a misspelt
 * condition would be no condition.
 */
export interface ConditionalTarget extends Conditions {
  /** The resource: a `URL`, or a URL reference, which is resolved against the client's URL. */
  readonly href: string | URL
}

/** The conditions of a request. */
export interface Conditions {
  /**
   * The ETag of the resource, as the server wrote it. It is sent as If-Match, and a resource with another ETag is a Failure 412.
   * A weak ETag never matches, so it makes a Failure `refused`. RFC 9110, section 13.1.1.
   */
  readonly ifMatch?: string | undefined
  /**
   * The token of a lock that the client does not hold itself, with or without `<>`. An If header submits it, and a token whose lock
   * holds no more is a Failure 412. The tokens of the client's own locks are submitted without it. RFC 4918, section 10.4.
   */
  readonly lockToken?: string | undefined
  /**
   * The root of the lock of `lockToken`, as a URL reference: the collection, for example, whose lock covers the resource.
   *
   * @defaultValue the resource itself; of a COPY or MOVE the source
   */
  readonly lockRoot?: string | undefined
}

const CONDITIONS = ['ifMatch', 'lockToken', 'lockRoot'] as const
const MAX_MISTAKES = 2

/** The rules of the conditions among the options of a call. */
export const CONDITION_RULES: Rules<Conditions> = {ifMatch: TEXT, lockToken: TEXT, lockRoot: TEXT}

/**
 * Checks the names of a target's members. A result, or another object with a `url`, may have any members, but none with a name
 * that is nearly a condition.
 *
 * @throws TypeError
 */
export function assertConditionNames(target: unknown): void {
  if (!isObject(target) || isUrl(target)) return
  const isResult = 'url' in target
  const known = ['href', ...CONDITIONS]
  for (const name of namesOf(target)) {
    if (known.includes(name)) continue
    if (!isResult) throw unknownOption('target', name, known)
    const isNear = (condition: string): boolean =>
      countMistakes(name.toLowerCase(), condition.toLowerCase(), MAX_MISTAKES) <= MAX_MISTAKES
    if (CONDITIONS.some(isNear)) throw unknownOption('target', name, CONDITIONS)
  }
}

/** Recognizes a URL of any realm. */
function isUrl(value: object): boolean {
  return value instanceof URL || tagOf(value) === '[object URL]'
}

/** Recognizes a target with conditions, named by its `href`. Of a result, the `href` is the server's text and the `url` counts. */
export function isConditional(target: Target | ConditionalTarget): target is ConditionalTarget {
  return isObject(target) && !(target instanceof URL) && !('url' in target)
}

/** The URL of a target, and the URL of the client. */
interface Place {
  readonly url: string
  readonly base: URL
}

/** The conditions of a target as headers by name, or the reason why the target must not be sent. */
export interface ConditionalHeaders {
  readonly conditions?: Readonly<Record<string, string>>
  readonly problem?: string
}

/**
 * Reads the conditions of a target: from its members, from the options, and with `ifUnchanged` from the ETag of its listing.
 *
 * @throws TypeError for conditions of another type, and for `ifUnchanged` with a target that is no result.
 */
export function readConditions(
  target: Target | ConditionalTarget,
  options: Conditions & {readonly ifUnchanged?: boolean | undefined},
  place: Place,
): ConditionalHeaders {
  const own = typeof target !== 'object' || target instanceof URL ? {} : checked(target)
  for (const name of CONDITIONS) {
    if (own[name] !== undefined && options[name] !== undefined)
      throw new TypeError(`Give ${name} once: with the target or as an option`)
  }
  const {ifMatch: given, lockToken, lockRoot} = {...own, ...checked(options)}
  // A result may have a lockRoot, such as a Lock.
  const givenRoot = options.lockRoot ?? (isConditional(target) ? lockRoot : undefined)
  if (givenRoot !== undefined && lockToken === undefined)
    throw new TypeError('lockRoot is for the lock of lockToken: give both')
  const known = given === undefined && options.ifUnchanged === true ? knownETag(target) : given
  if (typeof known === 'object') return known
  const ifMatch = known === undefined ? undefined : formatETag(known)
  // If-Match uses the strong comparison, in which a weak ETag equals no other.
  if (known !== undefined && /^W\//i.test(known))
    return {problem: 'its ETag is weak, which If-Match never matches'}
  if (ifMatch === undefined && lockToken === undefined) return {}
  const conditions = {
    ...(ifMatch !== undefined && {'if-match': ifMatch}),
    ...(lockToken !== undefined && {if: formatLock(lockToken, lockRoot, place)}),
  }
  return {conditions}
}

/** Picks the conditions, and checks that they are strings. */
function checked(given: object): Conditions {
  const found: {-readonly [Name in keyof Conditions]: Conditions[Name]} = {}
  for (const name of CONDITIONS) {
    const value: unknown = Reflect.get(given, name)
    if (value === undefined) continue
    if (typeof value !== 'string') throw new TypeError(`${name} is a string, as the server gave it`)
    found[name] = value
  }
  return found
}

/**
 * Finds the ETag by which a result is known to be unchanged, or the reason why there is none. The ETag of a collection does not
 * change with its members, and a resource of unknown type may be a collection.
 */
function knownETag(target: Target | ConditionalTarget): string | {readonly problem: string} {
  if (typeof target === 'string' || target instanceof URL || isConditional(target)) {
    throw new TypeError('ifUnchanged needs results of a listing, or targets with an ifMatch')
  }
  const properties = memberOf(target, 'properties')
  const kind = kindOf(properties)
  if (kind === 'collection')
    return {problem: 'it is a collection, whose ETag does not change with what is in it'}
  if (kind === undefined) return {problem: 'it may be a collection: list it with resourcetype'}
  const etag = memberOf(properties, 'getetag')
  const text = typeof etag === 'string' ? etag.trim() : ''
  // `*` matches any state. A caller may ask for that, but no listing.
  return isETag(text) && text !== '*'
    ? text
    : {problem: 'it has no ETag to compare: list it with getetag'}
}

/** Formats an ETag for a header. Adds the quotes that some servers leave out of the property. RFC 9110, section 8.8.3. */
export function formatETag(etag: string, name = 'ifMatch'): string {
  if (!isETag(etag)) throw new TypeError(`${name} is no ETag`)
  return etag === '*' || QUOTED_ETAG.test(etag) ? etag : `"${etag}"`
}

const QUOTED_ETAG = /^(?:W\/)?"[^"]*"$/

function isETag(text: string): boolean {
  return (
    text !== '' &&
    isHeaderValue(restoreBytes(text)) &&
    (QUOTED_ETAG.test(text) || !/["\s]/.test(text))
  )
}

/**
 * Makes the condition of `create`, that nothing is there yet. RFC 9110, section 13.1.2.
 *
 * @throws TypeError for an ETag beside it.
 */
export function formatCreate(
  create: boolean,
  ifMatch: string | undefined,
): Readonly<Record<string, string>> {
  if (!create) return {}
  if (ifMatch !== undefined)
    throw new TypeError('Give create or ifMatch: what is not there has no ETag')
  return {'if-none-match': '*'}
}

/** Formats an If header that submits a token. */
function formatLock(lockToken: string, lockRoot: string | undefined, {url, base}: Place): string {
  const resource = lockRoot === undefined ? url : resolveTarget(lockRoot, base).href
  return formatIf([{resource, conditions: [{token: readLockToken(lockToken)}]}])
}
