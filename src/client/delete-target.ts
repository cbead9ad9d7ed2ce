/**
 * What a caller may name as the target of a DELETE, with the conditions under which it is to go; and what is refused
 * before anything is sent. RFC 4918, sections 9.6 and 10.4; RFC 9110, section 13.1.1.
 */

import type {FailedRequest, Failure} from '../multistatus/result.ts'
import {typesOf} from '../multistatus/selection.ts'
import {HrefResolver} from '../protocol/href.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY} from '../protocol/options.ts'
import {isHeaderValue} from '../transport/headers.ts'
import {assertConditions} from './conditional-target.ts'
import type {SettledOptions} from './delete-options.ts'
import type {Session} from './session.ts'
import type {Target} from './target.ts'
import {guardTarget, resolveTarget} from './target.ts'

/** What is to be deleted: a URL reference, a `URL`, a result, or a resource with conditions. */
export type DeleteTarget = Target | ConditionalTarget

/**
 * A resource that is to be deleted only as it is known, or that is locked by ourselves. Another name is a TypeError: a misspelt
 * condition would be none.
 */
export interface ConditionalTarget {
  /** The resource: a URL reference, resolved against the client's URL, or a `URL`. */
  readonly href: string | URL
  /** Its ETag as the server gave it: with another one it stays, and the verdict is a 412. Sent as If-Match. */
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
 * The DELETE of a target; the Failure of one of which the server has told nothing that `ifUnchanged` could rest on.
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
  const url = resolveTarget(isConditional(target) ? target.href : target, session.base)
  if (!unguarded) guardTarget(url, session.base, 'DELETE', target)
  const {ifMatch = ifUnchanged ? etagOf(target) : undefined, lockToken} = conditionsOf(target)
  if (ifUnchanged && ifMatch === undefined) {
    const why = 'nothing is known of it by which a change could be told: it has no ETag of its own'
    return refusal(target, session, `DELETE ${url.href} is not sent: ${why}`)
  }
  const conditions = {
    ...(ifMatch !== undefined && {'if-match': formatETag(ifMatch)}),
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

/** The verdict on a target that is none: it is where the target says, though nothing is sent there. */
export function refusal(target: unknown, {base}: Session, description: string): Failure {
  const reference = referenceOf(target)
  const href = URL.canParse(reference) ? new URL(reference).pathname : reference
  return {
    ok: false,
    href,
    url: href === '' ? base.href : new HrefResolver(base).resolve(href).url,
    relation: 'self',
    status: 0,
    reason: 'malformed',
    conditions: [],
    missing: [],
    description,
  }
}

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

/** The ETag of a result; none of a collection, because it says nothing of what is in it. */
function etagOf(target: DeleteTarget): string | undefined {
  if (typeof target === 'string' || target instanceof URL || isConditional(target)) {
    throw new TypeError('ifUnchanged needs results of a listing, or targets with an ifMatch')
  }
  const properties = 'properties' in target ? target.properties : undefined
  if (typeof properties !== 'object' || properties === null) return undefined
  if (typesOf(properties)?.includes('collection') === true) return undefined
  const etag = 'getetag' in properties ? properties.getetag : undefined
  return typeof etag === 'string' && isETag(etag.trim()) ? etag.trim() : undefined
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
