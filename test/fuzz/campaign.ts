// Runs cases one after the other, keeps those that bring something new, and saves those that break a rule, made small. A
// breach that is known already is counted, and the run goes on.

import type {FuzzCase} from './cases.ts'
import {plainCase} from './cases.ts'
import {saveFinding} from './save.ts'
import {Corpus} from './corpus.ts'
import type {Counters} from './counters.ts'
import {minimize} from './minimize.ts'
import {mutate} from './mutate.ts'
import {check} from './oracle.ts'
import {Random} from './random.ts'
import type {ParserClasses, Reading} from './reading.ts'
import {Violation} from './reading.ts'
import {runTimed} from './timed.ts'

// Time for the readings of one case: far more than any reading of linear cost takes.
const MILLISECONDS = 250
const MILLISECONDS_PER_BYTE = 0.03
// A processor that is busy elsewhere makes one measurement long, but not each of these.
const MEASUREMENTS = 3

// A case that takes so long hangs. To make a hang small takes the second limit for each try.
const HANGS = 20_000
const SHORT = 500
const SLICE = 1000

/** A breach of a rule that was found. */
export interface Found {
  readonly path: string
  readonly detail: string
  times: number
}

/** One run of the fuzzer. */
export class Campaign {
  readonly found: Map<string, Found> = new Map<string, Found>()
  readonly corpus: Corpus
  executions = 0
  readonly #classes: ParserClasses
  readonly #counters: Counters
  readonly #random: Random
  readonly #folder: URL | undefined
  readonly #breaches: {input: FuzzCase; violation: Violation}[] = []
  #current: FuzzCase = plainCase('')

  constructor(
    {classes, counters}: {classes: ParserClasses; counters: Counters},
    seed: number,
    folder?: URL,
  ) {
    this.#classes = classes
    this.#counters = counters
    this.#random = new Random(seed)
    this.#folder = folder
    // Most bodies end in an error, and most of the time of making one goes into its stack.
    Error.stackTraceLimit = 0
    this.corpus = new Corpus(counters.features)
  }

  /** Runs cases that somebody wrote. */
  seed(inputs: readonly FuzzCase[]): void {
    const left = [...inputs]
    while (left.length > 0) this.#guard(() => this.#loop(SLICE, () => left.shift()))
  }

  /** For some time, makes cases from those that are known, and runs them. */
  run(milliseconds: number): void {
    const random = this.#random
    const next = (): FuzzCase => mutate(this.corpus.pick(random), this.corpus.pick(random), random)
    this.#guard(() => this.#loop(milliseconds, next))
  }

  /** Does some work that ends soon unless a case hangs, and reports the findings in it. */
  #guard(work: () => void): void {
    const {error} = runTimed(work, HANGS)
    if (error !== undefined)
      this.#breaches.push({input: this.#current, violation: asViolation(error)})
    for (const {input, violation} of this.#breaches.splice(0)) this.#report(input, violation)
  }

  #loop(milliseconds: number, next: () => FuzzCase | undefined): void {
    const end = performance.now() + milliseconds
    while (performance.now() < end && this.#breaches.length === 0) {
      const input = next()
      if (input === undefined) return
      this.#execute(input)
    }
  }

  #execute(input: FuzzCase): void {
    this.executions++
    this.#current = input
    this.#counters.reset()
    const begin = performance.now()
    const violation = this.#check(input) ?? this.#findSlow(input, performance.now() - begin)
    this.corpus.add(input, this.#counters.take())
    if (violation === undefined) return
    const known = this.found.get(violation.signature)
    if (known === undefined) this.#breaches.push({input, violation})
    else known.times++
  }

  #check(input: FuzzCase): Violation | undefined {
    try {
      this.#mark(check(this.#classes, input), input)
      return undefined
    } catch (error) {
      return asViolation(error)
    }
  }

  #findSlow(input: FuzzCase, milliseconds: number): Violation | undefined {
    const bound = MILLISECONDS + input.body.length * MILLISECONDS_PER_BYTE
    let least = milliseconds
    for (let again = 1; again < MEASUREMENTS && least >= bound; again++) {
      const begin = performance.now()
      this.#check(input)
      least = Math.min(least, performance.now() - begin)
    }
    if (least < bound) return undefined
    return new Violation('slow', `${Math.round(least)} ms for ${input.body.length} bytes`)
  }

  #report(input: FuzzCase, {signature, message}: Violation): void {
    const again = (smaller: FuzzCase): Violation | undefined => {
      const {error} = runTimed(() => check(this.#classes, smaller), SHORT)
      return error === undefined ? undefined : asViolation(error)
    }
    const isBroken = (smaller: FuzzCase): boolean => again(smaller)?.signature === signature
    // Each try of a slow one would take its time.
    const smallest = signature === 'slow' ? input : minimize(input, isBroken)
    Error.stackTraceLimit = 20
    const detail = again(smallest)?.message ?? message
    Error.stackTraceLimit = 0
    const path = saveFinding(smallest, signature, this.#folder)
    this.found.set(signature, {path, detail, times: 1})
    console.log(`\nFOUND ${detail}\n${describeCase(smallest)}\nsaved as ${path}\n`)
  }

  /** The outcome of a reading is a feature too. */
  #mark({error, results, summary}: Reading, {options}: FuzzCase): void {
    const mark = (outcome: string): void => this.#counters.mark(outcome)
    mark(`${options.malformed} ${error?.reason} ${error?.limit}`)
    for (const {reason} of summary?.incomplete ?? []) mark(`incomplete ${reason}`)
    for (const result of results) {
      mark(`${result.ok ? 'success' : result.reason} ${result.relation}`)
      if (!result.ok) continue
      for (const [name, value] of Object.entries(result.properties)) {
        if (!name.startsWith('{')) mark(`value ${typeof value} ${Array.isArray(value)}`)
      }
    }
  }
}

/** The rule that was broken. Any other error is a bug of the fuzzer. */
function asViolation(error: unknown): Violation {
  if (error instanceof Violation) return error
  throw error
}

/** A case as somebody would type it. */
export function describeCase({body, options, cuts, step}: FuzzCase): string {
  const text = Buffer.from(body).toString('latin1')
  const shown = text.length > 1500 ? `${text.slice(0, 1500)}… ${text.length} bytes` : text
  return `${JSON.stringify(shown)} (latin1) ${JSON.stringify({options, cuts, step})}`
}
