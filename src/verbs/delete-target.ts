/**
 * What a caller may name as the target of a DELETE, with the conditions under which it is to go; and what is refused
 * before anything is sent. RFC 4918, sections 9.6 and 10.4; RFC 9110, section 13.1.1.
 */

import type {FailedRequest, Failure} from '../multistatus/result.ts'
import {kindOf} from '../multistatus/selection.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY} from '../protocol/options.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {assertConditions} from './conditional-target.ts'
import type {SettledOptions} from './delete-options.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {findControlProblem, findParentProblem, guardTarget, resolveTarget} from '../call/target.ts'

/** What is to be deleted: a URL reference, a `URL`, a result, or a resource with conditions. */
export type DeleteTarget = Target | ConditionalTarget

/**
 * A resource that is to be deleted only as it is known, or that is locked by ourselves. Another name is a TypeError: a misspelt
 * condition would be none.
 */
export interface ConditionalTarget {
  /** The resource: a URL reference, resolved against the client's URL, or a `URL`. */
  readonly href: string | URL
  /**
   * Its ETag as the server gave it: with another one it stays, and the verdict is a 412. Sent as If-Match. A weak one never
   * matches, so it is a Failure `refused`. RFC 9110, section 13.1.1.
   */
  readonly ifMatch?: string | undefined
  /**
   * The token of a lock on it that is ours, with or without `<>`. It is submitted by an If header; that the lock still holds is
   * not required, and `ifMatch` is for that. RFC 4918, section 10.4.
   */
  readonly lockToken?: string | undefined
}

/** The members of a target with conditions. Their values are checked when the request is made. */
const CONDITIONAL_TARGET: Rules<ConditionalTarget> = {href: ANY, ifMatch: ANY, lockToken: ANY}

/** What a DELETE is, once it is settled. */
export interface DeleteRequest {
  readonly url: string
  readonly conditions?: Readonly<Record<string, string>> | undefined
  /** How often it was sent before. */
  readonly attempts: number
  readonly ifMissing: 'failure' | 'success'
  readonly verify: boolean
}

// Names below the base in which there is nothing to resolve, to escape or to guard against: what most targets are.
const PLAIN = /^(?:[\w-][\w.~-]*\/)*[\w-][\w.~-]*\/?$/

/**
 * The DELETE of a target, or the Failure `refused` of one that is not sent. Not sent are results that are `outside` or could
 * not be listed, names with a control character, and results without the ETag that `ifUnchanged` needs.
 *
 * @throws TypeError where the target is none, or one that the guards refuse.
 */
