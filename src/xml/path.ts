/**
 * The interned paths of elements. A node is an element at its place in the document, found by the raw text of its start tag.
 * The responses of a listing repeat the same tags. A tag that was seen there before costs one comparison: no attributes are
 * parsed, no prefixes resolved.
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

/** The value to collect from an element: none, its text, or its text unless it has child elements, and then its markup. */
export type Collects = 'nothing' | 'text' | 'markup'

/** An element at its place in the document. All elements with the same tags on their path share one node. */
export class PathNode<Known = unknown> {
  readonly parent: PathNode<Known> | undefined
  /** The text between `<` and `>`. */
  readonly tag: string
  /** The name as written, with its prefix. */
  readonly rawName: string
  /** The namespaces inside the element, its own declarations included. */
  readonly scope: Scope<Known>
  readonly selfClosing: boolean
  /** 0 for the document itself, 1 for its root. */
  readonly depth: number
  /** The meaning of the element to the reader; 0 for none. */
  role = 0
  collects: Collects = 'nothing'
  /**
   * The bytes of the start tag and of the end tag, to compare with. Nearly every server writes end tags without white space; any
   * other spelling takes the slow path. Set when the tag comes for the second time.
   */
  startTag: Needle = NOTHING
  endTag: Needle | undefined
  /** The child to expect first: it came first the last time. */
  first: PathNode<Known> | undefined
  /** The sibling to expect next: it came next the last time. */
  next: PathNode<Known> | undefined
  // Children whose tags came again, to be compared one after the other. Few, or that would take longer than a look-up.
  #seen: readonly PathNode<Known>[] = NONE
  /** The structured value that this element had more than once. */
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

  /** The name with its prefix resolved: late, because skipped elements need none. */
  get name(): Name<Known> {
    this.#name ??= this.scope.elementName(this.rawName)
    return this.#name
  }

  /** Looks up a remembered child by the text of its start tag. */
  child(tag: string): PathNode<Known> | undefined {
    return this.#children?.get(tag)
  }

  /** Finds the child whose start tag stands at a byte of the source. Tries the expected one first. */
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

  /** Expects a child behind `previous` from now on; as the first one without it. */
  expect(child: PathNode<Known>, previous: PathNode<Known> | undefined): PathNode<Known> {
    if (previous === undefined) this.first = child
    else previous.next = child
    return child
  }

  /** Returns the byte behind this element's end tag, if that stands at `at`; else -1. Its start tag stands at `lt`. */
  leafEnd(source: Source, lt: number, at: number): number {
    const {endTag, rawName} = this
    if (endTag !== undefined) return standsAt(source, endTag, at) ? at + endTag.length : -1
    const {bytes} = source
    if (bytes[at] !== LESS || bytes[at + 1] !== SLASH) return -1
    let length = 0
    while (length < rawName.length && bytes[at + 2 + length] === bytes[lt + 1 + length]) length++
    // A name beyond ASCII has more bytes than characters. Inside of it no `>` stands, so this gives -1: the slow path.
    return length === rawName.length && bytes[at + 2 + length] === GREATER ? at + length + 3 : -1
  }

  /** Tells if there is room to remember a child. Bounded, so that no server fills the memory with tags. */
  remembers(tag: string): boolean {
    return tag.length <= REMEMBERED_TAG_CHARACTERS && this.#remembered.nodes < REMEMBERED_PATHS
  }

  /** Remembers a child by its start tag. */
  remember(child: PathNode<Known>): void {
    this.#remembered.nodes++
    this.#children ??= new Map()
    this.#children.set(child.tag, child)
  }

  /** Compares the tags as bytes from now on. Worth it from the second time on: a tag that came twice will come again. */
  compare(): void {
    if (this.endTag !== undefined) return
    this.startTag = needle(`<${this.tag}>`)
    this.endTag = needle(`</${this.rawName}>`)
    const {parent} = this
    if (parent === undefined || this.tag.length > COMPARED_TAG_CHARACTERS) return
    if (parent.#seen.length < COMPARED_CHILDREN) parent.#seen = [...parent.#seen, this]
  }
}

/** The content of an element with child elements, as written. Parsed late, because many are equal to one parsed before. */
export class Markup {
  readonly text: string
  /** The decoded value, which the reader keeps here. */
  value: unknown
  readonly #node: PathNode

  constructor(text: string, node: PathNode) {
    this.text = text
    this.#node = node
  }

  /** Parses the whole element. The result is frozen, because results share it. */
  parse(): XmlElement {
    const {tag, rawName, parent, scope} = this.#node
    return parseElement(`<${tag}>${this.text}</${rawName}>`, parent?.scope ?? scope)
  }
}
