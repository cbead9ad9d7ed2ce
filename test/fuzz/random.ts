// Random numbers from a seed, so that a run can be had again: mulberry32, which is small and good enough to pick with.

/** Picks at random. Two with the same seed pick the same. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** A whole number from 0 up to, and without, a bound. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound)
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[this.below(list.length)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** A length from 1 to `most`, small ones more often than large ones. */
  length(most: number): number {
    if (most <= 1) return 1
    return (
      1 + this.below(Math.max(1, Math.min(most, 2 ** this.below(Math.ceil(Math.log2(most)) + 1))))
    )
  }
}
