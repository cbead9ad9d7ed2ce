/**
 * In recovery: which responses lost their end tag. A `DAV:response` that begins inside another may be part of a value of
 * it, or be the next one because the end of the first is lost; the end of the root tells which. Until then neither is
 * believed: what follows is recorded, and read again where the second was the case.
 */

import type {PathNode} from '../xml/path.ts'
import {Role} from './grammar.ts'

// The depth of the response that is being read.
const OUTERMOST = 2

/** Where responses begin in a document, in bytes, and which of them have no end. */
export class Unended {
  /** Those that are known to have none. */
  #known: ReadonlySet<number> = new Set()
  /** Those inside the response that is being read, of which the last ones may be open. */
  readonly #inner: {readonly depth: number; readonly position: number}[] = []
  #first: number | undefined

  /** Whether the response that begins there is known to have no end. */
  has(position: number): boolean {
    return this.#known.has(position)
  }

  /** Whether a response began inside the one that is being read. */
  get isInDoubt(): boolean {
    return this.#first !== undefined
  }

  /** A response begins inside the one that is being read. */
  enter(depth: number, position: number): void {
    this.#first ??= position
    // What is as deep has ended.
    while ((this.#inner.at(-1)?.depth ?? 0) >= depth) this.#inner.pop()
    this.#inner.push({depth, position})
  }

  /** The response that is being read has ended: what began inside it was part of it. */
  clear(): void {
    this.#first = undefined
    this.#inner.length = 0
  }

  /**
   * The response that is being read, and those inside it that are open at some of the depths, have no end: because an end
   * tag ends the outer one or the root, or what is around an open one, at the depth `ending`; or because a limit is broken.
   * Where the reading must go on from: what began first inside it.
   */
  settle(outer: number, isOpen: (depth: number) => boolean, ending?: number): number | undefined {
    const first = this.#first
    if (first === undefined) return undefined
    const open = this.#inner.filter(({depth}) => isOpen(depth))
    // The innermost one may end yet, where the document goes on.
    if (ending === undefined) open.pop()
    else if (ending > OUTERMOST && open.every(({depth}) => depth <= ending)) return undefined
    this.#known = new Set([outer, ...open.map(({position}) => position)])
    this.clear()
    return first
  }
}

/** Whether an element is a `DAV:response` where it stands, or would be one in the root: a lost end tag may hide that. */
export function isResponse(node: PathNode | undefined, root: PathNode | undefined): boolean {
  if (node === undefined || !node.rawName.endsWith('response')) return false
  if (node.name.text === 'response') return true
  const declares = node.scope !== node.parent?.scope
  return !declares && root?.scope.elementName(node.rawName).text === 'response'
}

/** The element at a depth that is, or holds, another one. */
export function ancestorAt(node: PathNode, depth: number): PathNode | undefined {
  let at: PathNode | undefined = node
  while (at !== undefined && at.depth > depth) at = at.parent
  return at?.depth === depth ? at : undefined
}

/** Whether an element is, or is in, a property or a condition. */
export function mayHoldAnything(node: PathNode): boolean {
  for (let at: PathNode | undefined = node; at !== undefined; at = at.parent) {
    if (
      at.role === Role.property ||
      at.role === Role.condition ||
      at.role === Role.propstatCondition
    )
      return true
  }
  return false
}
