/**
 * Which collections of an answer showed no member. They may be empty, or the server has cut the answer there: programs
 * delete files over it, so each is asked. RFC 4918, section 9.1.
 */

import type {DavResult} from '../multistatus/result.ts'
import {isCollection} from '../multistatus/selection.ts'
import {canonicalPathOf} from '../protocol/href.ts'

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
  // Each is in the one before it.
  readonly #open: Open[] = []
  // By path: the collections that showed no member so far.
  readonly #unlisted = new Map<string, string>()
  // What showed a member and was not seen itself so far.
  readonly #early = new Set<string>()

  /** `url` is the one that was listed. */
  constructor(url: string) {
    this.#self = canonicalPathOf(url)
  }

  /** Looks at the results that are below the URL. */
  see(results: readonly DavResult<unknown>[]): void {
    for (const result of results) {
      if (result.relation === 'member' || result.relation === 'descendant') this.#see(result)
    }
  }

  /** The URLs of the collections that showed no member, in their order. */
  unlisted(): string[] {
    this.#leave('')
    return [...this.#unlisted.values()]
  }

  #see(result: DavResult<unknown>): void {
    const path = canonicalPathOf(result.url)
    this.#leave(path)
    const innermost = this.#open.at(-1)
    if (innermost?.path === path) return
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (innermost !== undefined) innermost.hasMember = true
    if (parent !== (innermost?.path ?? this.#self)) {
      if (!this.#unlisted.delete(parent)) this.#early.add(parent)
      this.#open.push({path: parent, url: '', hasMember: true})
    }
    if (!result.ok || !isCollection(result) || this.#unlisted.has(path)) return
    this.#open.push({path, url: result.url, hasMember: this.#early.delete(path)})
  }

  /** Leaves the collections that a path is not in. */
  #leave(path: string): void {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (path === last.path || path.startsWith(`${last.path}/`)) return
      this.#open.pop()
      if (!last.hasMember) this.#unlisted.set(last.path, last.url)
    }
  }
}
