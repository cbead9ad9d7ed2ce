/**
 * Chooses the locks that a request touches, and formats the If header that submits their tokens. Each lock has its own list, tagged
 * with the URL of its root: Apache, Tomcat and nephele test a list without a tag against the collection around the target. RFC 4918,
 * sections 7.4, 7.5 and 10.4.
 */

import type {FailedRequest} from '../multistatus/result.ts'
import {IF_HEADER_CHARACTERS, MAX_SUBMITTED_LOCKS} from '../protocol/bounds.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {formatIf} from '../protocol/if-header.ts'
import type {StoredLock} from './lock-store.ts'

/** A lock whose token a request submits. */
export interface SubmittedLock extends Pick<StoredLock, 'token' | 'lockRoot' | 'expires'> {
  /** True if the lock covers the target or the destination itself. Else it is on their parent, or on something in them. */
  readonly isOfEnd: boolean
}

/** The locks of one request. */
export interface Submission {
  /** The If header; absent without a lock or a condition. */
  readonly header: string | undefined
  /** The If header without the tokens of locks that are not of an end. */
  readonly headerOfEnds: string | undefined
  /** The locks in the header, the nearest to the target first. */
  readonly locks: readonly SubmittedLock[]
  /** The number of locks that the request touches, but for which the header has no room. */
  readonly left: number
}

/** The part of the tree that a request changes. */
interface Reach {
  /** The canonical path of a resource. */
  readonly path: string
  /** True if it changes everything in the resource too. */
  readonly isDeep: boolean
  /** True if the collection around the resource may get or lose a member. */
  readonly hasParent: boolean
}

/** Lists the parts of the tree that a request changes. */
function reachesOf(request: FailedRequest): readonly Reach[] {
  const {method, url, destination = url, depth, lockToken} = request
  switch (method) {
    // A PUT over a resource changes no collection, but nobody knows whether one is there.
    case 'PUT':
    case 'MKCOL':
      return [reach(url, false)]
    case 'PROPPATCH':
      return [reach(url, false, false)]
    case 'DELETE':
      return [reach(url)]
    case 'MOVE':
      return [reach(url), reach(destination)]
    case 'COPY':
      return [reach(destination)]
    case 'LOCK':
      // A refresh submits the token of its own lock alone.
      return lockToken === undefined ? [reach(url, depth !== 0)] : []
    default:
      return []
  }
}

function reach(url: string, isDeep = true, hasParent = true): Reach {
  return {path: canonicalPathOf(url), isDeep, hasParent}
}

// Of nearly every request.
const NOTHING: Submission = {header: undefined, headerOfEnds: undefined, locks: [], left: 0}

/**
 * Submits the locks of a caller, in the If header of the request, and those held ones that the request touches. Without room for all,
 * the nearest to the target come first.
 */
export function submit(request: FailedRequest, held: readonly StoredLock[]): Submission {
  const given = request.conditions?.['if']
  if (given === undefined && held.length === 0) return NOTHING
  // Lists without a tag must not be mixed with others.
  if (given?.startsWith('(') === true)
    return {header: given, headerOfEnds: given, locks: [], left: 0}
  const locks: SubmittedLock[] = Array.from((given ?? '').matchAll(TAGGED), ([, root, token]) => ({
    token: token ?? '',
    lockRoot: root ?? '',
    isOfEnd: true,
  }))
  const tokens = new Set(locks.map(({token}) => token))
  const lists = given === undefined ? [] : [given]
  let length = given?.length ?? 0
  let left = 0
  // The locks of the ends come first.
  let ends = lists.length
  for (const {lock, distance} of touchedLocks(request, held)) {
    const {token, lockRoot, expires} = lock
    if (tokens.has(token)) continue
    tokens.add(token)
    const list = formatIf([{resource: lockRoot, conditions: [{token}]}])
    if (lists.length === MAX_SUBMITTED_LOCKS || length + list.length >= IF_HEADER_CHARACTERS) left++
    else {
      lists.push(list)
      if (distance === 0) ends = lists.length
      length += list.length + 1
      locks.push({token, lockRoot, expires, isOfEnd: distance === 0})
    }
  }
  return {header: join(lists), headerOfEnds: join(lists.slice(0, ends)), locks, left}
}

function join(lists: readonly string[]): string | undefined {
  return lists.length === 0 ? undefined : lists.join(' ')
}

const TAGGED = /<([^<>]+)> \(<([^<>]+)>/g

/** Lists the held locks that a request touches, the nearest to its ends first. */
function touchedLocks(
  request: FailedRequest,
  held: readonly StoredLock[],
): readonly {readonly lock: StoredLock; readonly distance: number}[] {
  const reaches = reachesOf(request)
  return held
    .map((lock) => {
      const root = canonicalPathOf(lock.lockRoot)
      // nginx, Cyrus 3.6 and DAViCal 1.1 grant a second exclusive lock to the token of the first one.
      const isTaken = request.method === 'LOCK' && reaches.some(({path}) => path === root)
      const distances = isTaken ? [] : reaches.map((one) => distanceOf(lock, root, one))
      return {lock, distance: Math.min(...distances)}
    })
    .filter(({distance}) => distance < Number.POSITIVE_INFINITY)
    .toSorted((one, other) => one.distance - other.distance)
}

/** Measures the distance of a lock: 0 if it covers the resource itself, `Infinity` for a lock outside the part of the tree. */
function distanceOf({depth}: StoredLock, root: string, {path, isDeep, hasParent}: Reach): number {
  const above = relate(path, root)
  if (above === 'self' || (above !== 'outside' && depth === 'infinity')) return 0
  if (above === 'member' && hasParent) return 1
  const isBelow = isDeep && relate(root, path) !== 'outside'
  return isBelow ? root.slice(path.length).split('/').length : Number.POSITIVE_INFINITY
}
