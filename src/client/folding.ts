/**
 * Which targets of a bulk DELETE are one with others: a target that is named again is the same target, and what is in a
 * target that was deleted is gone with it. Remembered are those under way and at least the last 10,000 that have their
 * verdict, at most 20,000, so that memory does not grow with the number of targets. RFC 4918, section 9.6.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {canonicalPathOf} from '../protocol/href.ts'

const REMEMBERED = 10_000

/** The targets that were taken, by path. */
export class Folding {
  readonly #underWay = new Map<string, Promise<DavResult | undefined>>()
  // Two generations: to delete the oldest one of a Map takes time that grows with what was deleted before.
  #recent = new Map<string, DavResult | undefined>()
  #older = new Map<string, DavResult | undefined>()

  /** Takes a target; `undefined` where it was taken before. */
  take(url: string): Taken | undefined {
    // With a query it is a resource by itself.
    const path = url.includes('?') ? url : canonicalPathOf(url)
    if (this.#knows(path)) return undefined
    const around = ancestorsOf(path).filter((one) => this.#knows(one))
    const below: Promise<unknown>[] = []
    const inside = `${path}/`
    for (const [one, verdict] of this.#underWay) if (one.startsWith(inside)) below.push(verdict)
    const isAlone = around.length === 0 && below.length === 0
    const {promise, resolve} = Promise.withResolvers<DavResult | undefined>()
    this.#underWay.set(path, promise)
    return {
      before: isAlone ? undefined : Promise.all(below).then(() => this.#covering(around)),
      isInAnother: around.length > 0,
      settle: (verdict) => {
        resolve(verdict)
        this.#underWay.delete(path)
        this.#recent.set(path, verdict)
        if (this.#recent.size < REMEMBERED) return
        this.#older = this.#recent
        this.#recent = new Map()
      },
    }
  }

  #knows(path: string): boolean {
    return this.#underWay.has(path) || this.#recent.has(path) || this.#older.has(path)
  }

  async #covering(around: readonly string[]): Promise<Success | undefined> {
    for (const path of around) {
      const ended = this.#recent.get(path) ?? this.#older.get(path)
      const verdict = await (this.#underWay.get(path) ?? ended)
      if (verdict?.ok === true) return verdict
    }
    return undefined
  }
}

/** A target that was taken. */
export interface Taken {
  /**
   * Where it has to wait: resolves when those that are in it have their verdicts, and those that it is in. Gives the Success
   * of the one that it was deleted with.
   */
  readonly before: Promise<Success | undefined> | undefined
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
