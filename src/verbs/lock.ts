/**
 * LOCK: takes a lock or refreshes one. A lock has facts of the server's choice, and only these count. A lost answer is looked up,
 * because a second LOCK would meet the first one. RFC 4918, section 9.10.
 */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {Conditions} from '../call/conditions.ts'
import {formatCreate, readConditions} from '../call/conditions.ts'
import type {Session} from '../call/session.ts'
import type {Target} from '../call/target.ts'
import {resolveTarget} from '../call/target.ts'
import {exchange} from '../engine/exchange.ts'
import {lose, unlock as giveBack} from '../engine/locks.ts'
import {isThere, readLocks} from '../listing/locks.ts'
import type {VerbOptions} from '../engine/one.ts'
import {runOne} from '../engine/one.ts'
import type {Outcome, TargetRequest, Verb, VerbContext} from '../engine/verb.ts'
import {fail, isUnclear, refuse, succeed, uncheckedVerdict, unclear} from '../engine/verdict.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import type {Sink} from '../multistatus/result-stream.ts'
import type {ActiveLock} from '../properties/locks.ts'
import {lockdiscovery} from '../properties/locks.ts'
import {childrenOf, textOf} from '../properties/value-parts.ts'
import type {Properties, RawValue} from '../properties/vocabulary.ts'
import {LOCK_MILLISECONDS} from '../protocol/bounds.ts'
import {assertLockDepth, formatDepth} from '../protocol/depth.ts'
import {DavError} from '../protocol/errors.ts'
import {resourceKey} from '../protocol/href.ts'
import {bareToken, formatIf, isToken, readLockToken} from '../protocol/if-header.ts'
import {decodeLockTimeout} from '../protocol/lock-timeout.ts'
import type {Rules} from '../protocol/options.ts'
import {ANY, BOOLEAN, NUMBER, oneOf, readOptions, SIGNAL, TEXT} from '../protocol/options.ts'
import {trimSpace} from '../xml/characters.ts'
import {readDocument} from '../xml/document.ts'
import type {ElementToWrite} from '../xml/writer.ts'
import {formatDocument, isElementToWrite, XML_TYPE} from '../xml/writer.ts'
import {randomHex} from '../protocol/random.ts'
import {hasEnded} from './lock-lookup.ts'
import type {Lock, LockFacts} from './own-lock.ts'
import {formatAskedTimeout, OwnLock} from './own-lock.ts'

/** Options of `lock`. */
export interface LockOptions
  extends Pick<Conditions, 'ifMatch'>, Omit<VerbOptions, 'dryRun' | 'timeout'> {
  /**
   * The reach of the lock: the resource itself, or everything below a collection too. RFC 4918, section 9.10.3.
   *
   * @defaultValue `'infinity'`
   */
  readonly depth?: 0 | 'infinity' | undefined
  /**
   * The scope. Others may have shared locks beside a shared one. x/net, Cyrus and DAViCal have exclusive locks only. RFC 4918,
   * section 6.2.
   *
   * @defaultValue `'exclusive'`
   */
  readonly scope?: 'exclusive' | 'shared' | undefined
  /**
   * The time of the lock to ask for, in milliseconds, or `Infinity`, in whole seconds. Servers grant another one: see `timeout` of
   * the {@link Lock}. The time limits of the call are the client's.
   *
   * @defaultValue 1,800,000
   */
  readonly timeout?: number | undefined
  /**
   * The owner, for people who meet the lock: a text, or an element such as `{name: 'href', children: ['mailto:ana@dav.example']}`.
   * SabreDAV 1.8 keeps only a text. After a lost answer the client takes a lock with this owner for its own, so make it unique.
   * RFC 4918, section 14.17.
   *
   * @defaultValue `multistatus` with a random word
   */
  readonly owner?: string | ElementToWrite | undefined
  /**
   * Refreshes the lock before its end, until it is unlocked or the client is closed. A refusal and a broken connection are tried
   * again until the end; then `signal` of the {@link Lock} is aborted.
   *
   * @defaultValue `false`
   */
  readonly renew?: boolean | undefined
  /**
   * Locks only where nothing is: sent as `If-None-Match: *`. The LOCK then makes an empty resource, or reserves the name. A resource
   * there is a Failure 412, if the server knows the condition. RFC 4918, section 9.10.4.
   *
   * @defaultValue `false`
   */
  readonly create?: boolean | undefined
}

