/**
 * Orders requests that touch the same resources. A request waits for earlier ones that change its resource, a collection around
 * it, or a member inside it. RFC 4918, sections 9.6.1, 9.8.3 and 9.9.2.
 */

import {Group} from '../protocol/group.ts'
import {ancestorsOf, resourceKey} from '../protocol/href.ts'
import {SLASH} from '../protocol/characters.ts'
import type {TargetRequest, Verb} from './verb.ts'

/** A resource in use by a request under way. */
interface Claim {
  readonly path: string
  readonly ancestors: readonly string[]
  readonly isChange: boolean
}

interface UnderWay {
  readonly claims: readonly Claim[]
  /** Made for the first request that waits. */
  end: PromiseWithResolvers<void> | undefined
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
  readonly #underWay = new Group<UnderWay>()
  // Counts of claims by path, and by the paths around them. Most requests have nothing in common, and are told apart by look-ups.
  readonly #ends = new Counts()
  readonly #around = new Counts()

  /** Adds a request. */
  take(verb: Verb, request: TargetRequest): Turn {
    const {changed, read = []} = verb.ends?.(request) ?? {changed: [request.url]}
    const claims = changed.map((url) => claim(url, true))
    for (const url of read) claims.push(claim(url, false))
    const earlier = claims.some((one) => this.#isKnown(one))
      ? this.#underWay.all().filter((one) => conflicts(one.claims, claims))
      : []
    const own: UnderWay = {claims, end: undefined}
    this.#underWay.add(own)
    this.#count(claims, 1)
    return {
      before: earlier.length === 0 ? undefined : Promise.all(earlier.map(endOf)),
      end: () => {
        this.#underWay.delete(own)
        this.#count(claims, -1)
        own.end?.resolve()
      },
    }
  }

  /** Tells if a claim is for a path, inside it or around it. */
  #isKnown({path, ancestors}: Claim): boolean {
    return (
      this.#ends.has(path) || this.#around.has(path) || ancestors.some((one) => this.#ends.has(one))
    )
  }

  #count(claims: readonly Claim[], by: 1 | -1): void {
    for (const {path, ancestors} of claims) {
      this.#ends.add(path, by)
      for (const one of ancestors) this.#around.add(one, by)
    }
  }
}

function claim(url: string, isChange: boolean): Claim {
  const path = resourceKey(url)
  return {path, ancestors: ancestorsOf(path), isChange}
}

function endOf(one: UnderWay): Promise<void> {
  return (one.end ??= Promise.withResolvers()).promise
}

/** Counts by path. */
class Counts {
  readonly #counts = new Map<string, number>()

  has(path: string): boolean {
    return this.#counts.has(path)
  }

  add(path: string, by: 1 | -1): void {
    const count = (this.#counts.get(path) ?? 0) + by
    if (count === 0) this.#counts.delete(path)
    else this.#counts.set(path, count)
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
