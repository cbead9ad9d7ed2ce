/**
 * The locks that a client holds, by their tokens. Sends nothing, and knows no answer: the verbs add locks and remove them. RFC
 * 4918, section 7.
 */

import type {DavError} from '../protocol/errors.ts'

/** A lock as plain data, which survives JSON. Another process can go on with it: see `locks` of the client's options. */
export interface StoredLock {
  /** The lock token, without `<>`. RFC 4918, section 6.5. */
  readonly token: string
  /** The absolute URL of the locked resource. The lock of a collection may cover its members too. RFC 4918, section 14.12. */
  readonly lockRoot: string
  /** The reach of the lock: the resource itself, or everything below too. */
  readonly depth: 0 | 'infinity'
  /** The scope of the lock. RFC 4918, section 6.2. */
  readonly scope?: 'exclusive' | 'shared' | undefined
  /** The text of the owner. RFC 4918, section 14.17. */
  readonly owner?: string | undefined
  /** The end of the lock by the local clock, in milliseconds since 1970; absent for a lock without an end, or if nobody told it. */
  readonly expires?: number | undefined
}

/** A lock that the client holds. */
export interface HeldLock extends StoredLock {
  /** Ends the renewal. A reason means that the lock is lost, and aborts its signal. */
  end(reason?: DavError): void
}

/** The locks of one client, in the order in which it got them. */
export class LockStore {
  readonly #locks = new Map<string, HeldLock>()

  get isEmpty(): boolean {
    return this.#locks.size === 0
  }

  /** Adds a lock. It takes the place of another one with its token, which a server without true locks may give twice. */
  add(lock: HeldLock): void {
    this.remove(lock.token)
    this.#locks.set(lock.token, lock)
  }

  /** Finds the lock with a token. */
  get(token: string): HeldLock | undefined {
    return this.#locks.get(token)
  }

  /** Removes a lock: it was unlocked, or ended with its resource. A reason means that it is lost. */
  remove(token: string, reason?: DavError): void {
    this.#locks.get(token)?.end(reason)
    this.#locks.delete(token)
  }

  /** Ends all renewals. The locks are kept, because the server still has them. */
  endRenewals(): void {
    for (const lock of this) lock.end()
  }

  [Symbol.iterator](): IterableIterator<HeldLock> {
    return this.#locks.values()
  }
}