const LOCK_OPTIONS: Rules<LockOptions> = {
  ignoreCapabilities: BOOLEAN,
  retry: ANY,
  signal: SIGNAL,
  depth: ANY,
  scope: oneOf('exclusive', 'shared'),
  timeout: NUMBER,
  owner: {
    words: "a text, or an element such as {name: 'href', children: […]}",
    accepts: (value) => typeof value === 'string' || isElementToWrite(value),
  },
  renew: BOOLEAN,
  create: BOOLEAN,
  ifMatch: TEXT,
}

/** The rules of LOCK for the engine. A request with a token refreshes its lock. */
export const LOCK: Verb = {
  method: 'LOCK',
  headers({depth, timeout = '', lockToken}) {
    return lockToken === undefined
      ? {'content-type': XML_TYPE, depth: formatDepth(depth === 0 ? 0 : 'infinity'), timeout}
      : {if: formatIf([{conditions: [{token: lockToken}]}]), timeout}
  },
  isDone: () => false,
  forMember: () => undefined,
  run,
  conclude,
  reconsider,
  verify,
  check({lockToken, timeout = '', depth, body}) {
    if (decodeLockTimeout(timeout) === undefined)
      throw new TypeError('timeout is no Timeout header')
    if (lockToken !== undefined) readLockToken(lockToken)
    else if (body === undefined) throw new TypeError('A LOCK has a body, or a token to refresh')
    else assertLockDepth(depth)
  },
  guard: () => undefined,
}

/** Takes a lock. */
export async function lock(
  session: Session,
  target: Target,
  given: LockOptions = {},
): Promise<Lock | Failure> {
  const options = readOptions('lock', given, LOCK_OPTIONS)
  const {depth = 'infinity', scope = 'exclusive', timeout = LOCK_MILLISECONDS, ifMatch} = options
  const {create = false, renew = false, owner = `multistatus ${randomHex()}`} = options
  const {href: url} = resolveTarget(target, session.base)
  assertLockDepth(depth)
  const ifNew = formatCreate(create, ifMatch)
  const found = readConditions(url, {ifMatch}, {url, base: session.base})
  const problem =
    found.problem ?? (options.ignoreCapabilities === true ? undefined : findLack(session, url))
  if (problem !== undefined) return refuse(target, session, `LOCK ${url} is not sent: ${problem}`)
  const conditions = {...found.conditions, ...ifNew}
  const request: TargetRequest = {
    method: 'LOCK',
    url,
    depth,
    timeout: formatAskedTimeout(timeout),
    ...(renew && {renew}),
    ...(Object.keys(conditions).length > 0 && {conditions}),
    body: formatLockInfo(scope, owner),
    attempts: 0,
  }
  const result = await runOne(session, LOCK, request, options)
  if (!result.ok || result instanceof OwnLock) return result
  throw new TypeError('A LOCK has no other success')
}

/** Finds the reason why a server cannot lock. A LOCK that it has answered with success proves more than its words. */
function findLack({server}: Session, url: string): string | undefined {
  const {capabilities} = server
  const isSeen = capabilities.find('LOCK', url)?.source === 'seen'
  return isSeen || capabilities.find('2', url)?.holds !== false
    ? undefined
    : 'its server has no class 2, by its DAV header; say ignoreCapabilities: true if it has locks'
}

/** Formats the body. nephele 1.0.0-alpha.67 answers 400 without an owner. RFC 4918, section 14.11. */
function formatLockInfo(scope: string, owner: string | ElementToWrite): string {
  if (typeof owner === 'string' && owner.trim() === '') throw new TypeError('owner is not empty')
  return formatDocument({
    name: 'lockinfo',
    children: [
      {name: 'lockscope', children: [{name: scope}]},
      {name: 'locktype', children: [{name: 'write'}]},
      {name: 'owner', children: [owner]},
    ],
  })
}

/** Reads the scope and the owner of a body. */
function readLockInfo({body = ''}: TargetRequest): Pick<LockFacts, 'scope' | 'owner'> {
  const {root} = readDocument([body], undefined)
  const scope = childrenOf(childrenOf(root, 'lockscope')[0])[0]?.name
  return {
    scope: scope === 'shared' ? scope : 'exclusive',
    owner: trimmed(childrenOf(root, 'owner')[0]),
  }
}

function trimmed(value: RawValue | undefined): string | undefined {
  const text = trimSpace(textOf(value) ?? '')
  return text === '' ? undefined : text
}

const LOST = 'The lock is lost'

