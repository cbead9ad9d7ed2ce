/**
 * The frontier of a walk: the listings that are still to be sent. Depth first, so that it holds the collections beside the open
 * path and not a whole level of the tree. A checkpoint is made of it.
 */

import {Bell} from '../multistatus/pull.ts'
import type {Listing} from './query.ts'

/** Gives out listings. The iteration ends when none is left, and none is under way that may add others. */
export class Frontier implements AsyncIterable<Listing> {
  // A stack: the next listing is the last element.
  readonly #waiting: Listing[]
  readonly #underWay = new Set<Listing>()
  readonly #news = new Bell()

  constructor(listings: readonly Listing[]) {
    this.#waiting = listings.toReversed()
  }

  /** Unfinished listings, in the order of their requests. */
  get left(): readonly Listing[] {
    return [...this.#underWay, ...this.#waiting.toReversed()]
  }

  /** Finishes a listing. The listings that it found come next. */
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
