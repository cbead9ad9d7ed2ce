/**
 * What a listing of many collections has still to ask for: depth first, so that it holds the collections beside the open
 * path and not all of a tree. It can be written down and taken up again.
 */

import type {Depth} from '../protocol/depth.ts'
import type {ListingQuery} from './query.ts'

/** One collection that is to be listed. */
export interface Listing {
  readonly query: ListingQuery
  readonly url: string
  readonly depth: Depth
  /** Whether it is what the order asks for, and not a collection that was found below. */
  readonly isFirst: boolean
  /** Whether Depth infinity was refused for it before. */
  readonly isRefused?: boolean
}

/** Gives out listings, as an iteration that ends when none is left and none is under way that may add some. */
export class Frontier implements AsyncIterable<Listing> {
  // The next one is the last.
  readonly #waiting: Listing[]
  readonly #underWay = new Set<Listing>()
  #wake: (() => void) | undefined
  #isEnded = false

  constructor(listings: readonly Listing[]) {
    this.#waiting = listings.toReversed()
  }

  /** What has not been given out, or is not done with: in the order in which it would be asked for. */
  get left(): readonly Listing[] {
    return [...this.#underWay, ...this.#waiting.toReversed()]
  }

  /** A listing is done with, and found others. They come next. */
  settle(listing: Listing, found: readonly Listing[]): void {
    this.#underWay.delete(listing)
    for (let index = found.length - 1; index >= 0; index--) {
      const one = found[index]
      if (one !== undefined) this.#waiting.push(one)
    }
    this.#wake?.()
  }

  /** Gives nothing more out. What is left stays what is left. */
  end(): void {
    this.#isEnded = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Listing, undefined, undefined> {
    while (!this.#isEnded) {
      const next = this.#waiting.pop()
      if (next !== undefined) {
        this.#underWay.add(next)
        yield next
      } else if (this.#underWay.size === 0) {
        return undefined
      } else {
        const {promise, resolve} = Promise.withResolvers<void>()
        this.#wake = resolve
        await promise
      }
    }
    return undefined
  }
}
