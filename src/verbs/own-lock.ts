/**
 * A lock of this client: its facts, its renewal, and its end. The rules of LOCK make it from an answer. RFC 4918, sections 6 and
 * 9.10.
 */

import type {HeldLock, StoredLock} from '../call/lock-store.ts'
import type {Session} from '../call/session.ts'
import {resolveTarget} from '../call/target.ts'
import {lose} from '../engine/locks.ts'
import {runOne} from '../engine/one.ts'
import type {TargetRequest, Verb} from '../engine/verb.ts'
import {fail, refuse, succeed} from '../engine/verdict.ts'
import {DavFailureError, unwrap} from '../multistatus/failure-error.ts'
import type {DavResult, Failure, Success} from '../multistatus/result.ts'
import {
  LOCK_MILLISECONDS,
  LONGEST_TIMER_MILLISECONDS,
  RENEWAL_MARGIN_MILLISECONDS,
  RENEWAL_PAUSE_MILLISECONDS,
} from '../protocol/bounds.ts'
import {assertLockDepth} from '../protocol/depth.ts'
import type {AsyncDisposing} from '../protocol/dispose.ts'
import type {DavError} from '../protocol/errors.ts'
import {readLockToken} from '../protocol/if-header.ts'
import {formatLockTimeout} from '../protocol/lock-timeout.ts'
import {memberOf} from '../protocol/members.ts'
import type {Rules} from '../protocol/options.ts'
import {
  ANY,
  assertTimeLimit,
  NUMBER,
  oneOf,
  readOptions,
  SIGNAL,
  TEXT,
} from '../protocol/options.ts'
import {keepAlive, startTimer} from '../protocol/wait.ts'
import type {UnlockOptions} from './unlock.ts'
import {unlock} from './unlock.ts'

/** Options of `refresh`. */
export interface RefreshOptions {
  /**
   * The time to ask for, in milliseconds, or `Infinity`.
   *
   * @defaultValue the time that was asked for before
   */
  readonly timeout?: number | undefined
  /** Ends the call, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

const REFRESH_OPTIONS: Rules<RefreshOptions> = {timeout: NUMBER, signal: SIGNAL}

/**
 * A lock of this client. Its facts are those that the server granted, and change with each refresh. `JSON.stringify` gives a
 * {@link StoredLock}.
 *
 * `await using lock = unwrap(await dav.lock('a.txt'))` unlocks at the end of the block, and throws {@link DavFailureError} if that
 * is refused.
 */
export interface Lock extends Success, StoredLock, AsyncDisposing {
  /** The scope of the lock. */
  readonly scope: 'exclusive' | 'shared' | undefined
  /** The text of the owner. */
  readonly owner: string | undefined
  /** The end of the lock by the local clock, in milliseconds since 1970; `undefined` without an end, or if nobody told it. */
  readonly expires: number | undefined
  /**
   * The granted time in milliseconds; `Infinity` for a lock without an end. If the server does not tell it, the time that was asked
   * for. Of a lock of an earlier process, the time that was left.
   */
  readonly timeout: number
  /**
   * Aborted when the lock is known to be lost, or when `renew` could not refresh it before its end. The reason is a
   * {@link DavError}. An unlock does not abort it.
   */
  readonly signal: AbortSignal
  /**
   * Asks for a new time: LOCK without a body. RFC 4918, section 9.10.2.
   *
   * After a 400, 404, 409, 410 or 412, the client looks for the lock by PROPFIND. It also does so after a success without an owner:
   * lighttpd answers so to the token of a lock that has ended.
   *
   * @returns This lock with its new time. A refusal is a Failure, and so is a lock that is not there any more. That one is lost: it
   *   leaves {@link DavClient.locks}, and `signal` is aborted.
   * @throws TypeError or RangeError for an invalid option. {@link DavNetworkError}, {@link DavTimeoutError} or the signal's reason
   *   without an answer.
   */
  refresh(options?: RefreshOptions): Promise<Lock | Failure>
  /** Removes the lock, as {@link DavClient.unlock} does. */
  unlock(options?: Omit<UnlockOptions, 'lockToken'>): Promise<DavResult>
  /** Returns the lock as plain data, for `locks` of another client. */
  toJSON(): StoredLock
}

interface RefreshFacts extends Pick<StoredLock, 'expires'> {
  /** The granted time in milliseconds. */
  readonly timeout: number
  /** The Timeout header that was sent. */
  readonly asked: string
  /** True if the server told the owner of the lock, which it cannot have from a refresh. */
  readonly isKnown: boolean
  /** True to begin the renewal. */
  readonly renew: boolean
}

/** The facts of a lock by an answer. */
export interface LockFacts extends StoredLock, RefreshFacts {}

/**
 * Formats the time to ask for.
 *
 * @throws RangeError for a time that is not above zero.
 */
export function formatAskedTimeout(timeout: number): string {
  assertTimeLimit('timeout', timeout)
  return formatLockTimeout(timeout)
}

/** The result of the LOCK, whose members are assigned. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the members are assigned
export interface OwnLock extends Success, AsyncDisposing {}

/** A lock that the client holds until it is unlocked or lost. */
export class OwnLock implements Lock, HeldLock {
  readonly token: string
  readonly lockRoot: string
  readonly #session: Session
  readonly #verb: Verb
  readonly #lost = new AbortController()
  #isRenewed: boolean
  #asked: string
  #isKnown: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  depth: StoredLock['depth']
  scope: Lock['scope']
  owner: Lock['owner']
  timeout: number
  expires: Lock['expires']

