/**
 * Which targets of a bulk DELETE are one with others: a target that is named again is the same target, and what is in a
 * target that was deleted is gone with it. Remembered are those under way and at least the last 10,000 that have their
 * verdict, at most 20,000, so that memory does not grow with the number of targets. RFC 4918, section 9.6.1.
 */

import type {Failure} from '../multistatus/result.ts'
import {ancestorsOf, resourceKey} from '../protocol/href.ts'
import type {Deletion} from './exchange.ts'

const REMEMBERED = 10_000

/** The status of a verdict that all of the target is gone; else whether some of it may be. */
type Outcome = number
const STANDS = -1
const MAY_BE_PARTLY_GONE = -2

/** The targets that were taken, by path. */
export class Folding {
  // A list: V8 keeps a chain of the tables of a Map that entries come to and leave, as long as the call.
  readonly #underWay: UnderWay[] = []
  // Two generations: to delete the oldest entry of a Map takes time that grows with what was deleted before.
  #recent = new Map<string, Outcome | Promise<Outcome>>()
  #older = new Map<string, Outcome | Promise<Outcome>>()
  /** No path that was taken is shorter: most targets are in collections that are none. */
  #shortest = Number.POSITIVE_INFINITY

  /** Whether a target was taken, as far as that is remembered. */
  has(url: string): boolean {
    return this.#outcome(resourceKey(url)) !== undefined
  }

  /** Takes a target; `undefined` where it was taken before. */
  take(url: string): Taken | undefined {
    const path = resourceKey(url)
    if (this.#outcome(path) !== undefined) return undefined
    const around = ancestorsOf(path).filter((one) => this.#outcome(one) !== undefined)
    const below = this.#underWay.filter((one) => isIn(one.path, path))
    const {promise: outcome, resolve} = Promise.withResolvers<Outcome>()
    const target = {path, outcome}
    this.#underWay.push(target)
    this.#recent.set(path, outcome)
    this.#shortest = Math.min(this.#shortest, path.length)
    const isAlone = around.length === 0 && below.length === 0
    return {
      before: isAlone ? undefined : this.#covering(around, below),
      settle: (deletion) => {
        const settled = outcomeOf(deletion)
        resolve(settled)
        this.#remember(target, settled)
      },
    }
  }

  /** What a target came to, or will come to; `undefined` where it was not taken, as far as that is remembered. */
  #outcome(path: string): Outcome | Promise<Outcome> | undefined {
    if (path.length < this.#shortest) return undefined
    return this.#recent.get(path) ?? this.#older.get(path)
  }

  async #covering(around: readonly string[], below: readonly UnderWay[]): Promise<Covering> {
    await Promise.all(below.map((one) => one.outcome))
    let mayBeGone = false
    for (const path of around) {
      const outcome = await this.#outcome(path)
      if (outcome === undefined || outcome === STANDS) continue
      if (outcome !== MAY_BE_PARTLY_GONE) return {status: outcome, mayBeGone: true}
      mayBeGone = true
    }
    return {mayBeGone}
  }

  #remember(target: UnderWay, outcome: Outcome): void {
    const last = this.#underWay.pop()
    if (last !== undefined && last !== target) {
      this.#underWay[this.#underWay.indexOf(target)] = last
    }
    this.#recent.set(target.path, outcome)
    if (this.#recent.size - this.#underWay.length < REMEMBERED) return
    this.#older = this.#recent
    this.#recent = new Map(this.#underWay.map((one) => [one.path, one.outcome]))
  }
}

/** The targets that were refused: one that is named again has its verdict. As many are remembered as of the others. */
export class Refused {
  #recent = new Set<string>()
  #older = new Set<string>()

  /** Adds a refused target. Returns whether it is a new one; one that names nothing always is. */
  add({url, href}: Failure): boolean {
    const key = `${URL.parse(url)?.origin} ${resourceKey(url)}`
    if (href === '') return true
    if (this.#recent.has(key) || this.#older.has(key)) return false
    this.#recent.add(key)
    if (this.#recent.size === REMEMBERED) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    return true
  }
}

function isIn(path: string, collection: string): boolean {
  return (
    path.length > collection.length &&
    path.charCodeAt(collection.length) === SLASH &&
    path.startsWith(collection)
  )
}

const SLASH = 0x2f

interface UnderWay {
  readonly path: string
  readonly outcome: Promise<Outcome>
}

/** What became of the targets that a target is in. */
export interface Covering {
  /** The status of the one that it was deleted with. */
  readonly status?: number
  /** Whether it may be gone by our own doing: one of them failed after members of it may have been deleted. */
  readonly mayBeGone: boolean
}

/** A target that was taken. */
export interface Taken {
  /** Where it has to wait: resolves when those that are in it have their verdicts, and those that it is in. */
  readonly before: Promise<Covering> | undefined
  /** Says what it came to, `undefined` where that is not known. */
  settle(deletion: Deletion | undefined): void
}

function outcomeOf(deletion: Deletion | undefined): Outcome {
  if (deletion?.extent === 'all') return deletion.verdict.status
  return deletion?.extent === 'none' ? STANDS : MAY_BE_PARTLY_GONE
}
