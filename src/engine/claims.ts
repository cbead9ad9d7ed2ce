/**
 * Orders requests that touch the same resources. A later one waits for the earlier ones that change its resource, one around it
 * or one inside it. RFC 4918, sections 9.6.1, 9.8.3 and 9.9.2.
 */

import {resourceKey} from '../protocol/href.ts'
import {SLASH} from '../protocol/characters.ts'
import type {TargetRequest, Verb} from './verb.ts'

/** A resource in use by a request under way. */
interface Claim {
  readonly path: string
  readonly isChange: boolean
}

interface UnderWay {
  readonly claims: readonly Claim[]
  readonly end: Promise<void>
}

/** A turn of one request. */
export interface Turn {
  /** Resolves when the earlier requests have ended; `undefined` if there are none. */
  readonly before: Promise<unknown> | undefined
  /** Ends the turn. */
  readonly end: () => void
}

/** The requests under way. */
export class Claims {
  readonly #underWay = new Set<UnderWay>()

  /** Adds a request. */
  take(verb: Verb, request: TargetRequest): Turn {
    const {changed, read = []} = verb.ends?.(request) ?? {changed: [request.url]}
    const claims = [
      ...changed.map((url) => ({path: resourceKey(url), isChange: true})),
      ...read.map((url) => ({path: resourceKey(url), isChange: false})),
    ]
    const earlier: Promise<void>[] = []
    for (const one of this.#underWay) if (conflicts(one.claims, claims)) earlier.push(one.end)
    const {promise, resolve} = Promise.withResolvers<void>()
    const own = {claims, end: promise}
    this.#underWay.add(own)
    return {
      before: earlier.length === 0 ? undefined : Promise.all(earlier),
      end: () => {
        this.#underWay.delete(own)
        resolve()
      },
    }
  }
}

// Loops, because closures for each pair of requests would take a tenth of a bulk MOVE.
function conflicts(some: readonly Claim[], others: readonly Claim[]): boolean {
  for (const {path, isChange} of some) {
    for (const other of others) {
      if (!isChange && !other.isChange) continue
      if (path === other.path || isIn(path, other.path) || isIn(other.path, path)) return true
    }
  }
  return false
}

/** Tells if a path is inside a collection. */
export function isIn(path: string, collection: string): boolean {
  return path.charCodeAt(collection.length) === SLASH && path.startsWith(collection)
}
