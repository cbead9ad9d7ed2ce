/**
 * The elements that are open, as one interned path: what a start tag means in its place, what an end tag ends, and the
 * value that is collected between the two.
 */

import {ownCopy} from './characters.ts'
import type {ScannerHandler, ScannerLimits} from './handler.ts'
import {PathNode} from './path.ts'
import type {Repeated} from './repeated.ts'
import {RepeatedValues} from './repeated.ts'
import {Scope} from './scope.ts'
import type {Source} from './source.ts'
import {standsAt} from './source.ts'
import {parseStartTag, TagFault} from './tag.ts'
import {ValueCollector} from './value.ts'

/** Opens and closes elements, and tells the handler of those that mean something. */
export class OpenElements<Known> {
  /** The innermost open element; the document where none is open. */
  node: PathNode<Known>
  /** The child of `node` that was closed last. */
  previous: PathNode<Known> | undefined
  /** The root element, once there was one. */
  root: PathNode<Known> | undefined
  readonly document: PathNode<Known>
  readonly value: ValueCollector
  readonly #handler: ScannerHandler<Known>
  readonly #limits: ScannerLimits
  readonly #recovers: boolean
  readonly #repeated = new RepeatedValues()
  #isReopened = false

  constructor(handler: ScannerHandler<Known>, limits: ScannerLimits, recovers: boolean) {
    this.#handler = handler
    this.#limits = limits
    this.#recovers = recovers
    this.value = new ValueCollector(limits)
    // The document's own end tag holds a character that no document can.
    const element = {rawName: '\0', scope: Scope.root<Known>(), selfClosing: false}
    this.document = new PathNode(undefined, '', element)
    // Outside the root there may be no text at all, so each run of it is looked at.
    this.document.collects = 'text'
    this.node = this.document
  }

  /** Whether there is, or was, a root element. */
  get hasRoot(): boolean {
    return this.root !== undefined
  }

  /** Whether the root has ended. In recovery it may have gone on behind its end. */
  get isDone(): boolean {
    return (
      this.root !== undefined &&
      (this.node === this.document || (this.#isReopened && this.node === this.root))
    )
  }

  /** Whether text that stands here is part of a value. */
  get wantsText(): boolean {
    return (
      this.node.collects !== 'nothing' && !this.value.isStructured && this.node !== this.document
    )
  }

  /** The child whose start tag stands at an index, where it was seen before: most likely it is the one that came next then. */
  seenAt(source: Source, lt: number): PathNode<Known> | undefined {
    const {node, previous} = this
    const expected = previous === undefined ? node.first : previous.next
    if (expected !== undefined && standsAt(source, expected.startTag, lt)) return expected
    for (const child of node.seen) {
      if (standsAt(source, child.startTag, lt)) return this.#expect(child)
    }
    return undefined
  }

  /** The child of the innermost element that this start tag opened before. */
  known(tag: string): PathNode<Known> | undefined {
    const child = this.node.child(tag)
    if (child === undefined) return undefined
    child.expect()
    return this.#expect(child)
  }

  /** It is expected here the next time. */
  #expect(child: PathNode<Known>): PathNode<Known> {
    if (this.previous === undefined) this.node.first = child
    else this.previous.next = child
    return child
  }

  /** The child of an element that a start tag opens, or what is wrong with the tag. */
  childOf(parent: PathNode<Known>, tag: string): PathNode<Known> | TagFault {
    const known = parent.child(tag)
    if (known !== undefined) return known
    // A document has one root, so the second one must not be found as one that is known.
    const isRemembered = parent !== this.document && parent.remembers(tag)
    const own = isRemembered ? ownCopy(tag) : tag
    const parsed = parseStartTag(own, this.#limits)
    if (parsed instanceof TagFault) return parsed
    const {name, attributes, selfClosing} = parsed
    const scope = parent.scope.declare(attributes)
    const element = {rawName: name, scope, selfClosing}
    const child = new PathNode(parent, own, element)
    const {depth} = this.#limits
    if (child.depth > depth)
      return new TagFault(`elements are nested more than ${depth} deep`, 0, 'depth')
    this.#handler.classify(child)
    if (parent === this.document) this.root = child
    if (isRemembered) parent.remember(child)
    return child
  }

  /** Opens a child of the innermost element, whose start tag stands at `lt`. */
  open(child: PathNode<Known>, source: Source, lt: number): void {
    this.value.check(source, lt)
    const next = this.#recovers ? this.#nextInRoot(child) : undefined
    if (next === undefined) return this.#enter(child, lt)
    while (this.node.depth >= next.depth) this.close(source, lt)
    this.#handler.fault('end tags are missing')
    return this.#enter(next, lt)
  }

  /** In recovery: the child of the root that begins here, although others inside the root have not ended. */
  #nextInRoot(child: PathNode<Known>): PathNode<Known> | undefined {
    if (this.root === undefined || !this.#handler.mayBeNext(child)) return undefined
    // In the namespaces of the root: the ones declared since may have ended too.
    const next = this.childOf(this.root, child.tag)
    return next instanceof TagFault || next.role === 0 ? undefined : next
  }

  #enter(child: PathNode<Known>, lt: number): void {
    if (this.node.collects === 'markup' && !this.value.isStructured) this.value.beginMarkup(lt)
    if (this.value.isStructured) this.value.countElement()
    if (child.collects !== 'nothing') this.value.begin()
    if (child.role !== 0) this.#handler.open(child)
    if (!child.selfClosing) {
      this.node = child
      this.previous = undefined
      return undefined
    }
    this.previous = child
    return child.role === 0 ? undefined : this.#handler.close(child, '', false)
  }

  /** In recovery: goes on inside the root, which had ended. */
  reopen(root: PathNode<Known>): void {
    this.#isReopened = true
    this.node = root
    this.previous = undefined
  }

  /** Closes the innermost element, at `lt`: there its end tag stands, or in recovery the tag that shows that it is lost. */
  close(source: Source, lt: number): void {
    const node = this.node
    this.value.check(source, lt)
    this.node = node.parent ?? this.document
    this.previous = node
    if (node.role === 0) return undefined
    if (node.collects === 'nothing') return this.#handler.close(node, '', false)
    const isStructured = this.value.isStructured
    const value = this.value.end(source, lt)
    this.value.isStructured = false
    // In recovery a value may have faults, which a comparison would not find again.
    if (isStructured && !this.#recovers) this.#repeated.keep(value, node)
    return this.#handler.close(node, value, isStructured)
  }

  /** Opens a child of the innermost element and closes it, with this text in it. */
  take(child: PathNode<Known>, value: string): void {
    this.previous = child
    this.#handler.open(child)
    this.#handler.close(child, value, false)
  }

  /** The whole value of the innermost element, where it stands at an index and is known. */
  repeatedAt(source: Source, at: number): Repeated | undefined {
    return this.#repeated.at(source, at, this.node)
  }

  /** Closes the innermost element with a value that is known. */
  closeRepeated({value}: Repeated): void {
    const node = this.node
    this.node = node.parent ?? this.document
    this.previous = node
    this.#handler.close(node, value, true)
  }

  /** The innermost open element with this name. */
  find(rawName: string): PathNode<Known> | undefined {
    let match: PathNode<Known> | undefined = this.node
    while (match !== undefined && match.rawName !== rawName) match = match.parent
    // The document has no name, and no end tag.
    return match === this.document ? undefined : match
  }
}
