// Compares everything that a call gave with the tree of a model server before and after it. Each target has one verdict,
// none is untrue, every byte that was read was stored, and nothing changed but the named. Each problem is one line of
// text. RFC 4918, sections 9.2, 9.6.1, 9.8 and 9.9.

import {
  DavNetworkError,
  type DavResult,
  DavTimeoutError,
  type Failure,
  isRetryable,
  MultiStatusError,
  type Success,
} from 'multistatus'

import type {Answered} from './model-caller.ts'
import type {ModelTarget, Operation} from './model-operations.ts'
import {markupOf} from './model-properties.ts'
import {isAtOrBelow, isDraft, type Lane, pathOf} from './model-server.ts'
import {
  type CollectionNode,
  differences,
  type FileNode,
  find,
  isSame,
  type Node,
  NO_PROPERTIES,
  type Path,
} from './model-tree.ts'

/** Finds the problems of a retry. A failure that is not sent again comes out as it was. */
export function problemsOfRetry(
  operation: Operation,
  failures: readonly Failure[],
  answered: Answered,
  lane: Lane,
  before: CollectionNode,
): readonly string[] {
  // A target whose members still fail is not sent, and comes out as the member that it was.
  const waiting = new Set(
    failures.filter(({reason}) => reason === 'member').map((failure) => JSON.stringify(failure)),
  )
  const results = answered.results.map((result): DavResult =>
    waiting.has(JSON.stringify(result)) ? {...result, relation: 'self'} : result,
  )
  const lost = failures
    .filter((failure) => !isSentAgain(failure))
    .filter((failure) => {
      const text = JSON.stringify(failure)
      const index = results.findIndex((result) => JSON.stringify(result) === text)
      if (index >= 0) results.splice(index, 1)
      return index < 0
    })
  return [
    ...lost.map((failure) => `lost: ${wordsOf(failure)}`),
    ...problemsOf(operation, {...answered, results}, lane, before),
  ]
}

/** True for a failure that a retry sends again. */
export function isSentAgain(failure: Failure): boolean {
  return failure.request !== undefined && isRetryable(failure)
}

/** A target with its operation, and the trees around the call. */
interface Facts {
  readonly operation: Operation
  readonly target: ModelTarget
  readonly answered: Answered
  readonly lane: Lane
  readonly before: CollectionNode
  readonly after: CollectionNode
}

/** Finds the problems of a call. */
export function problemsOf(
  operation: Operation,
  answered: Answered,
  lane: Lane,
  before: CollectionNode,
): readonly string[] {
  const {targets, isMany} = operation
  const after = lane.tree
  const problems = [
    ...lane.strange.splice(0).map((request) => `a request that was not asked for: ${request}`),
    ...changesOf(operation, lane, before),
  ]
  const {error} = answered
  if (operation.isNonsense) {
    const isRefused =
      error instanceof TypeError ||
      answered.results.every((result) => !result.ok && result.reason === 'refused')
    return isRefused ? problems : [...problems, 'it was not refused']
  }
  if (error !== undefined && (isMany || !isNoAnswer(error, operation)))
    problems.push(`it threw ${error instanceof Error ? error.message : typeof error}`)
  const decided = new Set<string>()
  for (const result of answered.results) {
    const path = pathOf(result, lane)
    const report = (problem: string): void => void problems.push(`${problem}: ${wordsOf(result)}`)
    const key = `${result.relation === 'self' ? 'self' : 'member'} ${path.join('/')}`
    if (decided.has(key)) report('a second verdict')
    decided.add(key)
    const target =
      targets.find((one) => one.path.join('/') === path.join('/')) ??
      targets.find((one) => endsOf(one).some((end) => isAtOrBelow(path, end)))
    if (target === undefined) {
      report('a verdict on no target')
      continue
    }
    const facts: Facts = {operation, target, answered, lane, before, after}
    if (result.relation === 'self') {
      if (path.join('/') !== target.path.join('/')) report('a verdict on another resource')
      const wrong = result.ok ? untruth(result, facts) : wrongFailure(result, facts)
      if (wrong !== undefined) report(wrong)
      const isFree = lane.faults.length === 0 && !operation.isRetry
      if (!result.ok && isFree && isFeasible(facts)) report('nothing hindered it')
    } else {
      const wrong = wrongMember(result, path, facts)
      if (wrong !== undefined) report(wrong)
    }
  }
  if (error !== undefined && lane.faults.length === 0) problems.push('nothing broke it')
  if (error === undefined) {
    for (const {path} of targets)
      if (!decided.has(`self ${path.join('/')}`)) problems.push(`no verdict: ${path.join('/')}`)
  }
  return problems
}

