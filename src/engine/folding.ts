/**
 * Folds the targets of a bulk call. A repeated target has one verdict, and a target inside another one may share its verdict.
 * Remembers targets under way and the last 10,000 to 20,000 verdicts, so that memory does not grow with the number of targets.
 * RFC 4918, section 9.6.1.
 */

import type {Failure} from '../multistatus/result.ts'
import {ancestorsOf, resourceKey} from '../protocol/href.ts'
import {REMEMBERED_TARGETS} from '../protocol/bounds.ts'
import {isIn} from './claims.ts'
import type {Outcome} from './verb.ts'

/** The changed part of a target: its status for the whole target, else one of the constants below. */
type Extent = number
const UNCHANGED = -1
const MAY_BE_CHANGED = -2

/** The targets so far, by path. */
export class Folding {
  // A list, because V8 keeps a chain of old tables of a Map that is added to and deleted from all the time.
  readonly #underWay: UnderWay[] = []
  // Two generations, because the time to delete the oldest entry of a Map grows with the number of deleted ones.
  #recent = new Map<string, Extent | Promise<Extent>>()
  #older = new Map<string, Extent | Promise<Extent>>()
  /** The length of the shortest path so far. Most look-ups are for parents that are no targets, and end here. */
  #shortest = Number.POSITIVE_INFINITY

  /** Tells if a target came before, as far as is remembered. */
  has(url: string): boolean {
    return this.#extent(resourceKey(url)) !== undefined
  }

  /** Takes a target; `undefined` for a repeated one. */
  take(url: string): Taken | undefined {
    const path = resourceKey(url)
    if (this.#extent(path) !== undefined) return undefined
    const around = ancestorsOf(path).filter((one) => this.#extent(one) !== undefined)
    const below = this.#underWay.filter((one) => isIn(one.path, path))
    const {promise: extent, resolve} = Promise.withResolvers<Extent>()
    const target = {path, extent}
    this.#underWay.push(target)
    this.#recent.set(path, extent)
    this.#shortest = Math.min(this.#shortest, path.length)
    const isAlone = around.length === 0 && below.length === 0
    return {
      before: isAlone ? undefined : this.#covering(around, below),
      settle: (outcome) => {
        const settled = extentOf(outcome)
        resolve(settled)
        this.#remember(target, settled)
      },
    }
  }

  /** Looks up the extent of a target, or a promise of it; `undefined` for an unknown or forgotten target. */
  #extent(path: string): Extent | Promise<Extent> | undefined {
    if (path.length < this.#shortest) return undefined
    return this.#recent.get(path) ?? this.#older.get(path)
  }

  /** Waits for the targets inside and around a target. The nearest outer target that was done as a whole covers it. */
  async #covering(around: readonly string[], below: readonly UnderWay[]): Promise<Covering> {
    await Promise.all(below.map((one) => one.extent))
    let mayBeDone = false
    for (const path of around) {
      const extent = await this.#extent(path)
      if (extent === undefined || extent === UNCHANGED) continue
      if (extent !== MAY_BE_CHANGED) return {status: extent, mayBeDone: true}
      mayBeDone = true
    }
    return {mayBeDone}
  }

  /** Records a verdict. A full generation becomes the older one, and targets under way are never forgotten. */
  #remember(target: UnderWay, extent: Extent): void {
    const last = this.#underWay.pop()
    if (last !== undefined && last !== target) {
      this.#underWay[this.#underWay.indexOf(target)] = last
    }
    this.#recent.set(target.path, extent)
    if (this.#recent.size - this.#underWay.length < REMEMBERED_TARGETS) return
    this.#older = this.#recent
    this.#recent = new Map(this.#underWay.map((one) => [one.path, one.extent]))
  }
}

/** The refused targets. A repeated one has its verdict. As many are remembered as of the others. */
export class Refused {
  #recent = new Set<string>()
  #older = new Set<string>()

  /** Adds a refused target. Returns true for a new one. A target that names no resource is always new. */
  add({url, href}: Failure): boolean {
    const key = `${URL.parse(url)?.origin} ${resourceKey(url)}`
    if (href === '') return true
    if (this.#recent.has(key) || this.#older.has(key)) return false
    this.#recent.add(key)
    if (this.#recent.size === REMEMBERED_TARGETS) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    return true
  }
}

interface UnderWay {
  readonly path: string
  readonly extent: Promise<Extent>
}

/** The outcome of the targets around a target. */
export interface Covering {
  /** The status of an outer target that was done with all its members. */
  readonly status?: number
  /** True if an outer target failed, but may have changed some of its members. */
  readonly mayBeDone: boolean
}

/** A new target. */
export interface Taken {
  /** Resolves when the targets inside it and around it have their verdicts; `undefined` if there are none. */
  readonly before: Promise<Covering> | undefined
  /** Records the outcome; `undefined` for an unknown one. */
  settle(outcome: Outcome | undefined): void
}

function extentOf(outcome: Outcome | undefined): Extent {
  if (outcome?.extent === 'all') return outcome.verdict.status
  return outcome?.extent === 'none' ? UNCHANGED : MAY_BE_CHANGED
}
