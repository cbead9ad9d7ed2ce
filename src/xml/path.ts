/**
 * The interned path of open elements. A node knows the meaning of its start tag, and its children by the raw text of their
 * start tags. A tag seen before in the same place costs one look-up: no parsing of attributes and no prefixes.
 */

import {
  COMPARED_CHILDREN,
  COMPARED_TAG_CHARACTERS,
  REMEMBERED_PATHS,
  REMEMBERED_TAG_CHARACTERS,
} from '../protocol/bounds.ts'
import {GREATER, LESS, SLASH} from '../protocol/characters.ts'
import {parseElement, type XmlElement} from './element.ts'
import type {Name, Scope} from './scope.ts'
import type {Needle, Source} from './source.ts'
import {needle, standsAt} from './source.ts'
import type {StartTag} from './tag.ts'

const NONE: readonly never[] = []
const NOTHING = /* @__PURE__ */ needle('')

/** The use of an element's text: none, it is the value, or it is the value unless there are child elements. */
export type Collects = 'nothing' | 'text' | 'markup'

/** An element in its place. */
export class PathNode<Known = unknown> {
  readonly parent: PathNode<Known> | undefined
  /** The text between `<` and `>`. */
  readonly tag: string
  /** As it is written, with its prefix. */
  readonly rawName: string
  /** The namespaces inside the element. */
  readonly scope: Scope<Known>
  readonly selfClosing: boolean
  /** 0 for the document itself, 1 for its root. */
  readonly depth: number
  /** The meaning of the element in the grammar of the reader; 0 for none. */
  role = 0
  collects: Collects = 'nothing'
  /** The start tag and, as nearly every server writes it, without white space, the end tag. Set when they were seen again. */
  startTag: Needle = NOTHING
  endTag: Needle | undefined
  /** The remembered child that came first, the last time. */
  first: PathNode<Known> | undefined
  /** The remembered sibling that came next, the last time. */
  next: PathNode<Known> | undefined
  // The first of the children whose tags were seen again: few, to be compared one after the other.
  #seen: readonly PathNode<Known>[] = NONE
  /** The structured value that came again here. */
  markup: Markup | undefined
  #name: Name<Known> | undefined
  #children: Map<string, PathNode<Known>> | undefined
  readonly #remembered: {nodes: number}

  constructor(
    parent: PathNode<Known> | undefined,
    tag: string,
    {name, selfClosing}: StartTag,
    scope: Scope<Known>,
  ) {
    this.parent = parent
    this.tag = tag
    this.rawName = name
    this.scope = scope
    this.selfClosing = selfClosing
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

  /** The child whose start tag stands at an index, if it was seen before. Most likely it is the one that came next then. */
  childAt(
    source: Source,
    lt: number,
    previous: PathNode<Known> | undefined,
  ): PathNode<Known> | undefined {
    const expected = previous === undefined ? this.first : previous.next
    if (expected !== undefined && standsAt(source, expected.startTag, lt)) return expected
    for (const child of this.#seen) {
      if (standsAt(source, child.startTag, lt)) return this.expect(child, previous)
    }
    return undefined
  }

  /** Expects a child behind another one, or as the first, the next time. */
  expect(child: PathNode<Known>, previous: PathNode<Known> | undefined): PathNode<Known> {
    if (previous === undefined) this.first = child
    else previous.next = child
    return child
  }

  /** The index behind the end tag at `at` that belongs to the start tag at `lt`; -1 for any other text there. */
  leafEnd(source: Source, lt: number, at: number): number {
    const {endTag, rawName} = this
    if (endTag !== undefined) return standsAt(source, endTag, at) ? at + endTag.length : -1
    const {bytes} = source
    if (bytes[at] !== LESS || bytes[at + 1] !== SLASH) return -1
    let length = 0
    while (length < rawName.length && bytes[at + 2 + length] === bytes[lt + 1 + length]) length++
    // A name beyond ASCII has more bytes than characters: no `>` stands in the midst of it.
    return length === rawName.length && bytes[at + 2 + length] === GREATER ? at + length + 3 : -1
  }

  /** Tells if a child with this start tag will be remembered. Bounded, so that no server fills the memory with tags. */
  remembers(tag: string): boolean {
    return tag.length <= REMEMBERED_TAG_CHARACTERS && this.#remembered.nodes < REMEMBERED_PATHS
  }

  /** Remembers a child for its tag. */
  remember(child: PathNode<Known>): void {
    this.#remembered.nodes++
    this.#children ??= new Map()
    this.#children.set(child.tag, child)
  }

  /** The tags were seen again, and will be once more: from now on they are compared as bytes. */
  compare(): void {
    if (this.endTag !== undefined) return
    this.startTag = needle(`<${this.tag}>`)
    this.endTag = needle(`</${this.rawName}>`)
    const {parent} = this
    if (parent === undefined || this.tag.length > COMPARED_TAG_CHARACTERS) return
    if (parent.#seen.length < COMPARED_CHILDREN) parent.#seen = [...parent.#seen, this]
  }
}

/** The content of an element with child elements, as it is written: parsed late, because many are equal to one before. */
export class Markup {
  readonly text: string
  /** Kept here by the reader. */
  value: unknown
  readonly #node: PathNode

  constructor(text: string, node: PathNode) {
    this.text = text
    this.#node = node
  }

  /** Parses the whole element. It is frozen, so that it can be shared. */
  parse(): XmlElement {
    const {tag, rawName, parent, scope} = this.#node
    return parseElement(`<${tag}>${this.text}</${rawName}>`, parent?.scope ?? scope)
  }
}
