/**
 * The listings that a call has still to send. They are sent depth first, so that it holds the collections beside the open
 * path and not all of a tree. A checkpoint is made of it.
 */

import {Bell} from '../multistatus/pull.ts'
import type {Listing} from './query.ts'

/** Gives out listings. The iteration ends when none is left and none is under way that may add some. */
export class Frontier implements AsyncIterable<Listing> {
  // The next one is the last.
  readonly #waiting: Listing[]
  readonly #underWay = new Set<Listing>()
  readonly #news = new Bell()

  constructor(listings: readonly Listing[]) {
    this.#waiting = listings.toReversed()
  }

  /** Listings that are not finished, in the order of their requests. */
  get left(): readonly Listing[] {
    return [...this.#underWay, ...this.#waiting.toReversed()]
  }

  /** Finishes a listing. Those that it found come next. */
  settle(listing: Listing, found: readonly Listing[]): void {
    this.#underWay.delete(listing)
    for (const one of found.toReversed()) this.#waiting.push(one)
    this.#news.ring()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Listing, undefined, undefined> {
    for (;;) {
      const next = this.#waiting.pop()
      if (next !== undefined) {
        this.#underWay.add(next)
        yield next
      } else if (this.#underWay.size === 0) {
        return undefined
      } else {
        await this.#news.wait()
      }
    }
  }
}
