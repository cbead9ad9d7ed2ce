/**
 * The interned paths of elements. A node is an element at its place in the document, found by the raw text of its start tag.
 * The responses of a listing repeat the same tags. A tag that was seen there before costs one comparison: no attributes are
 * parsed, no prefixes resolved.
 */

import {
  COMPARED_CHILDREN,
  COMPARED_TAG_CHARACTERS,
  MAX_UNSEEN,
  REMEMBERED_PATHS,
  REMEMBERED_TAG_CHARACTERS,
  SEEN_WORTH,
} from '../protocol/bounds.ts'
import {GREATER, LESS, SLASH} from '../protocol/characters.ts'
import {ownCopy} from './characters.ts'
import type {XmlElement} from './element.ts'
import type {Layout} from './layout.ts'
import type {Name, Scope} from './scope.ts'
import {isDeclaration} from './scope.ts'
import {NOTHING, Source, standsAt} from './source.ts'
import type {StartTag} from './tag.ts'

const NONE: readonly never[] = []

/**
 * The value to collect from an element: none; its text; its text unless it has child elements, and then the element as a whole.
 * A `part` stands inside such an element.
 */
export type Collects = 'nothing' | 'text' | 'element' | 'part'

/** The value of an element with child elements. The next element with the same markup has the same object as its value. */
export interface Structured {
  /** Frozen, because results share it. */
  readonly element: XmlElement
  /** The decoded value, which the reader keeps here. */
  value: unknown
  /** The markup of the content with the end tag, if it is remembered. */
  markup: Source | undefined
}

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
  /** True for an element that comes again and again in one parent. */
  repeats = false
  /** True for an element with a text of its own in each such element. */
  varies = false
  /** The layouts that the element had, the frequent ones first. */
  layouts: Layout[] | undefined
  /**
   * The bytes of the start tag and of the end tag, to compare with. Nearly every server writes end tags without white space; any
   * other spelling takes the slow path. Set when the tag comes for the second time.
   */
  startTag: Source = NOTHING
  endTag: Source | undefined
  /** The child to expect first: it came first the last time. */
  first: PathNode<Known> | undefined
  /** The sibling to expect next: it came next the last time. */
  next: PathNode<Known> | undefined
  // Children whose tags came again, to be compared one after the other. Few, or that would take longer than a look-up.
  #seen: readonly PathNode<Known>[] = NONE
  // Children that were none of these, less those that were. With many dead properties, comparing costs more than it saves.
  #unseen = 0
  /** The structured value that this element had last. */
  last: Structured | undefined
  /** The number of values since then that were not the same as the one before. */
  misses = 0
  readonly #written: ReadonlyMap<string, string>
  #attributes: Readonly<Record<string, string>> | undefined
  #name: Name<Known> | undefined
  #children: Map<string, PathNode<Known>> | undefined
  readonly #remembered: {nodes: number}

  constructor(
    parent: PathNode<Known> | undefined,
    tag: string,
    {name, attributes, selfClosing}: StartTag,
    scope: Scope<Known>,
  ) {
    this.parent = parent
    this.tag = tag
    this.rawName = name
    this.scope = scope
    this.selfClosing = selfClosing
    this.#written = attributes
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#remembered = parent === undefined ? {nodes: 0} : parent.#remembered
  }

  /** The name with its prefix resolved: late, because skipped elements need none. */
  get name(): Name<Known> {
    this.#name ??= this.scope.elementName(this.rawName)
    return this.#name
  }

  /** Makes the element as a value. */
  element(children: readonly (XmlElement | string)[]): XmlElement {
    this.#attributes ??= named(this.#written, this.scope)
    return Object.freeze({
      name: this.name.text,
      attributes: this.#attributes,
      // A copy has room for its items only. V8 grows an array that is pushed to, to 17 at once.
      children: Object.freeze(children.slice()),
    })
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
    const seen = this.#seen
    for (const child of seen) {
      if (!standsAt(source, child.startTag, lt)) continue
      this.#unseen = Math.max(0, this.#unseen - SEEN_WORTH)
      return this.expect(child, previous)
    }
    if (seen.length > 0 && ++this.#unseen > MAX_UNSEEN) this.#seen = NONE
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

  /** True if no paths of the document can be remembered any more. */
  get isFull(): boolean {
    return this.#remembered.nodes >= REMEMBERED_PATHS
  }

  /** Tells if there is room to remember a child. Bounded, so that no server fills the memory with tags. */
  remembers(tag: string): boolean {
    return tag.length <= REMEMBERED_TAG_CHARACTERS && !this.isFull
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
    this.startTag = new Source(`<${this.tag}>`)
    this.endTag = new Source(`</${this.rawName}>`)
    const {parent} = this
    if (parent === undefined || this.tag.length > COMPARED_TAG_CHARACTERS) return
    const hasRoom = parent.#seen.length < COMPARED_CHILDREN && parent.#unseen <= MAX_UNSEEN
    if (hasRoom) parent.#seen = [...parent.#seen, this]
  }
}

/** Resolves the names of attributes, and leaves out declarations of namespaces. */
function named(
  attributes: ReadonlyMap<string, string>,
  scope: Scope,
): Readonly<Record<string, string>> {
  const entries = [...attributes]
    .filter(([name]) => !isDeclaration(name))
    .map(([name, value]) => [ownCopy(scope.attributeName(name)), ownCopy(value)])
  // `fromEntries` defines properties. An assignment to `__proto__` would set the prototype instead.
  return Object.freeze(Object.fromEntries(entries))
}
