// Compares the requests, the verdicts and the locks of a program with the model server: no verdict is untrue, each lock is submitted
// where it matters and nowhere else, none is left behind or forgotten, and each lost one is told. Each problem is one line of text.
// RFC 4918, sections 6, 7 and 10.4.

import type {DavResult, Lock} from 'multistatus'

import {concern, isAtOrBelow, type ModelLock, pathIn} from './lock-rules.ts'
import type {LockingProgram, LockedCall, LockedTarget} from './locking-program.ts'
import type {LockingServer, LoggedRequest, Resource} from './locking-server.ts'
import {markupOf} from './model-properties.ts'

// The limits that the project states for the If header.
const MAX_LISTS = 16
const MAX_CHARACTERS = 7000

type Tree = ReadonlyMap<string, Resource>

/** The state of a program and its server before a call. */
export interface Before {
  readonly tree: Tree
  readonly held: readonly Lock[]
  /** The tokens of all locks of the server. */
  readonly live: ReadonlySet<string>
}

/** Finds the problems of a request that arrives: it submits the tokens of the locks that it touches, and no others. */
export function problemsOfRequest(
  request: LoggedRequest,
  {dav, granted, handed}: LockingProgram,
  {log}: LockingServer,
): readonly string[] {
  const {method, path, header = '', lists} = request
  const problems: string[] = []
  const submitted = new Set(lists.flatMap(({terms}) => terms.map(({token}) => token)))
  if (lists.length > MAX_LISTS || header.length > MAX_CHARACTERS) problems.push('is too long')
  if (lists.reduce((sum, {terms}) => sum + terms.length, 0) > submitted.size)
    problems.push('has a token twice')
  // A refresh has a list without a tag.
  if (method === 'LOCK' && lists.some(({tag}) => tag === undefined)) return problems
  for (const token of submitted) {
    const lock = granted.get(token)
    const isTouched = lock !== undefined && concern(request, reachOf(lock)) !== undefined
    if (token !== handed && !isTouched) problems.push(`has ${token}, which it does not touch`)
  }
  const touched = dav.locks.filter((lock) => concern(request, reachOf(lock)) !== undefined)
  // Tokens that a server may not have understood are left out after a refusal, and others for want of room.
  const isAgain = log.some(
    (one) =>
      one.method === method && one.path === path && (one.status === 412 || one.status === 423),
  )
  const mayLack = isAgain || isTooMany(touched)
  for (const lock of touched) {
    const isNear = concern(request, reachOf(lock)) === 'near'
    if (!submitted.has(lock.token) && (isNear || !mayLack))
      problems.push(`lacks ${lock.token} of ${lock.lockRoot}`)
  }
  return problems.map((problem) => `the If header of ${method} ${path} ${problem}`)
}

/** True for more locks than an If header has room for. */
export function isTooMany(locks: readonly Lock[]): boolean {
  const lengths = locks.map(({lockRoot, token}) => lockRoot.length + token.length + 8)
  return locks.length > MAX_LISTS || lengths.reduce((sum, one) => sum + one, 0) > MAX_CHARACTERS
}

/** Finds the untrue verdicts on resources. */
export function problemsOfTree(
  {verb, targets, results, error}: LockedCall,
  before: Tree,
  after: Tree,
): readonly string[] {
  if (verb === 'unlock' || verb === 'refresh' || error !== undefined) return []
  return targets.flatMap((target) => {
    const {path} = target
    const result = results.findLast((one) => one.relation === 'self' && pathIn(one.url) === path)
    if (result === undefined) return [`no verdict on ${path}`]
    if (isUnclear(result) || (!result.ok && result.reason === 'member')) return []
    const isTrue = result.ok
      ? isDone(verb, target, before, after)
      : isUndone(verb, target, before, after)
    return isTrue ? [] : [`${result.ok ? 'not done' : 'done'}: ${path}`]
  })
}

/** True if the server has done everything that a Success says. */
function isDone(
  verb: LockedCall['verb'],
  {path, to = '', content = ''}: LockedTarget,
  before: Tree,
  after: Tree,
): boolean {
  const now = after.get(path)
  switch (verb) {
    case 'put':
    case 'putMany':
      return now?.content === content
    case 'mkcol':
      return now !== undefined && now.content === undefined
    case 'proppatch':
      return now?.property === markupOf([content])
    case 'delete':
    case 'deleteMany':
      return now === undefined
    case 'copy':
    case 'copyMany':
      return wholeAt(after, to) === wholeAt(before, path)
    case 'move':
    case 'moveMany': {
      // After a lost answer, the verdict of a retry is about a source that is gone.
      const isThere = !before.has(path) || wholeAt(after, to) === wholeAt(before, path)
      return now === undefined && isThere
    }
    default:
      return true
  }
}