/** An error that says that there was no answer to read. */
function isNoAnswer(error: unknown, {verb}: Operation): boolean {
  // The body of a Download may turn out to be another than the one that was begun.
  if (verb === 'get' && error instanceof Error && error.name.startsWith('Dav')) return true
  return (
    error instanceof DavNetworkError ||
    error instanceof DavTimeoutError ||
    error instanceof MultiStatusError
  )
}

/** Finds changes outside of the targets and their missing parents. */
function changesOf(
  {verb, targets, parents}: Operation,
  lane: Lane,
  before: CollectionNode,
): readonly string[] {
  const changed = differences(before, lane.tree).map((path) => path.split('/').slice(1))
  return changed
    .filter((path) => {
      const isNamed = targets.some((target) => {
        const {path: own, to} = target
        const end = to ?? own
        if (verb !== 'copy' && isAtOrBelow(path, own)) return true
        if (to !== undefined && isAtOrBelow(path, to)) return true
        // A fault may leave a draft.
        if (isDraft(path.at(-1) ?? '') && lane.faults.length > 0) return true
        return parents && isAtOrBelow(end, path) && find(before, path) === undefined
      })
      return !isNamed && !lane.versions.has(path.join('/'))
    })
    .map((path) => `it changed ${path.join('/')}`)
}

/** Finds the untruth of a Success. */
function untruth(result: Success, facts: Facts): string | undefined {
  const {operation, target, lane, before, after} = facts
  const {verb, overwrite, requireConditions, isRetry} = operation
  const {path, to = [], bytes, create, ifMatch} = target
  const [old, now] = [find(before, path), find(after, path)]
  const {honoursConditions} = lane.traits
  if (verb === 'get') return untruthOfGet(result, facts)
  if (verb === 'options') return untruthOfOptions(result)
  const isStale = ifMatch !== undefined && (old?.isCollection !== false || old.etag !== ifMatch)
  const mayCondition = honoursConditions || requireConditions
  // After a lost answer, a missing resource may be one that the first attempt deleted or moved.
  const isLate = (result.attempts ?? 1) > 1 || lane.faults.some(isLoss)
  const isGone = old === undefined && isLate && (verb === 'delete' || verb === 'move')
  if (isStale && mayCondition && !isGone) return 'its condition failed'
  if (create === true && old !== undefined && mayCondition) return 'it was there already'
  if ((create === true || ifMatch !== undefined) && requireConditions && !honoursConditions)
    return 'no condition counts here'
  if (isLiedAbout(facts) && !isFound(facts)) return undefined
  const isTaken = !overwrite && !isRetry && find(before, to) !== undefined
  switch (verb) {
    case 'put': {
      if (now?.isCollection !== false || bytes?.equals(now.bytes) !== true) return 'not stored'
      const {etag} = result
      return etag === undefined || etag === now.etag ? undefined : 'another ETag'
    }
    case 'mkcol':
      if (now?.isCollection !== true) return 'no collection'
      // After a lost answer, nobody knows who made it.
      if (old === undefined || operation.parents || isRetry) return undefined
      return lane.faults.some((fault) => fault.startsWith('MKCOL: reset'))
        ? undefined
        : 'it was there already'
    case 'copy': {
      if (old === undefined) return 'there was no source'
      if (isTaken) return 'the destination was taken'
      // The COPY of a collection around it, sent after it, may have replaced it in part.
      const isReplaced = operation.overwrite && isInner(facts)
      const isCopied = isSame(find(after, to), expectedCopy(old, operation))
      return isCopied || isReplaced ? undefined : 'not copied'
    }
    case 'move': {
      if (old === undefined) return isLate && find(after, to) ? undefined : 'there was no source'
      if (isTaken) return 'the destination was taken'
      if (now !== undefined) return 'the source stands'
      return isSame(find(after, to), old) ? undefined : 'not at the destination'
    }
    case 'proppatch':
      return hasProperties(now, operation) ? undefined : 'not set'
    default:
      if (old === undefined && !isLate) return 'it never existed'
      return now === undefined ? undefined : 'it stands'
  }
}

/** True if the server lied about a target, or about a member of it that was sent alone. */
function isLiedAbout({lane, target: {path}}: Facts): boolean {
  return Array.from(lane.lies).some((lie) => isAtOrBelow(lie.split('/'), path))
}

/** True for a lie that the call had asked to find out. */
function isFound({operation: {verb, verify, safely}, target, before}: Facts): boolean {
  if (verb === 'delete' || verb === 'proppatch') return verify
  if (verb !== 'put' || !(verify || safely)) return false
  // The check compares lengths.
  const old = find(before, target.path)
  const length = target.bytes?.byteLength ?? 0
  return verify && length > 1 && (old?.isCollection !== false || old.bytes.byteLength !== length)
}

