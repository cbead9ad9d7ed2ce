/**
 * Formats and parses the If header: lists of lock tokens and ETags. The conditions of a list must all hold, and one list is
 * enough. RFC 4918, section 10.4.2.
 */

import {HeaderReader} from './header-reader.ts'

/** A condition of a list: a lock token or an ETag, which holds, or with `not` does not hold. */
export type IfCondition =
  | {
      /** True if the condition must not hold. */
      readonly not?: true
      /** A state token without `<>`, such as that of a lock. `DAV:no-lock` never holds. */
      readonly token: string
    }
  | {
      /** True if the condition must not hold. */
      readonly not?: true
      /** An ETag with its quotes and, for a weak one, with `W/`. */
      readonly etag: string
    }

/** Conditions that must all hold. */
export interface IfList {
  /** The resource of the conditions, a URL or an absolute path. Default: the resource of the request. */
  readonly resource?: string
  /** The conditions, at least one. */
  readonly conditions: readonly IfCondition[]
}

// Visible ASCII characters without < and >.
const CODED_URL = /<([!-;=?-~]+)>\s*/y
// The ETags of the RFC's examples have blanks in them.
const ETAG = /\[\s*((?:W\/)?"[ !#-~\x80-\uFFFF]*")\s*\]\s*/y
const NOT = /Not(?=[\s<[])\s*/iy
const OPEN = /\(\s*/y
const CLOSE = /\)\s*/y

/** Tests if a header can hold a token. It need not be a URL: some servers have bare numbers. */
export function isToken(token: string): boolean {
  return new RegExp(`^${CODED_URL.source}$`).test(`<${token}>`)
}

/** Removes the `<>` of a token, which some servers and callers leave out. */
export function bareToken(text: string): string {
  return text.trim().replace(/^<(.*)>$/s, '$1')
}

/**
 * Reads the token of a lock, with or without `<>`.
 *
 * @throws TypeError for a text that no header can hold as a token.
 */
export function readLockToken(text: string): string {
  const token = bareToken(text)
  if (isToken(token)) return token
  throw new TypeError('lockToken is no token of a lock')
}

/**
 * Formats an If header. Consecutive lists for one resource share its tag.
 *
 * @throws TypeError for no list, for an empty one, for a part that no header can have, and for lists with and without a resource.
 * @example
 * ```ts
 * const header = formatIf([{resource: lock.lockRoot, conditions: [{token: lock.token}]}])
 * ```
 */
export function formatIf(lists: readonly IfList[]): string {
  const [first] = lists
  if (first === undefined) throw new TypeError('An If header has at least one list')
  let last: string | undefined
  const parts = lists.map(({resource, conditions}) => {
    if ((resource === undefined) !== (first.resource === undefined))
      throw new TypeError('All lists of an If header name a resource, or none')
    if (conditions.length === 0) throw new TypeError('A list of an If header is not empty')
    const tag = resource === undefined || resource === last ? '' : `${format(resource)} `
    last = resource
    return `${tag}(${conditions.map(formatCondition).join(' ')})`
  })
  return parts.join(' ')
}

function formatCondition(condition: IfCondition): string {
  const text = 'token' in condition ? format(condition.token) : `[${condition.etag}]`
  if (!('token' in condition) && !new RegExp(`^${ETAG.source}$`).test(text))
    throw new TypeError('An ETag of an If header has its quotes')
  return condition.not === true ? `Not ${text}` : text
}

function format(token: string): string {
  if (isToken(token)) return `<${token}>`
  throw new TypeError('An If header has visible ASCII characters without < and >')
}

/**
 * Parses an If header.
 *
 * @returns The lists in their order. Each list behind a tag has its `resource`.
 * @throws SyntaxError for a text that is no If header.
 */
export function parseIf(text: string): IfList[] {
  const reader = new HeaderReader(text.trim())
  const lists: IfList[] = []
  let resource: string | undefined
  do {
    // A tag may only follow lists with a tag.
    const mayHaveTag = lists.length === 0 || resource !== undefined
    resource = (mayHaveTag ? reader.take(CODED_URL)?.[1] : undefined) ?? resource
    lists.push({...(resource !== undefined && {resource}), conditions: parseList(reader)})
  } while (!reader.isAtEnd)
  return lists
}

function parseList(reader: HeaderReader): IfCondition[] {
  const conditions: IfCondition[] = []
  if (reader.take(OPEN) === undefined) throw new SyntaxError('A list of an If header begins with (')
  do {
    const not = reader.take(NOT) === undefined ? {} : ({not: true} as const)
    const token = reader.take(CODED_URL)?.[1]
    const etag = token === undefined ? reader.take(ETAG)?.[1] : undefined
    if (token !== undefined) conditions.push({...not, token})
    else if (etag !== undefined) conditions.push({...not, etag})
    else throw new SyntaxError('A list of an If header has tokens in <> and ETags in []')
  } while (reader.take(CLOSE) === undefined)
  return conditions
}
