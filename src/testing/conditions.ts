/** The conditions of a request to a fake server: If-Match, If-None-Match, and the lists of If. RFC 9110, section 13; RFC 4918, section 10.4. */

import type {IfCondition, IfList} from '../protocol/if-header.ts'
import {parseIf} from '../protocol/if-header.ts'
import {covers} from './locks.ts'
import type {Answer, Asked, Site} from './site.ts'
import {hrefOf, pathOf, refusal} from './site.ts'
import type {Resource} from './tree.ts'
import {isCollection} from './tree.ts'

/**
 * Checks the conditions of a request that changes resources, and the locks on them.
 *
 * @param changed - The resources that the request changes as a whole.
 * @returns The refusal, or `undefined`.
 */
export function findRefusal(
  site: Site,
  asked: Asked,
  changed: readonly string[],
): Answer | undefined {
  const {path, headers} = asked
  const resource = site.tree.find(path)
  const lists = listsOf(asked)
  if (lists === undefined) return {status: 400}
  const isHeld = lists.length === 0 || lists.some((list) => holds(site, list, path))
  if (!isHeld || !matches(headers['if-match'], resource)) return {status: 412}
  if (isNoneMatched(headers['if-none-match'], resource)) return {status: 412}
  const tokens = tokensOf(asked)
  const locked = changed.filter((one) => site.locks.isLocked(one, tokens))
  if (locked.length === 0) return undefined
  return refusal(423, 'lock-token-submitted', rootsOf(site, locked))
}

/** Lists the hrefs of the locks on these paths. */
export function rootsOf(site: Site, paths: readonly string[]): readonly string[] {
  const roots = paths.flatMap((path) => site.locks.on(path).map(({root}) => root))
  return [...new Set(roots)].map((root) => hrefOf(site, root))
}

/** Reads the tokens in an If header, which a request submits whether their lists hold or not. RFC 4918, section 10.4.1. */
export function tokensOf(asked: Asked): ReadonlySet<string> {
  const conditions = listsOf(asked)?.flatMap((list) => list.conditions) ?? []
  return new Set(conditions.flatMap((one) => ('token' in one ? [one.token] : [])))
}

/** Reads the lists; `undefined` for a header that is none. */
function listsOf({headers}: Asked): readonly IfList[] | undefined {
  const header = headers['if']
  if (header === undefined) return []
  try {
    return parseIf(header)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function holds(site: Site, {resource, conditions}: IfList, own: string): boolean {
  const path = resource === undefined ? own : pathOf(site, resource)
  const isTrue = (condition: IfCondition): boolean => {
    if (path === undefined) return false
    if ('etag' in condition) return isMatch(condition.etag, site.tree.find(path))
    return site.locks.all.some((lock) => lock.token === condition.token && covers(lock, path))
  }
  return conditions.every((condition) => isTrue(condition) !== (condition.not === true))
}

/** Evaluates If-Match. RFC 9110, section 13.1.1. */
export function matches(header: string | undefined, resource: Resource | undefined): boolean {
  if (header === undefined) return true
  if (header.trim() === '*') return resource !== undefined
  return tagsOf(header).some((tag) => isMatch(tag, resource))
}

/** Evaluates If-None-Match: true if the condition fails. RFC 9110, section 13.1.2. */
export function isNoneMatched(header: string | undefined, resource: Resource | undefined): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return resource !== undefined
  return tagsOf(header).some((tag) => isMatch(tag.replace(/^W\//, ''), resource))
}

/** Compares strongly. All ETags of the server are strong. RFC 9110, section 8.8.3.2. */
function isMatch(tag: string, resource: Resource | undefined): boolean {
  return resource !== undefined && !isCollection(resource) && resource.etag === tag
}

function tagsOf(header: string): readonly string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? []
}