/** Sends a LOCK. After a lost answer it looks for the lock first, and sends nothing if nobody knows. */
async function run(
  request: TargetRequest,
  context: VerbContext,
  emit: Sink<DavResult>,
): Promise<Outcome> {
  // A repeated refresh only begins the time again.
  if (request.lockToken === undefined && context.mayBeDone === true) {
    const found = await findOwn(request, 0, context)
    if (found === undefined) {
      const sentence =
        'An earlier LOCK may have been carried out, and its lock could not be looked up'
      const verdict = {...unclear(request, 'unreadable', sentence), request}
      return {verdict, extent: 'part', isDone: false}
    }
    if (typeof found === 'object') return {verdict: found, extent: 'all', isDone: true}
  }
  let token = ''
  const verb: VerbContext['verb'] = {
    ...context.verb,
    conclude(asked, verdict, head, answer, session) {
      token = readMadeLock(asked, head)
      return conclude(asked, verdict, head, answer, session)
    },
  }
  const outcome = await exchange(request, {...context, verb}, emit)
  if (isToken(token)) await giveBack({token, lockRoot: request.url}, context)
  return outcome
}

/**
 * Reads the token of a lock that a refusal has made: nginx 1.22 locks behind a 304 to If-None-Match. Others may name the lock of
 * somebody else in a refusal, so no other answer counts.
 */
function readMadeLock(
  {conditions, lockToken}: TargetRequest,
  {status, headers}: AnswerHead,
): string {
  const isConditional = conditions?.['if-none-match'] ?? conditions?.['if-match']
  const isFalse = isConditional !== undefined && (status === 304 || status === 412)
  return isFalse && lockToken === undefined ? bareToken(headers.get('lock-token') ?? '') : ''
}

/** Makes the lock of an answer. */
function conclude(
  request: TargetRequest,
  verdict: DavResult,
  head: AnswerHead,
  answer: PlainAnswer | MultiStatusAnswer<Properties>,
  session: Session,
): DavResult {
  if (!verdict.ok) return verdict
  const {status, headers, url} = head
  if (answer.kind === 'multistatus')
    return unclear(request, 'unreadable', 'The LOCK was answered with a Multi-Status document')
  const {lockToken} = request
  const root = answer.root?.name === 'prop' ? answer.root : undefined
  const locks = lockdiscovery(childrenOf(root, 'lockdiscovery')[0] ?? '', url) ?? []
  // A browser hides the header of another origin, and webdav-server, SOGo and wsgidav leave out its <>.
  const named = bareToken(headers.get('lock-token') ?? '')
  const {owner} = readLockInfo(request)
  // The answer to a new LOCK tells of other shared locks too, also of those that the client holds.
  const mayBeOwn = ({token = named}: ActiveLock): boolean =>
    named === '' ? session.locks.get(token) === undefined : token === named
  const candidates = lockToken === undefined ? locks.filter(mayBeOwn) : locks
  const own =
    candidates.find(({token}) => token === (lockToken ?? named)) ??
    candidates.find((one) => owner !== undefined && trimmed(one.owner) === owner) ??
    (candidates.length === 1 ? candidates[0] : undefined)
  const token = lockToken ?? (named === '' ? own?.token : named)
  if (token === undefined || !isToken(token)) {
    const unread = answer.length > 0 && answer.root === undefined
    const more = unread ? ', and its body cannot be read' : ''
    const description = `The LOCK was answered ${status} without a Lock-Token header${more}`
    return fail(request, {status, reason: 'malformed', description})
  }
  if (lockToken === undefined || own?.token === undefined || own.token === lockToken)
    return hold(request, verdict, {...own, token}, session, url)
  // nginx 1.22 answers the token of an ended lock with a new lock, which the client holds now.
  if (own.token === named) hold(request, verdict, {...own, token: named}, session, url)
  lose(session, request)
  return fail(request, {status, reason: 'malformed', description: LOST})
}

