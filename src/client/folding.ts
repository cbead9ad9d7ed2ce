/**
 * Which targets of a bulk DELETE are one with others: a target that is named again is the same target, and what is in a
 * target that was deleted is gone with it. Remembered are those under way and at least the last 10,000 that have their
 * verdict, at most 20,000, so that memory does not grow with the number of targets. RFC 4918, section 9.6.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {canonicalPathOf} from '../protocol/href.ts'

const REMEMBERED = 10_000

/** The status of a verdict that is a Success, `FAILED` of any other. */
type Outcome = number
const FAILED = -1

/** The targets that were taken, by path. */
export class Folding {
  // A list: V8 keeps a chain of the tables of a Map that entries come to and leave, as long as the call.
  readonly #underWay: UnderWay[] = []
  // Two generations: to delete the oldest entry of a Map takes time that grows with what was deleted before.
  #recent = new Map<string, Outcome>()
  #older = new Map<string, Outcome>()

  /** Takes a target; `undefined` where it was taken before. */
  take(url: string): Taken | undefined {
    // With a query it is a resource by itself.
    const path = url.includes('?') ? url : canonicalPathOf(url)
    if (this.#outcome(path) !== undefined) return undefined
    const around = ancestorsOf(path).filter((one) => this.#outcome(one) !== undefined)
    const inside = `${path}/`
    const below = this.#underWay.filter((one) => one.path.startsWith(inside))
    const {promise: outcome, resolve} = Promise.withResolvers<Outcome>()
    const target = {path, outcome}
    this.#underWay.push(target)
    const isAlone = around.length === 0 && below.length === 0
    return {
      before: isAlone
        ? undefined
        : Promise.all(below.map((one) => one.outcome)).then(() => this.#covering(around)),
      isInAnother: around.length > 0,
      settle: (verdict) => {
        const status = verdict?.ok === true ? verdict.status : FAILED
        resolve(status)
        this.#remember(target, status)
      },
    }
  }

  /** What a target came to, or will come to; `undefined` where it was not taken, as far as that is remembered. */
  #outcome(path: string): Outcome | Promise<Outcome> | undefined {
    for (const one of this.#underWay) if (one.path === path) return one.outcome
    return this.#recent.get(path) ?? this.#older.get(path)
  }

  async #covering(around: readonly string[]): Promise<Outcome | undefined> {
    for (const path of around) {
      const status = await this.#outcome(path)
      if (status !== undefined && status !== FAILED) return status
    }
    return undefined
  }

  #remember(target: UnderWay, status: Outcome): void {
    const last = this.#underWay.pop()
    if (last !== undefined && last !== target) {
      this.#underWay[this.#underWay.indexOf(target)] = last
    }
    this.#recent.set(target.path, status)
    if (this.#recent.size < REMEMBERED) return
    this.#older = this.#recent
    this.#recent = new Map()
  }
}

interface UnderWay {
  readonly path: string
  readonly outcome: Promise<Outcome>
}

/** A target that was taken. */
export interface Taken {
  /**
   * Where it has to wait: resolves when those that are in it have their verdicts, and those that it is in. Gives the status
   * of the one that it was deleted with.
   */
  readonly before: Promise<number | undefined> | undefined
  /** Whether it is in one that was taken before: it may be gone by our own doing. */
  readonly isInAnother: boolean
  /** Says what it came to, `undefined` where that is not known. */
  settle(verdict: DavResult | undefined): void
}

/** The paths of what a path is in, the nearest first. */
function ancestorsOf(path: string): readonly string[] {
  const ancestors: string[] = []
  for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
    ancestors.push(path.slice(0, slash))
  }
  return ancestors
}
