/**
 * The interned path of open elements. A node knows what its start tag means, and its children by the raw text of theirs:
 * a tag that was seen before in the same place costs one look-up, no parsing of attributes and no prefixes.
 */

import type {Name} from './names.ts'
import type {Scope} from './scope.ts'
import type {Needle, Source} from './source.ts'
import {needle, standsAt} from './source.ts'
import {sameNameEnd} from './tag.ts'

// A path that is remembered is found again. Past these numbers paths are made anew each time, so that no server can
// make us remember without end; a real one stays far below.
const MOST_NODES = 4096
// A longer start tag is not remembered.
const LONGEST_TAG = 512

// More than servers name of one resource, but for dead properties. To compare them all takes less time than to cut out a tag.
const MOST_SEEN = 24
const LONGEST_SEEN = 64

const SLASH = 0x2f
const LESS = 0x3c
const NONE: readonly never[] = []
const NOTHING = /* @__PURE__ */ needle('')

/** What is done with the text of an element: nothing, it is the value, or it is the value unless there are child elements. */
export type Collects = 'nothing' | 'text' | 'markup'

/** An element in its place. */
export class PathNode<Known = unknown> {
  readonly parent: PathNode<Known> | undefined
  /** What stands between `<` and `>`. */
  readonly tag: string
  /** As it is written, with its prefix. */
  readonly rawName: string
  /** The namespaces inside the element. */
  readonly scope: Scope<Known>
  readonly selfClosing: boolean
  /** 0 for the document itself, 1 for its root. */
  readonly depth: number
  /** What the element is in the grammar of the reader. */
  role = 0
  /** What is done with its text. */
  collects: Collects = 'nothing'
  /** What the reader made of its structured values, by their markup. */
  values: Map<string, unknown> | undefined
  /** The start tag and, as nearly every server writes it, without white space, the end tag: once they were seen again. */
  startTag: Needle = NOTHING
  endTag: Needle | undefined
  /** The first of the children whose tags were seen again: few, to be compared one after the other. */
  seen: readonly PathNode<Known>[] = NONE
  /** The remembered child that came first, the last time. */
  first: PathNode<Known> | undefined
  /** The remembered sibling that came next, the last time. */
  next: PathNode<Known> | undefined
  #name: Name<Known> | undefined
  #children: Map<string, PathNode<Known>> | undefined
  readonly #remembered: {nodes: number}

  constructor(
    parent: PathNode<Known> | undefined,
    tag: string,
    element: {rawName: string; scope: Scope<Known>; selfClosing: boolean},
  ) {
    this.parent = parent
    this.tag = tag
    this.rawName = element.rawName
    this.scope = element.scope
    this.selfClosing = element.selfClosing
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#remembered = parent === undefined ? {nodes: 0} : parent.#remembered
  }

  /** The name, its prefix resolved. */
  get name(): Name<Known> {
    this.#name ??= this.scope.elementName(this.rawName)
    return this.#name
  }

  /** The child that this start tag opened here before. */
  child(tag: string): PathNode<Known> | undefined {
    return this.#children?.get(tag)
  }

  /** Where the end tag at `at` ends that belongs to the start tag at `lt`, -1 where no such one stands there. */
  leafEnd(source: Source, lt: number, at: number): number {
    const {endTag} = this
    if (endTag !== undefined) return standsAt(source, endTag, at) ? at + endTag.length : -1
    const {bytes} = source
    if (bytes[at] !== LESS || bytes[at + 1] !== SLASH) return -1
    return sameNameEnd(bytes, lt + 1, at + 2)
  }

  /** Whether a child with this start tag will be remembered. */
  remembers(tag: string): boolean {
    return tag.length <= LONGEST_TAG && this.#remembered.nodes < MOST_NODES
  }

  /** Remembers a child for its tag. */
  remember(child: PathNode<Known>): void {
    this.#remembered.nodes++
    this.#children ??= new Map()
    this.#children.set(child.tag, child)
  }

  /** The tags were seen again, and will be once more: from now on they are compared as bytes. */
  expect(): void {
    if (this.endTag !== undefined) return
    this.startTag = needle(`<${this.tag}>`)
    this.endTag = needle(`</${this.rawName}>`)
    const {parent} = this
    if (parent === undefined || this.tag.length > LONGEST_SEEN) return
    if (parent.seen.length < MOST_SEEN) parent.seen = [...parent.seen, this]
  }
}
