/**
 * Which resources an answer to PROPFIND named, and what that says of it as a listing: whether it is the one of the collection
 * that was asked for. Knows no network. RFC 4918, section 9.1.
 */

import type {DavResult, Success} from '../multistatus/result.ts'
import {typesOf} from '../multistatus/selection.ts'
import type {Incomplete} from '../multistatus/summary.ts'
import type {Depth} from '../protocol/depth.ts'
import {canonicalPathOf, relate} from '../protocol/href.ts'

/** The resources that an answer named. */
export class NamedResources {
  self = false
  members = false
  /** The first resource that is neither at, below nor around the one that was asked for: a member by another name, perhaps. */
  stray: DavResult<unknown> | undefined
  /** Whether the resource is told to be no collection. */
  isPlain = false
  /** The path of the one member at or below which all of these are; empty where there are several. */
  #only: string | undefined
  /** Resources that the one that was asked for is in: then it may be the listing of one of these. */
  around = false
  others = false
  /** Whether results for the resource itself may be of several: SabreDAV writes its href for a member without a name. */
  isRepeated = false
  readonly #selves: Success<unknown>[] = []
  readonly #url: string

  /** `url` is the one that answered. */
  constructor(url: string) {
    this.#url = url
  }

  /** Looks at a result, which is related to the URL. */
  see(result: DavResult<unknown>): void {
    const {ok, href, url: other, relation} = result
    if (relation === 'self') {
      this.self = true
      if (!result.ok || this.isRepeated) return
      // SabreDAV writes a principal with a slash.
      this.isPlain ||= typesOf(result.properties)?.length === 0
      // With its slash and without, a resource has the same properties.
      this.isRepeated = this.#selves.some(
        (one) => one.href === href || !areAlike(one.properties, result.properties),
      )
      this.#selves.push(result)
    } else if (relation !== 'outside') {
      // A failure may be one of a name that nobody has.
      this.members ||= ok
      if (!this.self && this.#only !== '') this.#seeMember(other)
    } else if (isWithin(this.#url, other)) {
      this.around ||= ok
    } else if (href !== '') {
      this.others = true
      this.stray ??= result
    }
  }

  /** Whether the resource itself was named, and not as a failure. */
  get hasSelf(): boolean {
    return this.#selves.length > 0
  }

  /**
   * Whether that is a listing. It is none of a collection whose members a proxy renames, nor the listing of what is around it,
   * nor that of a member.
   */
  hasListed(depth: Depth): boolean {
    if (this.self && !this.members) return !this.others && !this.around
    const isOfMember = depth === 1 && !this.self && this.#only !== ''
    return this.members && !isOfMember
  }

  /** Why a listing of it is not whole, once the answer has ended. */
  incomplete({url, depth}: {readonly url: string; readonly depth: Depth}): readonly Incomplete[] {
    if (depth === 0) return []
    const incomplete: Incomplete[] = []
    // CivetWeb answers for a collection with an `index.html` as if it were that file.
    const isFile = this.isPlain && !this.members && url.endsWith('/')
    if (this.isRepeated || isFile) incomplete.push({href: this.#url, reason: 'self'})
    if (this.stray !== undefined && this.hasListed(depth)) incomplete.push(strayMember(this.stray))
    return incomplete
  }

  #seeMember(url: string): void {
    const base = canonicalPathOf(this.#url)
    const path = canonicalPathOf(url)
    const end = path.indexOf('/', base.length + 1)
    const member = end === -1 ? path : path.slice(0, end)
    this.#only = this.#only === undefined || this.#only === member ? member : ''
  }
}

/** Whether properties have the same names, and values that read alike. */
function areAlike(one: unknown, other: unknown): boolean {
  const entries = Object.entries(one ?? {}).map(([name, value]) => `${name} ${String(value)}`)
  const others = new Set(
    Object.entries(other ?? {}).map(([name, value]) => `${name} ${String(value)}`),
  )
  return entries.length === others.size && entries.every((entry) => others.has(entry))
}

/** A resource that may be a member, under a name by which it cannot be told. */
function strayMember(result: DavResult<unknown>): Incomplete {
  const {ok, url, status} = result
  if (ok) return {href: url, reason: 'shallow'}
  return {href: url, reason: status === 507 ? 'storage' : 'failed', status}
}

/** Whether a URL is in another one: a server may name what is around a collection. */
function isWithin(url: string, other: string): boolean {
  return relate(canonicalPathOf(url), canonicalPathOf(other)) !== 'outside'
}
