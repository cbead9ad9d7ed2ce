/**
 * PUT, DELETE, COPY and MOVE of a fake server. A collection with members that refuse is deleted, copied or moved as far as it can be,
 * and a 207 names those members. RFC 4918, sections 9.6 to 9.9.
 */

import {findRefusal, rootsOf, tokensOf} from './conditions.ts'
import type {Answer, Asked, Site} from './site.ts'
import {conditionElement, hrefOf, multistatus, pathOf, refusal} from './site.ts'
import {isAtOrBelow, isCollection, parentOf, sizeOf} from './tree.ts'

/** Answers a PUT. */
export function put(site: Site, asked: Asked): Answer {
  const {path, headers, body, hasSlash} = asked
  const {tree, settings} = site
  const before = tree.find(path)
  if (isCollection(before) || hasSlash) return {status: 405}
  if (!isCollection(tree.find(parentOf(path)))) return {status: 409}
  // RFC 9110, section 14.5.
  if (headers['content-range'] !== undefined) return {status: 400}
  const refused = findRefusal(site, asked, before === undefined ? [path, parentOf(path)] : [path])
  if (refused !== undefined) return refused
  const growth = body.length - (before?.content.length ?? 0)
  if (growth > 0 && settings.quota - growth < tree.bytes) return refusal(507, 'quota-not-exceeded')
  const type = headers['content-type'] ?? before?.type ?? 'application/octet-stream'
  const file = tree.makeFile(body, type, before)
  tree.set(path, file)
  return {status: before === undefined ? 201 : 204, headers: {etag: file.etag}}
}

/** Answers a DELETE. */
export function remove(site: Site, asked: Asked): Answer {
  const {path} = asked
  if (site.tree.find(path) === undefined) return {status: 404}
  if (path === '' || (headerDepth(asked) !== 'infinity' && isCollection(site.tree.find(path))))
    return {status: path === '' ? 403 : 400}
  const whole = findRefusal(site, asked, [path, parentOf(path)])
  if (whole !== undefined) return whole
  const refused = findRefusedMembers(site, asked)
  removeOthers(site, path, refused)
  return refused.size === 0 ? {status: 204} : answerRefused(site, refused)
}

/** Answers a COPY or a MOVE. */
export function transfer(site: Site, asked: Asked): Answer {
  const {method, path, headers} = asked
  const {tree, settings, locks} = site
  const source = tree.find(path)
  if (source === undefined) return {status: 404}
  const destination = headers['destination']
  if (destination === undefined) return {status: 400}
  const to = pathOf(site, destination)
  if (to === undefined) return {status: 502}
  const isMove = method === 'MOVE'
  const depth = headerDepth(asked)
  const isShallow = depth === '0' && !isMove && isCollection(source)
  if (depth !== 'infinity' && isCollection(source) && !isShallow) return {status: 400}
  if (isAtOrBelow(path, to) || (isAtOrBelow(to, path) && !isShallow)) return {status: 403}
  if (!isCollection(tree.find(parentOf(to)))) return {status: 409}
  const old = tree.find(to)
  const ends = isMove ? [path, parentOf(path), to, parentOf(to)] : [to, parentOf(to)]
  const replaced = Array.from(tree.within(to), ([one]) => one)
  const whole = findRefusal(site, asked, [...new Set([...ends, ...replaced])])
  if (whole !== undefined) return whole
  if (old !== undefined && headers['overwrite'] === 'F') return {status: 412}
  const isOver = (one: string): boolean => isShallow && one !== path
  const refused = isShallow ? new Map<string, number>() : findRefusedMembers(site, asked)
  const copy = tree.copy(path, (one) => isOver(one) || refused.has(one), isMove)
  if (copy === undefined) return {status: 404}
  const growth = isMove ? 0 : sizeOf(copy) - (old === undefined ? 0 : sizeOf(old))
  if (growth > 0 && settings.quota - growth < tree.bytes) return refusal(507, 'quota-not-exceeded')
  locks.end(to, 'replaced')
  tree.remove(to)
  tree.set(to, copy)
  if (isMove) removeOthers(site, path, refused)
  if (refused.size > 0) return answerRefused(site, refused)
  return {status: old === undefined ? 201 : 204}
}

function headerDepth({headers}: Asked): string {
  return headers['depth'] ?? 'infinity'
}

/** Finds the members that a request leaves: locked ones, and those that a fault protects. Each has its status. */
function findRefusedMembers(site: Site, asked: Asked): ReadonlyMap<string, number> {
  const {method, path} = asked
  const tokens = tokensOf(asked)
  const refused = new Map<string, number>()
  for (const [one] of site.tree.within(path)) {
    // The request itself has been checked, and a refused collection stands for its members: neither counts as met by a fault.
    if (one === path || isBelowSome(one, refused)) continue
    const isLocked = method !== 'COPY' && site.locks.isLocked(one, tokens)
    const status = site.refusalOf(method, one) ?? (isLocked ? 423 : undefined)
    if (status !== undefined) refused.set(one, status)
  }
  return refused
}

function isBelowSome(path: string, others: ReadonlyMap<string, number>): boolean {
  for (let one = parentOf(path); one !== ''; one = parentOf(one)) if (others.has(one)) return true
  return false
}

/** Removes a resource. Refused members stay with their own members and with the collections around them. */
function removeOthers(
  {tree, locks}: Site,
  path: string,
  refused: ReadonlyMap<string, number>,
): void {
  if (refused.size === 0) {
    tree.remove(path)
    locks.end(path)
    return
  }
  const kept = [...refused.keys()]
  for (const one of Array.from(tree.within(path), ([within]) => within)) {
    if (kept.some((other) => isAtOrBelow(other, one) || isAtOrBelow(one, other))) continue
    tree.remove(one)
    locks.end(one)
  }
}

function answerRefused(site: Site, refused: ReadonlyMap<string, number>): Answer {
  return multistatus(
    Array.from(refused, ([path, status]) => ({
      href: hrefOf(site, path),
      status,
      ...(status === 423 && {
        conditions: [conditionElement('lock-token-submitted', rootsOf(site, [path]))],
      }),
    })),
  )
}
