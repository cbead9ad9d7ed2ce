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
    const earlier = Array.from(this.#underWay).filter((one) => conflicts(one.claims, claims))
    const {promise, resolve} = Promise.withResolvers<void>()
    const own = {claims, end: promise}
    this.#underWay.add(own)
    return {
      before: earlier.length === 0 ? undefined : Promise.all(earlier.map(({end}) => end)),
      end: () => {
        this.#underWay.delete(own)
        resolve()
      },
    }
  }
}

function conflicts(some: readonly Claim[], others: readonly Claim[]): boolean {
  return some.some((one) =>
    others.some(
      (other) =>
        (one.isChange || other.isChange) &&
        (one.path === other.path || isIn(one.path, other.path) || isIn(other.path, one.path)),
    ),
  )
}

/** Tells if a path is inside a collection. */
export function isIn(path: string, collection: string): boolean {
  return path.charCodeAt(collection.length) === SLASH && path.startsWith(collection)
}
