/**
 * Checks the resources that an answer to PROPFIND names: is it a listing of the requested collection at all? Some servers answer
 * with a member, a parent, or members under another path. Knows no network. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {incompleteResult} from '../multistatus/summary.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'

/** The resources that an answer names. */
export class NamedResources {
  self = false
  readonly #url: string
  readonly #path: string
  readonly #selves: Success<unknown>[] = []
  #hasMembers = false
  // The resource is no collection by its type.
  #isPlain = false
  // Different results have the href of the resource: SabreDAV writes that for members whose names it cannot write.
  #isRepeated = false
  // The answer names parents of the resource. It may be the listing of one of them.
  #hasAround = false
  // The first resource that is neither at, below nor around the requested one. It may be a member by another name.
  #stray: DavResult<unknown> | undefined
  // The path of the single member at or above all results below the resource; empty for several members.
  #only: string | undefined

  /** @param url - The URL that answered. */
  constructor(url: string) {
    this.#url = url
    this.#path = canonicalPathOf(url)
  }

  /** Adds a result with its relation to the URL. */
  add(result: DavResult<unknown>): void {
    const {ok, href, url, relation} = result
    if (relation === 'self') {
      this.self = true
      if (result.ok && !this.#isRepeated) this.#addSelf(result)
    } else if (relation !== 'outside') {
      // A failed member may not exist, so it proves no listing.
      this.#hasMembers ||= ok
      if (!this.self && this.#only !== '') this.#addMember(url)
    } else if (relate(this.#path, canonicalPathOf(url)) !== 'outside') this.#hasAround ||= ok
    else if (href !== '') this.#stray ??= result
  }

  /** True if a Success names the resource itself. */
  get hasSelf(): boolean {
    return this.#selves.length > 0
  }

  /** Recognizes a listing of the resource itself: not of a member or a parent, and not with members that a proxy renamed. */
  hasListed(depth: Depth): boolean {
    if (this.self && !this.#hasMembers) return this.#stray === undefined && !this.#hasAround
    const isOfMember = depth === 1 && !this.self && this.#only !== ''
    return this.#hasMembers && !isOfMember
  }

  /** Lists the gaps of the listing, after the end of the answer. */
  incomplete({url, depth}: {readonly url: string; readonly depth: Depth}): readonly Incomplete[] {
    if (depth === 0) return []
    const incomplete: Incomplete[] = []
    // CivetWeb answers for a collection with an `index.html` as if the collection were that file.
    const isFile = this.#isPlain && !this.#hasMembers && url.endsWith('/')
    if (this.#isRepeated || isFile) incomplete.push({href: this.#url, reason: 'self'})
    if (this.#stray !== undefined && this.hasListed(depth))
      incomplete.push(incompleteResult(this.#stray))
    return incomplete
  }

  #addSelf(result: Success<unknown>): void {
    // SabreDAV writes a principal with a slash.
    this.#isPlain ||= typesOf(result.properties)?.length === 0
    // A server may name a resource with its slash and without. Then the properties are the same.
    this.#isRepeated = this.#selves.some(
      ({href, properties}) => href === result.href || !areAlike(properties, result.properties),
    )
    this.#selves.push(result)
  }

  #addMember(url: string): void {
    const path = canonicalPathOf(url)
    const end = path.indexOf('/', this.#path.length + 1)
    const member = end === -1 ? path : path.slice(0, end)
    this.#only = this.#only === undefined || this.#only === member ? member : ''
  }
}

/** Compares properties by their names and by their values as text. */
function areAlike(one: unknown, other: unknown): boolean {
  const [entries, others] = [one, other].map((properties) =>
    Object.entries(properties ?? {})
      .map(([name, value]) => `${name} ${String(value)}`)
      .toSorted(),
  )
  return JSON.stringify(entries) === JSON.stringify(others)
}
