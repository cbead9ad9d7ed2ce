/**
 * The resources that an answer to PROPFIND named. They show if it is the listing of the collection that was asked for. Knows
 * no network. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import {incompleteResult} from '../multistatus/summary.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'

/** The resources that an answer named. */
export class NamedResources {
  self = false
  readonly #url: string
  readonly #path: string
  readonly #selves: Success<unknown>[] = []
  #hasMembers = false
  // The type says that the resource is no collection.
  #isPlain = false
  // Results for the resource itself may be of several: SabreDAV writes its href for a member without a name.
  #isRepeated = false
  // Resources around the one that was asked for: the answer may be the listing of one of these.
  #hasAround = false
  // The first resource that is not at, below or around that one: a member by another name, perhaps.
  #stray: DavResult<unknown> | undefined
  // The path of the one member that all these are at or below; empty for several.
  #only: string | undefined

  /** `url` is the one that answered. */
  constructor(url: string) {
    this.#url = url
    this.#path = canonicalPathOf(url)
  }

  /** Adds a result, which is related to the URL. */
  add(result: DavResult<unknown>): void {
    const {ok, href, url, relation} = result
    if (relation === 'self') {
      this.self = true
      if (result.ok && !this.#isRepeated) this.#addSelf(result)
    } else if (relation !== 'outside') {
      // A failure may be that of a name without a resource.
      this.#hasMembers ||= ok
      if (!this.self && this.#only !== '') this.#addMember(url)
    } else if (relate(this.#path, canonicalPathOf(url)) !== 'outside') this.#hasAround ||= ok
    else if (href !== '') this.#stray ??= result
  }

  /** Tells if the resource itself was named, and not as a failure. */
  get hasSelf(): boolean {
    return this.#selves.length > 0
  }

  /** Tells a listing of it from that of a member, of a collection around it, or of one whose members a proxy renames. */
  hasListed(depth: Depth): boolean {
    if (this.self && !this.#hasMembers) return this.#stray === undefined && !this.#hasAround
    const isOfMember = depth === 1 && !this.self && this.#only !== ''
    return this.#hasMembers && !isOfMember
  }

  /** The gaps in a listing of it, once the answer has ended. */
  incomplete({url, depth}: {readonly url: string; readonly depth: Depth}): readonly Incomplete[] {
    if (depth === 0) return []
    const incomplete: Incomplete[] = []
    // CivetWeb answers for a collection with an `index.html` as if it were that file.
    const isFile = this.#isPlain && !this.#hasMembers && url.endsWith('/')
    if (this.#isRepeated || isFile) incomplete.push({href: this.#url, reason: 'self'})
    if (this.#stray !== undefined && this.hasListed(depth))
      incomplete.push(incompleteResult(this.#stray))
    return incomplete
  }

  #addSelf(result: Success<unknown>): void {
    // SabreDAV writes a principal with a slash.
    this.#isPlain ||= typesOf(result.properties)?.length === 0
    // With its slash and without, a resource has the same properties.
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