  /** @param verb - The rules of LOCK, for the refresh. */
  constructor(session: Session, verb: Verb, success: Success, facts: LockFacts) {
    Object.assign(this, success)
    this.#session = session
    this.#verb = verb
    this.#isRenewed = facts.renew
    this.#asked = facts.asked
    this.#isKnown = facts.isKnown
    this.token = facts.token
    this.lockRoot = facts.lockRoot
    this.depth = facts.depth
    this.scope = facts.scope
    this.owner = facts.owner
    this.timeout = facts.timeout
    this.expires = facts.expires
    this.#renewLater(this.timeout)
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** True if the server surely knew the lock at its last answer. */
  get isKnown(): boolean {
    return this.#isKnown
  }

  /** Takes the status and the new time of a refresh. A second LOCK may be answered with the same token too. */
  refreshed({status}: Success, {timeout, expires, asked, isKnown, renew}: RefreshFacts): void {
    Object.assign(this, {status})
    this.#isRenewed ||= renew
    this.timeout = timeout
    this.expires = expires
    this.#asked = asked
    this.#isKnown = isKnown
    this.#renewLater(timeout)
  }

  end(reason?: DavError): void {
    this.#isRenewed = false
    clearTimeout(this.#timer)
    if (reason !== undefined) this.#lost.abort(reason)
  }

  async refresh(given: RefreshOptions = {}): Promise<Lock | Failure> {
    const {timeout, signal} = readOptions('refresh', given, REFRESH_OPTIONS)
    const request = {
      ...this.#request,
      timeout: timeout === undefined ? this.#asked : formatAskedTimeout(timeout),
      verify: true,
    }
    if (!this.#isHeld) {
      const description = `LOCK ${this.lockRoot} is not sent: the lock was unlocked or is lost`
      return refuse({url: this.lockRoot}, this.#session, description)
    }
    const result = await runOne(this.#session, this.#verb, request, {signal})
    if (!result.ok || result === this) return result.ok ? this : result
    // The answer came after that of an UNLOCK, and made a lock again.
    this.#session.locks.remove(this.token)
    const {status} = result
    return fail(request, {status, reason: 'status', description: 'The lock was unlocked meanwhile'})
  }

  get #isHeld(): boolean {
    return this.#session.locks.get(this.token) === this
  }

  get #request(): TargetRequest {
    const {token: lockToken, lockRoot: url} = this
    return {method: 'LOCK', url, lockToken, attempts: 0}
  }

  unlock(options?: Omit<UnlockOptions, 'lockToken'>): Promise<DavResult> {
    return unlock(this.#session, this, options)
  }

  /** @internal The type is that of {@link AsyncDisposing}. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isHeld) unwrap(await this.unlock())
  }

  toJSON(): StoredLock {
    const {token, lockRoot, depth, scope, owner, expires} = this
    return {
      token,
      lockRoot,
      depth,
      ...(scope !== undefined && {scope}),
      ...(owner !== undefined && {owner}),
      ...(expires !== undefined && {expires}),
    }
  }

  /** Starts the timer of the next renewal. After a failed one, the last timer is that of the end. */
  #renewLater(left: number, cause?: unknown): void {
    clearTimeout(this.#timer)
    if (!this.#isRenewed || left === Number.POSITIVE_INFINITY) return
    const margin = Math.max(this.timeout / 3, RENEWAL_MARGIN_MILLISECONDS)
    const wait = Math.max(RENEWAL_PAUSE_MILLISECONDS, left / 3, left - margin)
    const end = Date.now() + left
    const isOver = cause !== undefined && wait >= left
    const onTime = (): void => (isOver ? this.#lose(cause) : void this.#renew(end))
    this.#timer = startTimer(onTime, Math.min(wait, left))
    keepAlive(this.#timer, false)
  }

  /** Refreshes the lock, and waits no longer than until its end. */
  async #renew(end: number): Promise<void> {
    const left = Math.min(Math.max(0, end - Date.now()), LONGEST_TIMER_MILLISECONDS)
    const cause = await this.refresh({signal: AbortSignal.timeout(left)}).then(
      (result) => (result.ok ? undefined : new DavFailureError(result)),
      (error: unknown) => error,
    )
    if (cause === undefined || !this.#isRenewed) return
    if (Date.now() < end) this.#renewLater(end - Date.now(), cause)
    else this.#lose(cause)
  }

  #lose(cause: unknown): void {
    lose(this.#session, this.#request, {cause})
  }
}

const STORED_LOCK: Rules<StoredLock> = {
  token: TEXT,
  lockRoot: TEXT,
  depth: ANY,
  scope: oneOf('exclusive', 'shared'),
  owner: TEXT,
  expires: NUMBER,
}

/**
 * Takes up a lock of an earlier process.
 *
 * @throws TypeError or RangeError for a value that is no lock, and for a lock on another origin.
 */
export function restoreLock(session: Session, verb: Verb, stored: StoredLock): void {
  if (typeof memberOf(stored, 'token') !== 'string')
    throw new TypeError('DavClient: a lock is an object with a token, as JSON.stringify gave it')
  const {token, lockRoot, depth, scope, owner, expires} = stored
  readOptions('a lock', {token, lockRoot, depth, scope, owner, expires}, STORED_LOCK)
  const {href: url} = resolveTarget({url: lockRoot}, session.base)
  assertLockDepth(depth)
  const success = succeed({method: 'LOCK', url, attempts: 0}, 0, 'A lock of an earlier process')
  const held = new OwnLock(session, verb, success, {
    token: readLockToken(token),
    lockRoot: url,
    depth,
    scope,
    owner,
    expires,
    timeout: expires === undefined ? Number.POSITIVE_INFINITY : Math.max(0, expires - Date.now()),
    asked: formatAskedTimeout(LOCK_MILLISECONDS),
    isKnown: false,
    renew: false,
  })
  session.locks.add(held)
}
