/**
 * Whether a listing of everything below was whole, as far as one answer can tell. When in doubt it was not: programs delete
 * files over it. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {looksLikeCollection, kindOf, typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {noteIncomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf} from '../protocol/href.ts'
import {Coverage} from './coverage.ts'

// Paths of a tree that a server gives at once though it was asked for one level.
const MOST_DEEPER = 25_000

/** Looks at the results of one answer as they pass. */
export class Completeness {
  readonly #url: string
  readonly #coverage: Coverage
  readonly #types: Types
  readonly #areOwnTypes: boolean
  readonly #incomplete: Incomplete[] = []

  /** `url` is the one that answered; `decoders` may make something else of a type. `types` is shared by all listings. */
  constructor(url: string, depth: Depth, decoders: Decoders, types: Types) {
    this.#url = url
    this.#coverage = new Coverage(url, depth)
    this.#types = types
    this.#areOwnTypes = decoders['resourcetype'] === undefined
  }

  /** Looks at results, which are related to the URL; `fresh` are those that no listing before has named. */
  see(batch: readonly DavResult<unknown>[], fresh: readonly DavResult<unknown>[]): void {
    this.#coverage.see(batch)
    this.#types.see(batch, this.#areOwnTypes)
    for (const result of fresh) {
      const incomplete = incompleteMember(result)
      if (incomplete !== undefined) noteIncomplete(this.#incomplete, incomplete)
    }
  }

  /** The URLs of collections that must be listed by themselves. */
  unlisted(): readonly string[] {
    return this.#coverage.unlisted()
  }

  /** Whether the server may have taken Depth infinity for 0. */
  get mayBeDepthZero(): boolean {
    return this.#coverage.mayBeDepthZero
  }

  /** Why the listing is not whole, once the answer has ended. */
  incomplete(): readonly Incomplete[] {
    const {isGappy, mayBeCut} = this.#coverage
    const isUnsure = this.#types.takeUnsure() || isGappy || mayBeCut
    return isUnsure ? [...this.#incomplete, {href: this.#url, reason: 'shallow'}] : this.#incomplete
  }
}

/** What a failure of a member says of a listing of everything: it may be a collection, and then what is in it is missing. */
function incompleteMember(result: DavResult<unknown>): Incomplete | undefined {
  if (result.ok || isMissing(result)) return undefined
  const {url, relation, status} = result
  if (relation !== 'member' && relation !== 'descendant') return undefined
  const reason = status === 507 ? 'storage' : 'failed'
  return status === 0 ? {href: url, reason} : {href: url, reason, status}
}

/**
 * What answers to Depth 1 named below the members. Servers that ignore the Depth name all of it, and again in the listings of
 * the collections in between: it is given out once.
 */
export class DeeperResults {
  // By path. Past the first ones, what comes again is given out again, and collections are not followed up.
  readonly #given = new Set<string>()
  /** The URLs of collections among them that no listing of what they are in has named so far. */
  readonly #collections = new Map<string, string>()
  #forgotten: string | undefined

  /** The URLs of collections that were named, and not in the listing of what they are in. */
  get unlisted(): readonly string[] {
    const known = [...this.#collections.values()]
    return this.#forgotten === undefined ? known : [...known, this.#forgotten]
  }

  /** What was not given out before, of an answer to Depth 1. */
  filter<P>(batch: readonly DavResult<P>[]): readonly DavResult<P>[] {
    return batch.filter((result) => {
      const {ok, relation, url} = result
      const isDeeper = relation === 'descendant'
      if (!isDeeper && (relation !== 'member' || this.#given.size === 0)) return true
      const path = canonicalPathOf(url)
      if (!isDeeper) {
        this.#collections.delete(path)
        return !this.#given.delete(path)
      }
      if (this.#given.has(path)) return false
      const isKept = this.#given.size < MOST_DEEPER
      if (isKept) this.#given.add(path)
      if (ok && looksLikeCollection(result)) {
        if (isKept) this.#collections.set(path, url)
        else this.#forgotten ??= url
      }
      return true
    })
  }
}

/**
 * Whether resources may be collections that nothing tells from files: no type is given, or one that we cannot read, and no
 * slash is written at all.
 */
export class Types {
  /** Whether collections are told: XRootD gives them a type, and files none. */
  #tellsCollections = false
  #writesSlashes = false
  #isUntold = false
  #isUnreadable = false

  /** Looks at the results of an answer. Types that are not our own may mean anything. */
  see(batch: readonly DavResult<unknown>[], areOwn: boolean): void {
    for (const result of batch) {
      if (result.ok && areOwn) this.#tellsCollections ||= kindOf(result.properties) === 'collection'
      if (!result.ok || (result.relation !== 'member' && result.relation !== 'descendant')) continue
      if (result.url.endsWith('/')) this.#writesSlashes = true
      else if (!looksLikeCollection(result)) this.#seeType(result, areOwn)
    }
  }

  /** Whether that is so of what was seen since the last time. */
  takeUnsure(): boolean {
    const isTold = this.#writesSlashes || this.#tellsCollections
    const isUnsure = this.#isUnreadable || (this.#isUntold && !isTold)
    this.#isUntold = false
    this.#isUnreadable = false
    return isUnsure
  }

  #seeType({properties, missing}: Success<unknown>, areOwn: boolean): void {
    if (areOwn && kindOf(properties) !== undefined) return
    if (areOwn && typesOf(properties) !== undefined) {
      this.#isUnreadable = true
      return
    }
    const failure = missing.find(({name}) => name === 'resourcetype')
    // That there is none is said by 404: it is a file.
    if (failure === undefined) this.#isUntold = true
    else if (failure.status !== 404) this.#isUnreadable = true
  }
}
