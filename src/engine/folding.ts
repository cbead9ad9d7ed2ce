/**
 * Targets of a bulk call that are one with others. A target named again is the same target, and one below another may share its
 * verdict. Remembered are those under way and the last 10,000 to 20,000 with a verdict, so that memory does not grow with
 * the number of targets. RFC 4918, section 9.6.1.
 */

import type {Failure} from '../multistatus/result.ts'
import {ancestorsOf, resourceKey} from '../protocol/href.ts'
import {REMEMBERED_TARGETS} from '../protocol/bounds.ts'
import {SLASH} from '../protocol/characters.ts'
import type {Outcome} from './verb.ts'

/** The status of a verdict on all of the target; else one of the constants below. */
type Extent = number
const UNCHANGED = -1
const MAY_BE_CHANGED = -2

/** The targets that were taken, by path. */
export class Folding {
  // A list: V8 keeps a chain of the tables of a Map that entries come to and leave, as long as the call.
  readonly #underWay: UnderWay[] = []
  // Two generations: to delete the oldest entry of a Map takes time that grows with what was deleted before.
  #recent = new Map<string, Extent | Promise<Extent>>()
  #older = new Map<string, Extent | Promise<Extent>>()
  /** The length of the shortest path that was taken: most lookups are for collections that are no targets. */
  #shortest = Number.POSITIVE_INFINITY

  /** Reports if a target was taken, as far as that is remembered. */
  has(url: string): boolean {
    return this.#extent(resourceKey(url)) !== undefined
  }

  /** Takes a target; `undefined` where it was taken before. */
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

  /** Gives the extent of a target, or a promise of it; `undefined` for one that was not taken or is forgotten. */
  #extent(path: string): Extent | Promise<Extent> | undefined {
    if (path.length < this.#shortest) return undefined
    return this.#recent.get(path) ?? this.#older.get(path)
  }

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

/** The targets that were refused: one that is named again has its verdict. As many are remembered as of the others. */
export class Refused {
  #recent = new Set<string>()
  #older = new Set<string>()

  /** Adds a refused target. Returns `true` for a new one; one that names nothing is always new. */
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

function isIn(path: string, collection: string): boolean {
  return path.charCodeAt(collection.length) === SLASH && path.startsWith(collection)
}

interface UnderWay {
  readonly path: string
  readonly extent: Promise<Extent>
}

/** The outcome of the targets around a target. */
export interface Covering {
  /** The status of one that was done with all its members. */
  readonly status?: number
  /** One of them failed after a part of its members may have been changed. */
  readonly mayBeDone: boolean
}

/** A target that was taken. */
export interface Taken {
  /** Resolves when the targets in it and around it have their verdicts; `undefined` for a target without such. */
  readonly before: Promise<Covering> | undefined
  /** Records the outcome, `undefined` for an unknown one. */
  settle(outcome: Outcome | undefined): void
}

function extentOf(outcome: Outcome | undefined): Extent {
  if (outcome?.extent === 'all') return outcome.verdict.status
  return outcome?.extent === 'none' ? UNCHANGED : MAY_BE_CHANGED
}
