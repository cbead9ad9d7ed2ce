/**
 * The calls of a client that are under way. They share one listener on each signal that ends all of them. V8 keeps the chain of
 * removed listeners, with all that they held, until it collects all garbage.
 */

import {Group} from '../protocol/group.ts'
import type {StoredLock} from './lock-store.ts'

/** A call that a signal may end. */
interface EndableCall {
  /** Looks at the signals, and ends the call if one of them is aborted. */
  readonly onAbort: () => void
  /** The locks that were lost while it was under way. */
  readonly lost: StoredLock[]
}

/** The calls under way. */
export class Calls {
  readonly #signals: readonly AbortSignal[]
  readonly #calls = new Group<EndableCall>()
  // No AbortController: workerd has none outside of a request, where a worker makes its client.
  #closing: Pick<AbortSignal, 'aborted' | 'reason'> = {aborted: false, reason: undefined}

  constructor(signals: readonly AbortSignal[]) {
    this.#signals = signals
  }

  /** The signals that end every call, and the closing of the client. */
  get ends(): readonly Pick<AbortSignal, 'aborted' | 'reason'>[] {
    return [...this.#signals, this.#closing]
  }

  /** Ends every call, and each later one. */
  close(reason: unknown): void {
    this.#closing = {aborted: true, reason}
    this.#onAbort()
  }

  add(call: EndableCall): void {
    this.#calls.add(call)
    if (this.#calls.size > 1) return
    for (const signal of this.#signals) signal.addEventListener('abort', this.#onAbort)
  }

  /** Removes a call. Does nothing for one that was removed before. */
  delete(call: EndableCall): void {
    this.#calls.delete(call)
    if (this.#calls.size > 0) return
    for (const signal of this.#signals) signal.removeEventListener('abort', this.#onAbort)
  }

  /** Keeps a lost lock for the calls under way. */
  keep(lock: StoredLock): void {
    for (const {lost} of this.#calls.all()) lost.push(lock)
  }

  readonly #onAbort = (): void => {
    for (const {onAbort} of this.#calls.all()) onAbort()
  }
}
