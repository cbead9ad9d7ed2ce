/**
 * Decides if an answer lists everything below a collection. In doubt it does not, because programs delete files on this word.
 * Knows no network. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {isBelow, kindOf, looksLikeCollection, typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {incompleteResult, noteIncomplete} from '../multistatus/summary.ts'
import type {Decoders} from '../properties/vocabulary.ts'
import {REMEMBERED_COLLECTIONS, REMEMBERED_DEEPER_RESULTS} from '../protocol/bounds.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf} from '../protocol/href.ts'

// lighttpd 1.4 lists this many collections and leaves out all others, without a word.
const LIGHTTPD_COLLECTIONS = 100

/** A collection whose members may still follow in the answer. */
interface Open {
  readonly path: string
  readonly url: string
  hasMember: boolean
}

/**
 * Finds collections listed without members: empty, or cut off. Nearly all servers write members behind their collection. Of such
 * an answer, this holds only the collections without members and the parents of the last result.
 */
export class Completeness {
  readonly #url: string
  readonly #self: string
  readonly #isDeep: boolean
  readonly #types: Types
  readonly #areOwnTypes: boolean
  readonly #incomplete: Incomplete[] = []
  // The last result's parents, from the outside in.
  readonly #open: Open[] = []
  // URLs of collections without members so far, by path.
  readonly #unlisted = new Map<string, string>()
  // Paths of collections with a member that were not named themselves so far.
  readonly #early = new Set<string>()
  // Paths of the last named collections with a member. Answers in another order may come back to them.
  #settled = new Set<string>()
  #settledBefore = new Set<string>()
  #collections = 0
  #isAlone = true
  #mayHaveMembers = false

  /**
   * @param url - The URL that answered.
   * @param depth - With Depth 1, deeper results prove nothing about their collections.
   * @param decoders - Decoders of the caller, which may change the `resourcetype`.
   * @param types - The types so far, shared by all listings of a call.
   */
  constructor(url: string, depth: Depth, decoders: Decoders, types: Types) {
    this.#url = url
    this.#self = canonicalPathOf(url)
    this.#isDeep = depth === 'infinity'
    this.#types = types
    this.#areOwnTypes = decoders['resourcetype'] === undefined
  }