/** Keeps a lock, or its new time, by the facts that the server granted. The request stands in for those that it does not tell. */
function hold(
  request: TargetRequest,
  success: Success,
  found: ActiveLock & {readonly token: string},
  session: Session,
  url: string,
): OwnLock {
  const {depth, timeout: asked = '', renew = false} = request
  const {token, timeout: told} = found
  // x/net and rclone write Second-0 for a lock without an end.
  const granted = told === 0 ? Number.POSITIVE_INFINITY : told
  const timeout = granted ?? decodeLockTimeout(asked) ?? 0
  const isFinite = granted !== undefined && granted !== Number.POSITIVE_INFINITY
  const expires = isFinite ? Date.now() + granted : undefined
  const owner = trimmed(found.owner)
  const isKnown = owner !== undefined
  const known = session.locks.get(token)
  if (known instanceof OwnLock && isSame(known.lockRoot, url)) {
    known.refreshed(success, {timeout, expires, asked, isKnown, renew})
    return known
  }
  const info = readLockInfo(request)
  const held = new OwnLock(session, LOCK, success, {
    token,
    lockRoot: isSame(found.lockRoot, url) ? found.lockRoot : url,
    depth: found.depth ?? (depth === 0 ? 0 : 'infinity'),
    scope: found.scope ?? info.scope,
    owner: owner ?? info.owner,
    timeout,
    expires,
    asked,
    isKnown,
    renew,
  })
  session.locks.add(held)
  return held
}

/** Tells if a root is the resource of a URL. yaws 2.1 writes a path of its file system. */
function isSame(root: string | undefined, url: string): root is string {
  return root !== undefined && resourceKey(root) === resourceKey(url)
}

/**
 * Looks for the lock after an answer that does not tell the outcome, and after a refusal that an earlier attempt may have caused.
 * A refused refresh may mean that the lock is lost.
 */
async function reconsider(
  request: TargetRequest,
  verdict: Failure,
  context: VerbContext,
): Promise<DavResult | undefined> {
  const {status, reason} = verdict
  if (request.lockToken !== undefined) {
    const isLost = await hasEnded(request, verdict, context)
    if (isLost === undefined) return undefined
    if (!isLost) return verdict
    lose(context.session, request)
    return {...verdict, description: LOST}
  }
  const mayBeOwn = reason === 'status' && context.mayBeDone === true
  if (!mayBeOwn && !isUnclear(verdict) && reason !== 'malformed') return undefined
  const found = await findOwn(request, status, context)
  if (typeof found === 'object') return found
  // After a refusal an empty list proves nothing: the server may hide the lock that it refuses for.
  return mayBeOwn && found === 'others' ? verdict : undefined
}

/**
 * Looks for a refreshed lock. lighttpd 1.4 answers 200 to the token of a lock that is not there, and knows no owner. Apache with
 * `DavLockDiscovery Off` does not show the lock, but its answer tells the owner.
 */
async function verify(
  request: TargetRequest,
  verdict: Success,
  context: CallContext,
  _emit: Sink<DavResult>,
  server: string | undefined,
): Promise<DavResult> {
  const {url, lockToken} = request
  const {status} = verdict
  if (verdict instanceof OwnLock && verdict.isKnown) return verdict
  try {
    const seen = await readLocks(url, context)
    if (seen === undefined || isThere(seen, lockToken, server) !== false) return verdict
  } catch (error) {
    const unseen = `The LOCK was answered ${status}, but the lock of ${url} could not be looked up`
    return uncheckedVerdict(request, error, unseen, context.connection)
  }
  lose(context.session, request)
  return fail(request, {status, reason: 'status', description: LOST})
}

/**
 * Finds the lock of an earlier attempt by its owner.
 *
 * @param status - The last status of the LOCK; 0 for none.
 * @returns `none` or `others` if the server shows that it is not there; `undefined` if nobody knows.
 */
async function findOwn(
  request: TargetRequest,
  status: number,
  context: VerbContext,
): Promise<OwnLock | 'none' | 'others' | undefined> {
  const {url} = request
  const {session} = context
  const {owner, scope} = readLockInfo(request)
  const seen = await readLocks(url, context).catch((error: unknown) => {
    if (error instanceof DavError) return undefined
    throw error
  })
  if (seen === undefined || owner === undefined) return undefined
  const {locks, hasSupport} = seen
  const own = locks.find(
    (one) => trimmed(one.owner) === owner && session.locks.get(one.token ?? '') === undefined,
  )
  if (own?.token !== undefined && isToken(own.token)) {
    const success = succeed(request, status, 'The lock was found by its owner')
    return hold(request, success, {...own, token: own.token}, session, url)
  }
  // An empty list beside shared locks proves nothing: Apache hides all locks with DavLockDiscovery Off.
  const isProof = hasSupport && (scope === 'exclusive' || locks.length > 0)
  const areOthers = locks.every((one) => ![undefined, owner].includes(trimmed(one.owner)))
  if (!isProof || !areOthers) return undefined
  return locks.length === 0 ? 'none' : 'others'
}
