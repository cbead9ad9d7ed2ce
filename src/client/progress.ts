/** How far a bulk call is, told often enough to be drawn and seldom enough to cost nothing. */

import type {DavResult} from '../multistatus/result.ts'

/** How far a bulk call is. */
export interface Progress {
  /** Targets that have their verdict, failed ones included. */
  readonly done: number
  /** Targets whose verdict is a Failure. */
  readonly failed: number
  /** Targets that were begun and have no verdict yet. */
  readonly inFlight: number
  /** How many targets there are, where that is known: they came as an array. */
  readonly total?: number
}

const INTERVAL = 100

/** Counts verdicts and tells of them. */
export class ProgressMeter {
  readonly #total: number | undefined
  readonly #listener: ((progress: Progress) => void) | undefined
  #started = 0
  #done = 0
  #failed = 0
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(total: number | undefined, listener: ((progress: Progress) => void) | undefined) {
    this.#total = total
    this.#listener = listener
  }

  started(): void {
    this.#started++
  }

  see(results: readonly DavResult<unknown>[]): void {
    if (this.#listener === undefined) return
    for (const result of results) {
      if (result.relation !== 'self') continue
      this.#done++
      if (!result.ok) this.#failed++
    }
    const now = performance.now()
    if (now - this.#toldAt < INTERVAL) return
    this.#toldAt = now
    this.tell()
  }

  /** Tells how far it is, whenever that was told last. */
  tell(): void {
    this.#listener?.({
      done: this.#done,
      failed: this.#failed,
      inFlight: this.#started - this.#done,
      ...(this.#total !== undefined && {total: this.#total}),
    })
  }
}
