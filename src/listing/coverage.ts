/**
 * Which collections of an answer showed no member. They may be empty, or the server has cut the answer there: programs
 * delete files over it, so each is asked. RFC 4918, section 9.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {isMissing} from '../multistatus/result.ts'
import {looksLikeCollection, kindOf} from '../multistatus/selection.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf} from '../protocol/href.ts'

// Where a larger answer comes back to a collection that is forgotten, that collection counts as one that was never named.
const MOST_SETTLED = 25_000

const CUT_AFTER = 100

/** A collection of which the answer may show more. */
interface Open {
  readonly path: string
  readonly url: string
  hasMember: boolean
}

/**
 * Looks at the results of one answer as they pass. Where what is in a collection follows it, as nearly all servers write it,
 * no more is held than the collections that showed no member, and those that the last result is in.
 */
export class Coverage {
  readonly #self: string
  readonly #isDeep: boolean
  // Each is in the one before it.
  readonly #open: Open[] = []
  // By path: the collections that showed no member so far.
  readonly #unlisted = new Map<string, string>()
  // What showed a member and was not seen itself so far; and of those that showed one and were, the last ones: other orders
  // may come back to them.
  readonly #early = new Set<string>()
  #settled = new Set<string>()
  #settledBefore = new Set<string>()
  #collections = 0
  #isAlone = true
  #mayHaveMembers = false

  /** `url` is the one that was listed. With Depth 1 what is deeper says nothing of its collection. */
  constructor(url: string, depth: Depth) {
    this.#self = canonicalPathOf(url)
    this.#isDeep = depth === 'infinity'
  }

  /** Looks at the results that are below the URL. */
  see(results: readonly DavResult<unknown>[]): void {
    for (const result of results) {
      const {ok, relation, url} = result
      if (relation === 'self' && ok) this.#mayHaveMembers = kindOf(result.properties) !== 'plain'
      else if (!isMissing(result)) this.#isAlone = false
      if (relation === 'member' && !this.#isDeep) {
        if (mayBeCollection(result)) this.#unlisted.set(canonicalPathOf(url), url)
      } else if (this.#isDeep && (relation === 'member' || relation === 'descendant')) {
        if (ok || !isMissing(result)) this.#see(result)
      }
    }
  }

  /** The URLs of the collections that showed no member, in their order. */
  unlisted(): string[] {
    this.#leave('')
    return [...this.#unlisted.values()]
  }

  /** Whether collections showed members and were never named themselves: then they may have others. */
  get isGappy(): boolean {
    return this.#early.size > 0
  }

  /**
   * Whether nothing but the resource itself was shown of all that is below it, as XRootD answers Depth infinity. It may be an
   * empty collection, or one that was not looked into.
   */
  get mayBeDepthZero(): boolean {
    return this.#isDeep && this.#mayHaveMembers && this.#isAlone
  }

  /** Whether it has as many collections as lighttpd lists before it leaves out the others; with the one that was listed. */
  get mayBeCut(): boolean {
    return this.#isDeep && this.#collections === CUT_AFTER - 1
  }

  #see(result: DavResult<unknown>): void {
    if (mayBeCollection(result)) this.#collections++
    const path = canonicalPathOf(result.url)
    this.#leave(path)
    const known = this.#open.at(-1)?.path === path ? this.#open.pop() : undefined
    this.#showMember(path.slice(0, path.lastIndexOf('/')))
    if (known === undefined && !mayBeCollection(result)) return
    if (this.#unlisted.has(path) || this.#isSettled(path)) return
    const hasMember = this.#early.delete(path) || known?.hasMember === true
    this.#open.push({path, url: result.url, hasMember})
  }

  /** A collection shows a member. The innermost open one is that collection, or it is around it. */
  #showMember(parent: string): void {
    const innermost = this.#open.at(-1)
    if (innermost !== undefined) innermost.hasMember = true
    if (parent === (innermost?.path ?? this.#self)) return
    const url = this.#unlisted.get(parent) ?? ''
    if (!this.#unlisted.delete(parent) && !this.#isSettled(parent)) this.#early.add(parent)
    this.#open.push({path: parent, url, hasMember: true})
  }

  /** Leaves the collections that a path is not in. */
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
    if (this.#settled.size < MOST_SETTLED) return
    this.#settledBefore = this.#settled
    this.#settled = new Set()
  }

  #isSettled(path: string): boolean {
    return this.#settled.has(path) || this.#settledBefore.has(path)
  }
}

/**
 * Whether a resource may be a collection. A slash at the end is enough, whatever its type: it costs a request to find out that
 * it is none.
 */
function mayBeCollection(result: DavResult<unknown>): boolean {
  return result.ok && (looksLikeCollection(result) || result.url.endsWith('/'))
}