function untruthOfGet(
  {status, etag}: Success,
  {operation: {range}, target: {path}, answered: {bytes, error}, lane, before}: Facts,
): string | undefined {
  const old = find(before, path)
  if (old?.isCollection !== false) return 'no file'
  if (error !== undefined || bytes === undefined) return undefined
  const versions: readonly FileNode[] = [old, ...(lane.versions.get(path.join('/')) ?? [])]
  const same = versions.filter((version) => {
    const {byteLength} = version.bytes
    const [start, end] = [range?.start ?? 0, (range?.end ?? byteLength) + 1]
    return bytes.equals(version.bytes.subarray(start, end))
  })
  if (same.length === 0) return `other bytes (${bytes.byteLength} after ${status})`
  // Of an empty part, each version is the right one.
  const isOther = etag !== undefined && !same.some((version) => version.etag === etag)
  return isOther ? 'the bytes of another ETag' : undefined
}

function untruthOfOptions(result: Success): string | undefined {
  const {classes, methods} = result as Success & {
    readonly classes?: readonly string[]
    readonly methods?: readonly string[]
  }
  const isTold = classes?.join() === '1,3' && methods?.includes('PROPPATCH') === true
  return isTold ? undefined : 'other capabilities'
}

/** Finds the untruth of a Failure. */
function wrongFailure(failure: Failure, facts: Facts): string | undefined {
  const {operation, target, lane, before, after} = facts
  const {verb, safely} = operation
  const {path, to, bytes} = target
  const {reason} = failure
  const [old, now] = [find(before, path), find(after, path)]
  const isUnchanged =
    isSame(old, now) && (to === undefined || isSame(find(before, to), find(after, to)))
  if (isInner(facts)) return undefined
  if (reason === 'refused') {
    if (!isUnchanged) return 'refused, and changed'
    return undefined
  }
  const isUnknown = isUnclear(failure) || (reason === 'member' && hasUnclearMember(facts))
  switch (verb) {
    case 'get':
      return wrongFailureOfGet(failure, facts)
    case 'options':
      return undefined
    case 'put': {
      const isStored = now?.isCollection === false && bytes?.equals(now.bytes) === true
      if (isUnchanged || (isUnknown && isStored)) return undefined
      return lane.lies.has(path.join('/')) && !(safely && now === undefined)
        ? undefined
        : 'it is changed'
    }
    case 'mkcol':
      return isUnknown || isUnchanged ? undefined : 'it is made'
    case 'proppatch':
      return isUnknown || isUnchanged ? undefined : 'it is set'
    case 'delete':
      if (isUnknown) return undefined
      if (old !== undefined && now === undefined) return 'it is gone'
      return isPartial(failure) || isUnchanged ? undefined : 'a part is gone'
    case 'copy': {
      const wanted = old && expectedCopy(old, operation)
      if (isUnknown || isUnchanged) return undefined
      // A later attempt, which was refused in part, does not undo an earlier one.
      if (reason === 'member' && isPartial(failure) && lane.faults.length > 1) return undefined
      if (isSame(wanted, find(after, to ?? []))) return 'it is copied'
      return isPartial(failure) ? undefined : 'a part is copied'
    }
    default:
      if (isUnknown || isUnchanged) return undefined
      if (now === undefined) return 'it is moved'
      return isPartial(failure) ? undefined : 'a part is moved'
  }
}

function isUnclear(result: DavResult): boolean {
  if (result.ok) return false
  return result.reason === 'no-answer' || (result.reason === 'malformed' && result.status === 207)
}

/** True if the outcome of a member is unknown, and so that of the whole. */
function hasUnclearMember({answered, target, lane}: Facts): boolean {
  return answered.results.some(
    (result) =>
      isUnclear(result) &&
      pathOf(result, lane).join('/') !== target.path.join('/') &&
      endsOf(target).some((end) => isAtOrBelow(pathOf(result, lane), end)),
  )
}

/** True for a target inside of another one, which may be done since. */
function isInner({operation: {targets}, target}: Facts): boolean {
  return targets.some(
    (other) => other !== target && endsOf(other).some((end) => isAtOrBelow(target.path, end)),
  )
}

/** True for a fault that hides the outcome. */
function isLoss(fault: string): boolean {
  return /: (reset|wrong 207)/.test(fault)
}

/** A failure of a part, or one of several attempts, of which an earlier one may have done a part. */
function isPartial({reason, request}: Failure): boolean {
  return reason === 'member' || (request?.attempts ?? 1) > 1
}