/** True if the server has done nothing of that which a Failure says that it did not do. */
function isUndone(
  verb: LockedCall['verb'],
  {path, to = '', content = ''}: LockedTarget,
  before: Tree,
  after: Tree,
): boolean {
  const [old, now] = [before.get(path), after.get(path)]
  switch (verb) {
    case 'put':
    case 'putMany':
      return now?.content !== content
    case 'mkcol':
      return now === old
    case 'proppatch':
      return now?.property !== markupOf([content])
    case 'copy':
    case 'copyMany':
      return wholeAt(after, to) === wholeAt(before, to)
    case 'delete':
    case 'deleteMany':
    case 'move':
    case 'moveMany':
      return old === undefined || now !== undefined
    default:
      return true
  }
}

/** Finds the untrue verdicts on locks, and the locks that are forgotten. */
export function problemsOfLocks(
  program: LockingProgram,
  call: LockedCall,
  {held, live}: Before,
  server: LockingServer,
): readonly string[] {
  const {dav, granted} = program
  const {verb, results, error} = call
  const problems: string[] = []
  // By the RFC, the lock of a resource that is gone has ended, even if a server keeps it.
  const standing = server.locks.filter(({root}) => server.resources.has(root))
  const now = new Set(standing.map(({token}) => token))
  const kept = new Set(dav.locks.map(({token}) => token))
  const lost = new Set(results.flatMap((result) => (result.ok ? [] : (result.lostLocks ?? []))))
  for (const token of lost) {
    if (now.has(token)) problems.push(`${token} is told lost, and holds`)
    if (kept.has(token)) problems.push(`${token} is told lost, and kept`)
  }
  for (const {token, lockRoot} of held) {
    const isAborted = granted.get(token)?.signal.aborted === true
    if (isAborted && now.has(token)) problems.push(`${token} is aborted, and holds`)
    if (isAborted && kept.has(token)) problems.push(`${token} is aborted, and kept`)
    if (lost.has(token) && !isAborted) problems.push(`${token} is told lost, and not aborted`)
    if (
      !kept.has(token) &&
      !isAborted &&
      !hasEnded(token, pathIn(lockRoot), call, server.resources)
    )
      problems.push(`${token} of ${lockRoot} is forgotten`)
  }
  const [first] = results
  // lighttpd confirms locks that are not there. The client cannot know better if it refuses the look.
  const {refreshesAll} = server.dialect
  const isUntold = server.log.some(
    ({method, faults}) =>
      faults.some((fault) => fault === 'no body' || fault === 'others') ||
      (refreshesAll && method === 'PROPFIND' && faults.length > 0),
  )
  if (first?.ok === true && (verb === 'lock' || verb === 'refresh') && !isUntold)
    problems.push(...problemsOfFacts(first as Lock, server.locks))
  // SabreDAV hides the tokens by which a lost lock is told.
  const isQuiet = server.log.every(({faults}) => faults.length === 0)
  if (!isQuiet || error !== undefined || server.dialect.shows === 'no tokens') return problems
  const refused = server.log.filter(({status, method}) => status === 412 && method !== 'LOCK')
  const submitted = refused.flatMap(({lists}) => lists.flatMap(({terms}) => terms))
  for (const {token} of submitted)
    if (!live.has(token) && !lost.has(token) && !results.every(({ok}) => ok))
      problems.push(`${token} is lost, and nobody tells`)
  return problems
}

/** True for a lock that has ended with its resource, or by a verdict. A failed call does not name the members that it removed. */
function hasEnded(
  token: string,
  root: string,
  {verb, targets, results, error}: LockedCall,
  after: Tree,
): boolean {
  if (verb === 'unlock') return error === undefined && targets[0]?.token === token
  if (!verb.startsWith('delete') && !verb.startsWith('move')) return false
  const isRemoved = targets.some(({path}) => isAtOrBelow(root, path)) && !after.has(root)
  return isRemoved || results.some(({description = ''}) => description.includes('given up'))
}

/** Finds the facts of a lock that the server did not grant. */
function problemsOfFacts(
  {token, depth, scope, expires}: Lock,
  locks: readonly ModelLock[],
): readonly string[] {
  const lock = locks.find((one) => one.token === token)
  const granted = lock && {
    depth: lock.isDeep ? 'infinity' : 0,
    scope: lock.isShared ? 'shared' : 'exclusive',
    expires: lock.end === Number.POSITIVE_INFINITY ? undefined : lock.end,
  }
  const [wanted, told] = [granted, {depth, scope, expires}].map((facts) => JSON.stringify(facts))
  return wanted === told ? [] : [`its lock is ${wanted}, and not ${told}`]
}

/** True for a verdict that says that the outcome is unknown. */
export function isUnclear(result: DavResult): boolean {
  if (result.ok) return false
  const {reason, status} = result
  return reason === 'no-answer' || status === 504 || (reason === 'malformed' && status === 207)
}

function reachOf({lockRoot, depth}: Lock): Pick<ModelLock, 'root' | 'isDeep'> {
  return {root: pathIn(lockRoot), isDeep: depth === 'infinity'}
}

/** Formats a resource with everything below, so that copies can be compared. */
function wholeAt(tree: Tree, path: string): string {
  const whole = [...tree].filter(([one]) => isAtOrBelow(one, path))
  const lines = whole.map(([one, resource]) => JSON.stringify([one.slice(path.length), resource]))
  return lines.toSorted().join('\n')
}