export function settleDelete(
  session: Session,
  target: DeleteTarget,
  {ifMissing, unguarded, ifUnchanged, verify}: SettledOptions,
): DeleteRequest | Failure {
  if (typeof target === 'string' && !ifUnchanged && PLAIN.test(target))
    return {url: session.base.href + target, attempts: 0, ifMissing, verify}
  assertConditions(target, CONDITIONAL_TARGET)
  const {base} = session
  const url = resolveTarget(isConditional(target) ? target.href : target, base)
  const refuse = (why: string): Failure =>
    refusal(target, session, `DELETE ${url.href} is not sent: ${why}`)
  if (!unguarded) {
    const problem = findListingProblem(target) ?? findControlProblem(url, base)
    if (problem !== undefined) return refuse(problem)
    guardTarget(url, base, 'DELETE', target)
    const parent = findParentProblem(url)
    if (parent !== undefined) return refuse(parent)
  }
  const {ifMatch: given, lockToken} = conditionsOf(target)
  const known = given === undefined && ifUnchanged ? knownETag(target) : given
  if (typeof known === 'object') return refuse(known.problem)
  const ifMatch = known === undefined ? undefined : formatETag(known)
  if (known !== undefined && /^W\//i.test(known)) return refuse(WEAK)
  const conditions = {
    ...(ifMatch !== undefined && {'if-match': ifMatch}),
    ...(lockToken !== undefined && {if: formatLockToken(lockToken)}),
  }
  const hasConditions = ifMatch !== undefined || lockToken !== undefined
  return {
    url: url.href,
    ...(hasConditions && {conditions}),
    attempts: 0,
    ifMissing,
    verify,
  }
}

// RFC 9110, section 13.1.1: If-Match takes the strong comparison, in which a weak ETag equals none.
const WEAK = 'its ETag is weak, and If-Match is never true for a weak one'

/** Why a result is no target, though it names a resource. */
function findListingProblem(target: unknown): string | undefined {
  if (typeof target !== 'object' || target === null) return undefined
  if ('relation' in target && target.relation === 'outside')
    return 'its href is outside the collection that was listed'
  if (!isUnlisted(target)) return undefined
  return 'it could not be listed, so nobody knows what would go with it'
}

/** Whether a result is the Failure of a listing that was refused or broke. */
export function isUnlisted(target: unknown): boolean {
  if (typeof target !== 'object' || target === null) return false
  const {ok, reason, request}: {ok?: unknown; reason?: unknown; request?: unknown} = target
  const isListing =
    typeof request === 'object' &&
    request !== null &&
    'method' in request &&
    request.method === 'PROPFIND'
  return isListing && ok === false && reason !== 'propstat'
}

/** What is sent for a DELETE that is settled, as plain data. */
export function formatRequest(request: DeleteRequest): FailedRequest {
  const {url, conditions, attempts, ifMissing, verify} = request
  return {
    method: 'DELETE',
    url,
    depth: 'infinity',
    ...(conditions !== undefined && {conditions}),
    ...(ifMissing === 'success' && {ifMissing}),
    ...(verify && {verify}),
    attempts,
  }
}

/** The Failure of a target for which nothing is sent. Its URL is what the target says, also on another origin. */
export function refusal(target: unknown, {base}: Session, description: string): Failure {
  return {
    ok: false,
    ...placeOf(referenceOf(target), base),
    relation: 'self',
    status: 0,
    reason: 'refused',
    conditions: [],
    missing: [],
    description,
  }
}

/** The place of a reference, read as a caller means it: `//other/a` is on another host. */
function placeOf(reference: string, base: URL): {readonly href: string; readonly url: string} {
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

// They end the path of a reference, or change it, where they were meant as part of a name.
const MISTAKES = /[#?\\\p{Cc}]|%(?![\da-f]{2})/giu

function referenceOf(target: unknown): string {
  if (typeof target === 'string') return target
  if (target instanceof URL) return target.href
  if (typeof target !== 'object' || target === null) return ''
  const {url, href}: {url?: unknown; href?: unknown} = target
  if (typeof url === 'string') return url
  return href instanceof URL ? href.href : typeof href === 'string' ? href : ''
}

/** Whether a target is named by its `href`: that of a result is the server's word, and its `url` counts. */
function isConditional(target: DeleteTarget): target is ConditionalTarget {
  return (
    typeof target === 'object' && target !== null && !(target instanceof URL) && !('url' in target)
  )
}

function conditionsOf(target: DeleteTarget): Pick<ConditionalTarget, 'ifMatch' | 'lockToken'> {
  if (typeof target !== 'object' || target instanceof URL) return {}
  const ifMatch = 'ifMatch' in target ? target.ifMatch : undefined
  const lockToken = 'lockToken' in target ? target.lockToken : undefined
  for (const [name, value] of Object.entries({ifMatch, lockToken})) {
    if (value !== undefined && typeof value !== 'string')
      throw new TypeError(`${name} is a string, as the server gave it`)
  }
  return {ifMatch, lockToken}
}

/**
 * The ETag of a result that a change can be told by, or why there is none. That of a collection says nothing of what is in it,
 * and what has no known type may be one.
 */
function knownETag(target: DeleteTarget): string | {readonly problem: string} {
  if (typeof target === 'string' || target instanceof URL || isConditional(target)) {
    throw new TypeError('ifUnchanged needs results of a listing, or targets with an ifMatch')
  }
  const properties = 'properties' in target ? target.properties : undefined
  const kind = kindOf(properties)
  if (kind === 'collection')
    return {problem: 'it is a collection, whose ETag does not change with what is in it'}
  if (kind === undefined)
    return {problem: 'it may be a collection: list it with resourcetype among the properties'}
  const isThere = typeof properties === 'object' && properties !== null && 'getetag' in properties
  const etag = isThere ? properties.getetag : undefined
  const text = typeof etag === 'string' ? etag.trim() : ''
  // `*` means whatever is there. Only a caller may say so.
  return isETag(text) && text !== '*'
    ? text
    : {problem: 'it has no ETag by which a change could be told: list it with getetag'}
}

/** An ETag as a header has it: some servers leave out the quotes in the property. RFC 9110, section 8.8.3. */
function formatETag(etag: string): string {
  if (!isETag(etag)) throw new TypeError('ifMatch is no ETag')
  return etag === '*' || QUOTED.test(etag) ? etag : `"${etag}"`
}

const QUOTED = /^(?:W\/)?"[^"]*"$/

function isETag(text: string): boolean {
  return text !== '' && isHeaderValue(text) && (QUOTED.test(text) || !/["\s]/.test(text))
}

/**
 * An If header that submits a token. Its second list is always true: Apache holds the first one against the parent
 * collection too, and Not with a tag in front of it fails on nginx and lighttpd for some paths. A lock of somebody else's is
 * refused all the same, because its token is not there. RFC 4918, sections 10.4.2 and 10.4.8.
 */
function formatLockToken(token: string): string {
  const bare = token.trim().replace(/^<(.*)>$/s, '$1')
  if (!/^[\u0021-\u007E]+$/.test(bare) || /[<>]/.test(bare))
    throw new TypeError('lockToken is no token of a lock')
  return `(<${bare}>) (Not <DAV:no-lock>)`
}