function wrongFailureOfGet(
  {status, reason}: Failure,
  {operation, target: {path}, before}: Facts,
): string | undefined {
  const old = find(before, path)
  if (reason !== 'status') return undefined
  if (status === 404) return old === undefined ? undefined : 'it is there'
  if (status === 304)
    return operation.ifNoneMatch === undefined ? 'it was asked without a condition' : undefined
  if (status !== 416) return undefined
  const length = old?.isCollection === false ? old.bytes.byteLength : 0
  return operation.range === undefined || operation.range.start < length
    ? 'the range is there'
    : undefined
}

/** Finds the untruth of a member's verdict. */
function wrongMember(result: DavResult, path: Path, facts: Facts): string | undefined {
  const {operation, target, lane, before, after} = facts
  const {verb} = operation
  const {to} = target
  if (result.relation === 'outside') return 'outside'
  const end = endsOf(target).find((one) => isAtOrBelow(path, one)) ?? []
  const suffix = path.slice(end.length)
  if (suffix.length === 0) return 'a member that is the target'
  const at = (tree: CollectionNode, base: Path): Node | undefined =>
    find(tree, [...base, ...suffix])
  const [old, now] = [at(before, target.path), at(after, target.path)]
  if (lane.lies.has(path.join('/'))) return undefined
  if (isUnclear(result) || (!result.ok && isInner(facts))) return undefined
  switch (verb) {
    case 'delete':
      if (result.ok) return now === undefined ? undefined : 'the member stands'
      return now === undefined ? 'the member is gone' : undefined
    case 'copy':
    case 'move': {
      const copy = at(after, to ?? [])
      const isThere = old !== undefined && isSame(copy, old)
      if (result.ok) {
        if (verb === 'move' && now !== undefined) return 'the member stands'
        return isThere ? undefined : 'the member is not there'
      }
      if (verb === 'move' && old !== undefined && now === undefined) return 'the member is moved'
      const isOld = isSame(at(before, to ?? []), copy)
      // Of several attempts, one may have copied it, and a later one may have failed to replace it.
      if (lane.faults.filter((fault) => fault.startsWith('COPY')).length > 1) return undefined
      return verb === 'copy' && isThere && !isOld ? 'the member is copied' : undefined
    }
    default:
      return 'a member of a resource without members'
  }
}

/** True for a call that must succeed without faults, false for one that may fail. */
function isFeasible({operation, target, lane, before}: Facts): boolean {
  const {verb, parents, overwrite, range, ifNoneMatch, requireConditions} = operation
  const {path, to, create, ifMatch} = target
  const old = find(before, path)
  // A fault in an earlier operation may have made the client believe that no condition counts.
  if (requireConditions) return false
  if (ifMatch !== undefined || create === true) {
    // Conditions are judged by their Success.
    if (!lane.traits.honoursConditions) return false
    if (ifMatch !== undefined && (old?.isCollection !== false || old.etag !== ifMatch)) return false
    if (create === true && old !== undefined) return false
  }
  switch (verb) {
    case 'get': {
      if (old?.isCollection !== false || ifNoneMatch === old.etag) return false
      return range === undefined || range.start < old.bytes.byteLength
    }
    case 'put':
      return old?.isCollection !== true && hasParent(before, path, parents)
    case 'mkcol':
      return (
        (old === undefined || (parents && old.isCollection)) && hasParent(before, path, parents)
      )
    case 'copy':
    case 'move':
      if (old === undefined || to === undefined || !hasParent(before, to, parents)) return false
      return overwrite || find(before, to) === undefined
    case 'options':
      return true
    default:
      return old !== undefined
  }
}

/** True for a path with a collection around it, or around its missing parents. */
function hasParent(tree: CollectionNode, path: Path, parents: boolean): boolean {
  for (let length = path.length - 1; length >= 0; length--) {
    const node = find(tree, path.slice(0, length))
    if (node !== undefined) return node.isCollection
    if (!parents) return false
  }
  return false
}

function expectedCopy(node: Node, {verb, depth}: Operation): Node {
  return verb === 'copy' && depth === 0 && node.isCollection ? {...node, members: new Map()} : node
}

function hasProperties(node: Node | undefined, {set, remove}: Operation): boolean {
  const {properties} = node ?? {properties: NO_PROPERTIES}
  return (
    node !== undefined &&
    Object.entries(set).every(([name, text]) => properties.get(name) === markupOf([text])) &&
    remove.every((name) => !properties.has(name))
  )
}

function endsOf({path, to}: ModelTarget): readonly Path[] {
  return to === undefined ? [path] : [path, to]
}

function wordsOf(result: DavResult): string {
  const {status, relation, url} = result
  const facts = result.ok ? ['ok'] : [result.reason, result.cause ?? '', result.description ?? '']
  return [status, ...facts, relation, decodeURIComponent(new URL(url).pathname)].join(' ')
}
