/**
 * Whether a listing of everything below was whole, as far as one answer can tell. When in doubt it was not: programs delete
 * files over it. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {isCollection, typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'
import {Coverage, isGone} from './coverage.ts'

/** Looks at the results of one answer as they pass. */
export class Wholeness {
  readonly #url: string
  readonly #depth: Depth
  readonly #coverage: Coverage
  readonly #types: Types
  readonly #areOwnTypes: boolean
  readonly #incomplete: Incomplete[] = []

  /** `url` is the one that answered; `decoders` may make something else of a type. `types` is shared by all listings. */
  constructor(url: string, depth: Depth, decoders: Decoders, types: Types) {
    this.#url = url
    this.#depth = depth
    this.#coverage = new Coverage(url, depth)
    this.#types = types
    this.#areOwnTypes = decoders['resourcetype'] === undefined
  }

  /** Looks at results, which are related to the URL. */
  see(batch: readonly DavResult<unknown>[]): void {
    this.#coverage.see(batch)
    this.#types.see(batch, this.#areOwnTypes)
    for (const result of batch) {
      const incomplete = incompleteMember(result) ?? this.#stray(result)
      if (incomplete !== undefined) this.#incomplete.push(incomplete)
    }
  }

  /** The URLs of collections that must be listed by themselves. */
  unlisted(): readonly string[] {
    return this.#coverage.unlisted()
  }

  /** Why the listing is not whole, once the answer has ended. */
  incomplete(): readonly Incomplete[] {
    const {isGappy, mayBeCut} = this.#coverage
    const isUnsure = this.#types.takeUnsure() || isGappy || mayBeCut
    return isUnsure ? [...this.#incomplete, {href: this.#url, reason: 'shallow'}] : this.#incomplete
  }

  /**
   * Only what may stand in the answer is followed. A collection around it is no part of it; another one may be, by another
   * name, or deeper than was asked for.
   */
  #stray(result: DavResult<unknown>): Incomplete | undefined {
    const {ok, relation, url} = result
    const isStray = relation === 'outside' || (relation === 'descendant' && this.#depth === 1)
    if (!ok || !isStray || !isCollection(result)) return undefined
    const isAround = relate(canonicalPathOf(this.#url), canonicalPathOf(url)) !== 'outside'
    return isAround ? undefined : {href: url, reason: 'shallow'}
  }
}

/** What a failure of a member says of a listing of everything: it may be a collection, and then what is in it is missing. */
function incompleteMember(result: DavResult<unknown>): Incomplete | undefined {
  if (result.ok || isGone(result)) return undefined
  const {url, relation, status} = result
  if (relation !== 'member' && relation !== 'descendant') return undefined
  const reason = status === 507 ? 'storage' : 'failed'
  return status === 0 ? {href: url, reason} : {href: url, reason, status}
}

/**
 * Whether resources may be collections that nothing tells from files: no type is given, or one that we cannot read, and no
 * slash is written at all.
 */
export class Types {
  #writesSlashes = false
  #isUntold = false
  #isUnreadable = false

  /** Looks at the results of an answer. Types that are not our own may mean anything. */
  see(batch: readonly DavResult<unknown>[], areOwn: boolean): void {
    for (const result of batch) {
      if (!result.ok || (result.relation !== 'member' && result.relation !== 'descendant')) continue
      if (result.url.endsWith('/')) this.#writesSlashes = true
      else if (!isCollection(result)) this.#seeType(result, areOwn)
    }
  }

  /** Whether that is so of what was seen since the last time. */
  takeUnsure(): boolean {
    const isUnsure = this.#isUnreadable || (this.#isUntold && !this.#writesSlashes)
    this.#isUntold = false
    this.#isUnreadable = false
    return isUnsure
  }

  #seeType({properties, missing}: Success<unknown>, areOwn: boolean): void {
    if (areOwn && typesOf(properties) !== undefined) return
    const failure = missing.find(({name}) => name === 'resourcetype')
    // That there is none is said by 404: it is a file.
    if (failure === undefined) this.#isUntold = true
    else if (failure.status !== 404) this.#isUnreadable = true
  }
}