  /** Adds results with relations to the URL. No listing before named the results in `fresh`. */
  add(batch: readonly DavResult<unknown>[], fresh: readonly DavResult<unknown>[]): void {
    for (const result of batch) this.#add(result)
    this.#types.add(batch, this.#areOwnTypes)
    for (const result of fresh) {
      // A failed member may be a collection, and then its members are missing.
      if (!result.ok && isBelow(result) && !isMissing(result))
        noteIncomplete(this.#incomplete, incompleteResult(result))
    }
  }

  /** Lists the URLs of collections without members, in their order. Each must be listed by itself. */
  unlisted(): readonly string[] {
    this.#leave('')
    return [...this.#unlisted.values()]
  }

  /**
   * True if an answer to Depth infinity named the resource alone. It is an empty collection, or the server took the Depth for 0,
   * as XRootD does.
   */
  get mayBeDepthZero(): boolean {
    return this.#isDeep && this.#mayHaveMembers && this.#isAlone
  }

  /** Lists the gaps, after the end of the answer. */
  incomplete(): readonly Incomplete[] {
    const mayBeCut = this.#isDeep && this.#collections === LIGHTTPD_COLLECTIONS - 1
    // Members without their collection: it may have others, and nothing will list it.
    const isUnsure = this.#types.takeUnsure() || this.#early.size > 0 || mayBeCut
    return isUnsure ? [...this.#incomplete, {href: this.#url, reason: 'shallow'}] : this.#incomplete
  }

  #add(result: DavResult<unknown>): void {
    const {ok, relation, url} = result
    if (relation === 'self' && ok) this.#mayHaveMembers = kindOf(result.properties) !== 'plain'
    else if (!isMissing(result)) this.#isAlone = false
    if (relation === 'member' && !this.#isDeep) {
      if (mayBeCollection(result)) this.#unlisted.set(canonicalPathOf(url), url)
    } else if (this.#isDeep && isBelow(result) && !isMissing(result)) this.#addBelow(result)
  }

  #addBelow(result: DavResult<unknown>): void {
    const isCollection = mayBeCollection(result)
    if (isCollection) this.#collections++
    const path = canonicalPathOf(result.url)
    this.#leave(path)
    const known = this.#open.at(-1)?.path === path ? this.#open.pop() : undefined
    this.#addMember(path.slice(0, path.lastIndexOf('/')))
    if (known === undefined && !isCollection) return
    if (this.#unlisted.has(path) || this.#isSettled(path)) return
    const hasMember = this.#early.delete(path) || known?.hasMember === true
    this.#open.push({path, url: result.url, hasMember})
  }

  /** Notes a member of a collection, which is the innermost open one or inside of it. */
  #addMember(parent: string): void {
    const innermost = this.#open.at(-1)
    if (innermost !== undefined) innermost.hasMember = true
    if (parent === (innermost?.path ?? this.#self)) return
    const url = this.#unlisted.get(parent) ?? ''
    if (!this.#unlisted.delete(parent) && !this.#isSettled(parent)) this.#early.add(parent)
    this.#open.push({path: parent, url, hasMember: true})
  }

  /** Closes the open collections that are not around a path. */
  #leave(path: string): void {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (path === last.path || path.startsWith(`${last.path}/`)) return
      this.#open.pop()
      if (!last.hasMember) this.#unlisted.set(last.path, last.url)
      else if (!this.#early.has(last.path)) this.#settle(last.path)
    }
  }

  #settle(path: string): void {
    this.#settled.add(path)
    if (this.#settled.size < REMEMBERED_COLLECTIONS) return
    this.#settledBefore = this.#settled
    this.#settled = new Set()
  }

  #isSettled(path: string): boolean {
    return this.#settled.has(path) || this.#settledBefore.has(path)
  }
}

/** Tells if a result may be a collection: a slash is enough, whatever the type. One request then finds out. */
function mayBeCollection(result: DavResult<unknown>): boolean {
  return result.ok && (looksLikeCollection(result) || result.url.endsWith('/'))
}

/**
 * Remembers results below the members in answers to Depth 1. Servers that ignore the Depth name them in each listing on the way
 * down, but they are reported once.
 */
export class DeeperResults {
  // Paths of reported results. Past the bound, results may be reported twice, and collections are not followed.
  readonly #given = new Set<string>()
  // URLs of collections among them, by path.
  readonly #collections = new Map<string, string>()
  #forgotten: string | undefined

  /** URLs of collections that no listing of their parent named. */
  get unlisted(): readonly string[] {
    const known = [...this.#collections.values()]
    return this.#forgotten === undefined ? known : [...known, this.#forgotten]
  }

  /** Leaves reported results out of an answer to Depth 1. */
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
      const isKept = this.#given.size < REMEMBERED_DEEPER_RESULTS
      if (isKept) this.#given.add(path)
      if (ok && looksLikeCollection(result)) {
        if (isKept) this.#collections.set(path, url)
        else this.#forgotten ??= url
      }
      return true
    })
  }
}

/** Finds resources that may be unnoticed collections: their type is absent or unreadable, and the server writes no slashes. */
export class Types {
  // XRootD writes a type for collections, and none for files. So a server that writes types tells files by their absence.
  #tellsCollections = false
  #writesSlashes = false
  #isUntold = false
  #isUnreadable = false

  /** Adds the results of an answer. A `resourcetype` by a decoder of the caller may mean anything. */
  add(batch: readonly DavResult<unknown>[], areOwn: boolean): void {
    for (const result of batch) {
      if (!result.ok) continue
      if (areOwn) this.#tellsCollections ||= kindOf(result.properties) === 'collection'
      if (!isBelow(result)) continue
      if (result.url.endsWith('/')) this.#writesSlashes = true
      else if (!looksLikeCollection(result)) this.#addType(result, areOwn)
    }
  }

  /** Tells if there were unsure resources since the last call. */
  takeUnsure(): boolean {
    const isTold = this.#writesSlashes || this.#tellsCollections
    const isUnsure = this.#isUnreadable || (this.#isUntold && !isTold)
    this.#isUntold = false
    this.#isUnreadable = false
    return isUnsure
  }

  #addType({properties, missing}: Success<unknown>, areOwn: boolean): void {
    if (areOwn && kindOf(properties) !== undefined) return
    if (areOwn && typesOf(properties) !== undefined) {
      this.#isUnreadable = true
      return
    }
    const failure = missing.find(({name}) => name === 'resourcetype')
    // After a 404 for its type, the resource has none: it is a file.
    if (failure === undefined) this.#isUntold = true
    else if (failure.status !== 404) this.#isUnreadable = true
  }
}
