// The counters of instrumented files in one array, and the features of a run: the order of magnitude of each counter, as AFL
// has it. A branch that is taken a hundred times is news if it was taken twice before.

/** By index: an object of istanbul's, or an array of ours. */
interface Numbers {
  readonly [index: number]: number
}

/** The counters of istanbul in one file: statements, functions, and the ways out of each branch. */
export interface FileCounters {
  s: Numbers
  f: Numbers
  readonly b: Record<string, Numbers>
}

/** The number of orders of magnitude. */
const BUCKETS = 8

// The outcome of a reading counts too: a new kind of error or failure.
const OUTCOMES = 512

/** All counters. */
export class Counters {
  readonly #values: Uint32Array<ArrayBuffer>
  readonly #files: readonly {path: string; from: number; to: number}[]
  readonly #outcomes = new Map<string, number>()
  readonly #seen: Uint8Array

  /** Puts an array of ours in the place of the counters of the instrumented files. */
  constructor(coverage: Readonly<Record<string, FileCounters>>) {
    let length = 0
    const files = Object.entries(coverage).map(([path, file]) => {
      const from = length
      length += sizeOf(file.s) + sizeOf(file.f)
      for (const branch of Object.values(file.b)) length += sizeOf(branch)
      return {path, from, to: length}
    })
    this.#files = files
    this.#values = new Uint32Array(length + OUTCOMES)
    this.#seen = new Uint8Array(length + OUTCOMES)
    let at = 0
    const replace = (counted: Numbers): Uint32Array => {
      const numbers: number[] = Object.values(counted)
      // Code that ran while the files were loaded does not run again.
      numbers.forEach((number, index) => (this.#seen[at + index] = Math.min(1, number)))
      return this.#values.subarray(at, (at += numbers.length))
    }
    for (const file of Object.values(coverage)) {
      file.s = replace(file.s)
      file.f = replace(file.f)
      for (const [key, branch] of Object.entries(file.b)) file.b[key] = replace(branch)
    }
  }

  /** The number of possible features. A feature is a counter with an order of magnitude. */
  get features(): number {
    return this.#values.length * BUCKETS
  }

  /** Begins another run. */
  reset(): void {
    this.#values.fill(0)
  }

  /** Counts an outcome. */
  mark(outcome: string): void {
    let index = this.#outcomes.get(outcome)
    if (index === undefined) {
      index = Math.min(this.#outcomes.size, OUTCOMES - 1)
      this.#outcomes.set(outcome, index)
    }
    const at = this.#values.length - OUTCOMES + index
    this.#values[at] = (this.#values[at] ?? 0) + 1
  }

  /** The features of the run, and the work that was done in it. */
  take(): {features: number[]; work: number} {
    const features: number[] = []
    let work = 0
    const values = this.#values
    for (let index = 0; index < values.length; index++) {
      const value = values[index] ?? 0
      if (value === 0) continue
      work += value
      this.#seen[index] = 1
      features.push(index * BUCKETS + bucketOf(value))
    }
    return {features, work}
  }

  /** The number of counters that were ever above zero, and of all, in the files whose path begins so. */
  covered(folder = ''): {hit: number; of: number} {
    let hit = 0
    let of = 0
    for (const {path, from, to} of this.#files) {
      if (!path.startsWith(folder)) continue
      of += to - from
      hit += this.#seen.subarray(from, to).reduce((sum, seen) => sum + seen, 0)
    }
    return {hit, of}
  }
}

function sizeOf(counters: Numbers): number {
  return Object.keys(counters).length
}

/** 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, and more. */
function bucketOf(value: number): number {
  if (value <= 3) return value - 1
  if (value < 8) return 3
  if (value < 16) return 4
  if (value < 32) return 5
  return value < 128 ? 6 : 7
}
