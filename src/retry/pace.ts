/**
 * The pace of a call: fewer exchanges at once while the server is overloaded, none while it asks to wait. RFC 6585, section 4;
 * RFC 9110, sections 10.2.3 and 15.6.4.
 *
 * The rule is that of TCP. A 429, a 503 and a broken connection halve the limit, down to 1 or a given minimum. An answer to a request from
 * before the last halving does not halve it again. As many good answers as the limit raise it by 1.
 */

import pLimit from 'p-limit'

import {MAX_WAITING_TARGETS} from '../protocol/bounds.ts'

/** Facts about the server that all calls of a client share. */
export interface ServerState {
  /** The end of the wait that the server asked for, in the time of `performance.now()`. */
  busyUntil: number
}

/** The right to one exchange. */
export interface Slot {
  /** Reports the outcome: `false` if the server was overloaded. */
  report(isGood: boolean): void
  /** Gives the slot to the next exchange. */
  free(): void
}

/** Gives out slots for exchanges, as many as the server can bear. */
export class Pace {
  readonly #maximum: number
  readonly #minimum: number
  /** Made when two exchanges meet: to make one takes longer than the rest of a small call. */
  #limit: ReturnType<typeof pLimit> | undefined
  /** The end of the only exchange, before there is a limit. */
  #only: PromiseWithResolvers<void> | undefined
  readonly #server: ServerState
  /** The number of halvings. A slot from before the last one cannot halve the limit again. */
  #halvings = 0
  #successes = 0
  /** Slots that were freed while nobody waited. The next exchange takes one of them, which costs no step of p-limit. */
  readonly #kept: (() => void)[] = []
  #idle = 0
  readonly #listeners = new Set<() => void>()

  constructor(maximum: number, server: ServerState, minimum = 1) {
    this.#maximum = maximum
    this.#minimum = minimum
    this.#server = server
  }

  /** Milliseconds until a request may be sent to the server again. */
  get held(): number {
    const {busyUntil} = this.#server
    return busyUntil === 0 ? 0 : Math.max(0, busyUntil - performance.now())
  }

  /** Holds back the requests of every call of the client for some milliseconds. */
  hold(milliseconds: number): void {
    this.#server.busyUntil = Math.max(this.#server.busyUntil, performance.now() + milliseconds)
  }

  enter(): Promise<Slot> {
    const kept = this.#kept.pop()
    if (kept !== undefined) return Promise.resolve(this.#slot(kept))
    if (this.#limit === undefined && this.#only === undefined) {
      this.#only = Promise.withResolvers()
      return Promise.resolve(this.#slot(this.#only.resolve))
    }
    const {promise, resolve} = Promise.withResolvers<Slot>()
    void this.#made()(() => {
      const {promise: freed, resolve: release} = Promise.withResolvers<void>()
      resolve(this.#slot(release))
      return freed
    })
    return promise
  }

  #made(): ReturnType<typeof pLimit> {
    if (this.#limit !== undefined) return this.#limit
    const limit = (this.#limit = pLimit(this.#maximum))
    const {promise} = this.#only ?? {}
    if (promise !== undefined) void limit(() => promise)
    return limit
  }

  #slot(release: () => void): Slot {
    const halvings = this.#halvings
    let isFree = false
    return {
      report: (isGood) => this.#adapt(isGood, halvings),
      free: () => {
        if (isFree) return
        isFree = true
        this.#free(release)
      },
    }
  }

  #free(release: () => void): void {
    if (this.#limit === undefined) {
      this.#only = undefined
      return
    }
    const {activeCount, pendingCount, concurrency} = this.#limit
    if (pendingCount === 0 && activeCount <= concurrency) this.#kept.push(release)
    else release()
  }

  /** Reports if one more target may begin. Targets that wait for another attempt do not count, up to a bound. */
  hasRoom(begun: number): boolean {
    return begun - Math.min(this.#idle, MAX_WAITING_TARGETS) < this.#maximum
  }

  /** Calls a listener each time a target begins to wait and so makes room. Returns the function that removes the listener. */
  onRoom(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Waits for a promise without taking a slot. */
  async idle<T>(waiting: Promise<T>): Promise<T> {
    this.#idle++
    for (const listener of this.#listeners) listener()
    try {
      return await waiting
    } finally {
      this.#idle--
    }
  }

  #adapt(isGood: boolean, halvings: number): void {
    if (isGood && this.#limit === undefined) return
    const limit = this.#made()
    const {concurrency} = limit
    if (!isGood) {
      if (halvings < this.#halvings) return
      this.#halvings++
      this.#successes = 0
      limit.concurrency = Math.max(this.#minimum, Math.floor(concurrency / 2))
      for (const release of this.#kept.splice(0)) release()
    } else if (concurrency < this.#maximum && ++this.#successes >= concurrency) {
      this.#successes = 0
      limit.concurrency = concurrency + 1
    }
  }
}
