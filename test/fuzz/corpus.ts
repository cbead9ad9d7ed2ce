// Keeps the cases worth changing: for each feature seen, the cheapest case with it. The next pick has a rare feature, so that the
// common ways through the parser do not take all the time.

import type {FuzzCase} from './cases.ts'
import type {Random} from './random.ts'

interface Entry {
  readonly input: FuzzCase
  /** The cost of a run: bytes of the body and counted work. No clock, so that a seed gives the same run again. */
  readonly cost: number
}

// Of so many features that are drawn, the rarest is taken.
const DRAWN = 4
// A case must be this much cheaper to take the place of another one.
const CHEAPER = 0.8

/** Keeps cases by their features. */
export class Corpus {
  readonly #owners: (Entry | undefined)[]
  readonly #runs: Float64Array
  readonly #features: number[] = []

  constructor(features: number) {
    this.#owners = Array.from({length: features})
    this.#runs = new Float64Array(features)
  }

  /** The number of kept cases. */
  get size(): number {
    return new Set(this.#features.map((feature) => this.#owners[feature])).size
  }

  /** The number of features seen. */
  get features(): number {
    return this.#features.length
  }

  /** Takes the features of a case. Returns true if one of them is new. */
  add(input: FuzzCase, {features, work}: {features: readonly number[]; work: number}): boolean {
    const entry: Entry = {input, cost: input.body.length * 10 + work}
    let isNew = false
    for (const feature of features) {
      this.#runs[feature] = (this.#runs[feature] ?? 0) + 1
      const owner = this.#owners[feature]
      if (owner !== undefined && entry.cost > owner.cost * CHEAPER) continue
      this.#owners[feature] = entry
      if (owner !== undefined) continue
      this.#features.push(feature)
      isNew = true
    }
    return isNew
  }

  /** A case to go on from. */
  pick(random: Random): FuzzCase {
    let rarest = random.pick(this.#features)
    for (let drawn = 1; drawn < DRAWN; drawn++) {
      const feature = random.pick(this.#features)
      if ((this.#runs[feature] ?? 0) < (this.#runs[rarest] ?? 0)) rarest = feature
    }
    const entry = this.#owners[rarest]
    if (entry === undefined) throw new Error('a feature was seen that no case has')
    return entry.input
  }
}
