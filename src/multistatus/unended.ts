/**
 * In recovery: which responses lost their end tag. A `DAV:response` that begins inside another one, or inside an unknown
 * element of the root, may be part of that, or be the next one because the end of what is around it is lost. The end of that
 * tells, with nothing open in it: what it holds is part of it. Until then neither is believed: what follows is recorded, and
 * read again where the end never comes.
 */

import type {PathNode} from '../xml/path.ts'
import {Role} from './grammar.ts'
import type {Place} from './place.ts'

const FEW = 1024

// How often all that is in doubt together may be doubted again, and how many responses more.
const MOST_AGAIN = 4
const FEW_AGAIN = 64

/** A response inside the one that is being read, or inside another one that is in doubt. */
interface Inner {
  readonly depth: number
  readonly position: number
  /** Where it begins, or the first one of those before it that are in doubt with it. */
  readonly first: number
}

/** Which responses are in doubt, by the bytes at which they begin. */
export class Unended {
  readonly #place: Place
  /** Each is inside the one before it. The last ones may have ended. */
  readonly #inner: Inner[] = []
  /** Those that are known to begin where the end of the one around them is lost. */
  readonly #next = new Set<number>()
  #many = FEW
  // The last one that was ever in doubt, and of those since nothing was: how many, and how often they were so again.
  #last = 0
  #doubted = 0
  #again = 0

  constructor(place: Place) {
    this.#place = place
  }

  /** The first response in doubt. */
  get first(): number | undefined {
    return this.#inner[0]?.first
  }

  /**
   * Whether the response that begins there is the next one, because the end of the one around it is lost; or may as well be,
   * because it was read so often that the work would not be in proportion to the length.
   */
  isNext(position: number): boolean {
    if (this.#next.has(position)) return true
    return position <= this.#last && this.#again > MOST_AGAIN * this.#doubted + FEW_AGAIN
  }

  /** A response begins inside another element than the root: it is in doubt. */
  enter(depth: number, position: number): void {
    this.#count(position)
    if (this.first === undefined) this.#place.recording().start()
    let first = position
    // What is as deep has ended, but not what is around it.
    while ((this.#inner.at(-1)?.depth ?? 0) >= depth) first = this.#inner.pop()?.first ?? first
    this.#inner.push({depth, position, first})
  }

  #count(position: number): void {
    if (position <= this.#last) {
      this.#again++
      return
    }
    if (this.first === undefined) {
      this.#doubted = 0
      this.#again = 0
    }
    this.#doubted++
    this.#last = position
  }

  /** An element at a depth has ended, and before it all in it: what began inside it was part of it. */
  leave(depth: number): void {
    if (this.first === undefined) return
    while ((this.#inner.at(-1)?.depth ?? 0) > depth) this.#inner.pop()
    if (this.first === undefined) this.#place.recording().stop()
  }

  /**
   * The end of the response that is being read, or of the element of the root, and those of the responses in doubt that are
   * open around the innermost element, are lost: because an end tag ends the first, at the depth `outermost`, or the root, or what is
   * around an open one, the element `ending`; or because a limit is broken. Where the reading must go on from: what is first in
   * doubt.
   */
  settle(
    outermost: number,
    innermost: PathNode,
    root: PathNode | undefined,
    ending?: PathNode,
  ): number | undefined {
    const {first} = this
    if (first === undefined) return undefined
    this.#forgetBefore(first)
    const open = this.#innermostOpen(innermost, root)
    if (ending === undefined) {
      // The innermost one may end yet.
      this.#note(({depth}) => open === 0 || depth <= open)
    } else if (ending.depth > outermost && open <= ending.depth) {
      // Should the one that ends here turn out not to be inside another one, what is in it is known.
      if (open === ending.depth) this.#note(({depth}) => depth > open)
      return undefined
    } else if (ending.depth > outermost && outermost > 1 && this.#isOneIn(ending)) {
      // It is more likely that this one lost its end than that all around it did. What is wrong is told of the outermost one.
      this.leave(ending.depth)
      return undefined
    } else {
      this.#note(({depth}) => depth > ending.depth)
    }
    this.#inner.length = 0
    return first
  }

  /** The end of what is around these is lost. */
  #note(isNext: (inner: Inner) => boolean): void {
    for (const inner of this.#inner) if (isNext(inner)) this.#next.add(inner.first)
  }

  /** Whether one alone is in doubt, and in what may hold it. */
  #isOneIn(ending: PathNode): boolean {
    const [inner] = this.#inner
    if (inner === undefined || this.#inner.length > 1 || inner.first < inner.position) return false
    return mayHoldResponse(ending)
  }

  /** The depth of the innermost response in doubt that is open, 0 where none is. */
  #innermostOpen(innermost: PathNode, root: PathNode | undefined): number {
    let index = this.#inner.length - 1
    for (let node: PathNode | undefined = innermost; node !== undefined; node = node.parent) {
      while ((this.#inner[index]?.depth ?? 0) > node.depth) index--
      if (this.#inner[index]?.depth === node.depth && isResponse(node, root)) return node.depth
    }
    return 0
  }

  /** What was passed is not asked for again. */
  #forgetBefore(position: number): void {
    if (this.#next.size < this.#many) return
    for (const next of this.#next) if (next < position) this.#next.delete(next)
    this.#many = FEW + 2 * this.#next.size
  }
}

/** Whether an element is a `DAV:response` where it stands, or would be one in the root: a lost end tag may hide that. */
export function isResponse(node: PathNode | undefined, root: PathNode | undefined): boolean {
  if (node === undefined || !node.rawName.endsWith('response')) return false
  if (node.name.text === 'response') return true
  const declares = node.scope !== node.parent?.scope
  return !declares && root?.scope.elementName(node.rawName).text === 'response'
}

// Any element may be a property or a condition, and stand in one, and in an element that nobody knows: section 17.
const HOLDS_ANYTHING: ReadonlySet<number> = new Set<number>([
  Role.prop,
  Role.property,
  Role.error,
  Role.condition,
  Role.propstatError,
  Role.propstatCondition,
  Role.skipped,
])

/** Whether an element may hold a `DAV:response` that is none of the root. A second start tag of the root does not. */
export function mayHoldResponse({role, name}: PathNode): boolean {
  return HOLDS_ANYTHING.has(role) && name.text !== 'multistatus'
}

/** Whether an element is in one, inside its response, that may hold it. */
export function mayBeThere(element: PathNode): boolean {
  let at = element.parent
  while (at !== undefined && at.role !== Role.response) {
    if (mayHoldResponse(at)) return true
    at = at.parent
  }
  return false
}
