/**
 * Reads markup as it arrives, split anywhere: tags, text, and by `Sections` all else. Strict about well-formedness,
 * refuses every DOCTYPE, holds back one tag and one value at most. Knows no WebDAV.
 * XML 1.0 (fifth edition); Namespaces in XML 1.0.
 */

import {type MultiStatusErrorReason as Reason, visible} from '../protocol/errors.ts'
import {trimSpaceEnd} from './characters.ts'
import {Cursor} from './cursor.ts'
import type {ScannerHandler, ScannerLimits} from './handler.ts'
import {ScanError} from './handler.ts'
import {OpenElements} from './open-elements.ts'
import type {PathNode} from './path.ts'
import {Sections} from './sections.ts'
import {Source, standsAt} from './source.ts'
import {PLAIN, TextRuns} from './text-runs.ts'
import {findEndTagEnd, findTagEnd, readTagName, TagFault} from './tag.ts'

const EXCLAMATION = 0x21
const SLASH = 0x2f
const LESS = 0x3c
const GREATER = 0x3e
const QUESTION = 0x3f
// As long in each encoding as what it stands for.
const NO_CHARACTER = '\0'

/** A push scanner: `feed` it a document, and it calls its handler. */
export class Scanner<Known> {
  readonly #handler: ScannerHandler<Known>
  readonly #limits: ScannerLimits
  readonly #cursor: Cursor
  readonly #elements: OpenElements<Known>
  readonly #runs: TextRuns<Known>
  readonly #sections: Sections<Known>

  constructor(handler: ScannerHandler<Known>, limits: ScannerLimits, recovers: boolean) {
    this.#handler = handler
    this.#limits = limits
    this.#cursor = new Cursor(recovers, limits.tag, (message) => handler.fault(message))
    this.#elements = new OpenElements(handler, limits, recovers)
    this.#runs = new TextRuns(this.#cursor, this.#elements)
    this.#sections = new Sections(this.#cursor, this.#elements, this.#runs)
  }

  /** How many bytes stand before the markup that is being read, as UTF-8. */
  get position(): number {
    return this.#cursor.consumed + this.#cursor.at
  }

  /** Whether the root has ended. */
  get isDone(): boolean {
    return this.#elements.isDone
  }

  /** What was fed last, from a text on that is part of it: from the markup that is being read. */
  fedFrom(rest: string = this.#cursor.rest): string {
    return rest + this.#cursor.unread.text
  }

  /** Reads on. Throws {@link ScanError}; after that the scanner is done for. */
  feed(chunk: Source): void {
    for (let next = chunk; next.length > 0; next = this.#cursor.unread) {
      if (!this.#cursor.feed(next, next !== chunk)) return
      this.#read()
      this.#cursor.finish()
    }
  }

  /**
   * Reports a fault that the reader of the bytes found: it comes next. In recovery a forbidden character takes its place,
   * so that it is found inside of a tag too.
   */
  fault(message: string, reason: Reason): void {
    if (!this.#cursor.recovers) throw new ScanError(message, reason, NO_CHARACTER)
    this.feed(new Source(NO_CHARACTER))
  }

  /** Says that there is no more. Throws {@link ScanError} where the document is not complete. */
  end(): void {
    const {held, inside, consumed} = this.#cursor
    if (this.#elements.isDone && inside === 'content') {
      if (held.length === 0) return
      if (!held.text.startsWith('<')) {
        const rest = held.release(new Source(''))
        this.#cursor.source = rest
        this.#runs.read(0, rest.bytes.length, false)
        return
      }
    }
    if (consumed === 0 && held.length === 0)
      throw new ScanError('the body is empty', 'truncated', '')
    const {node, document} = this.#elements
    const where = node === document ? '' : ` inside <${visible(node.rawName, 100)}>`
    throw new ScanError(`the body ends early${where}`, 'truncated', '')
  }

  /** Reads the source at hand. */
  #read(): void {
    const cursor = this.#cursor
    for (let at = 0; at < cursor.source.bytes.length;) {
      if (cursor.inside === 'content') at = this.#content(at)
      else at = this.#sections[cursor.inside](at)
    }
    cursor.at = cursor.source.bytes.length - cursor.held.length
    this.#elements.value.cut(cursor.source, cursor.at)
    this.#handler.fed()
  }

  #content(from: number): number {
    const {source} = this.#cursor
    const {bytes, length} = source
    const elements = this.#elements
    let at = from
    for (;;) {
      const begin = at
      while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
      if (at === length || bytes[at] !== LESS) at = this.#runs.readOdd(begin)
      else if (at > begin && elements.node.collects !== 'nothing') this.#runs.read(begin, at, true)
      if (at === length) return at

      const lt = at
      const second = lt + 1 === length ? 0 : bytes[lt + 1]
      if (second === SLASH) {
        const {endTag} = elements.node
        if (endTag !== undefined && standsAt(source, endTag, lt)) {
          this.#cursor.at = lt
          elements.close(source, lt)
          at = lt + endTag.length
        } else {
          at = this.#endTag(lt)
        }
      } else if (second === EXCLAMATION) {
        return this.#sections.declaration(lt)
      } else if (second === QUESTION) {
        at = this.#sections.instruction(lt)
      } else {
        const child = elements.seenAt(source, lt)
        at =
          child === undefined
            ? this.#startTag(lt)
            : this.#open(child, lt, lt + child.startTag.length)
      }
    }
  }

  /** Opens an element, whose start tag stands at `lt` and ends before `end`. Returns the index behind what it has read. */
  #open(child: PathNode<Known>, lt: number, end: number): number {
    const behind = this.#leaf(child, lt, end)
    if (behind !== -1) return behind
    this.#cursor.at = lt
    this.#elements.open(child, this.#cursor.source, lt)
    return child.collects === 'markup' && !child.selfClosing ? this.#repeated(end) : end
  }

  /**
   * Takes an element at once that has a value and nothing in it but plain text, as most have. Returns the index behind it, -1 for
   * any other one.
   */
  #leaf(child: PathNode<Known>, lt: number, from: number): number {
    if (child.collects === 'nothing' || child.selfClosing || this.#cursor.recovers) return -1
    const {source} = this.#cursor
    const {bytes, length} = source
    let at = from
    while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
    const end = child.leafEnd(source, lt, at)
    if (end === -1 || at - from > this.#limits.value) return -1
    this.#cursor.at = at
    this.#elements.take(child, source.slice(from, at))
    return end
  }

  /** Takes a value that is known at once. Returns the index behind it. */
  #repeated(from: number): number {
    const repeated = this.#elements.repeatedAt(this.#cursor.source, from)
    if (repeated === undefined) return from
    this.#cursor.at = repeated.endTag
    this.#elements.closeRepeated(repeated)
    return repeated.end
  }

  #startTag(lt: number): number {
    const cursor = this.#cursor
    const elements = this.#elements
    const {bytes} = cursor.source
    const {end, quote} = findTagEnd(bytes, lt + 1, 0)
    if (end === -1) {
      return cursor.hold(lt, lt + 1 === bytes.length ? 'few characters' : 'start tag', quote)
    }
    const tag = cursor.source.slice(lt + 1, end)
    const isClosed = bytes[end] === GREATER
    const known = isClosed ? elements.known(tag) : undefined
    if (known !== undefined) return this.#open(known, lt, end + 1)
    cursor.checkTag(lt, end - lt - 1)
    if (elements.node === elements.document && elements.root !== undefined) {
      cursor.fault('there is a second root element', lt)
      // In recovery the root goes on: its end tag stood in the wrong place.
      elements.reopen(elements.root)
      if (tag === elements.root.tag) return end + 1
    }
    cursor.at = lt
    elements.value.check(cursor.source, lt)
    const read = isClosed
      ? elements.childOf(elements.node, tag)
      : new TagFault("a '<' stands inside a tag", tag.length)
    if (!(read instanceof TagFault)) return this.#open(read, lt, end + 1)
    if (!this.#brokenTag(read, tag, lt)) return lt + 1
    return isClosed ? end + 1 : end
  }

  /**
   * In recovery: opens an element with what is whole of its tag, else with its name. Returns whether it has one; without one
   * the `<` is text.
   */
  #brokenTag(fault: TagFault, tag: string, lt: number): boolean {
    const cursor = this.#cursor
    const elements = this.#elements
    const {message, index} = fault
    this.#checkLimit(fault, lt)
    if (!cursor.recovers) cursor.fail(message, lt + 1, index)
    const slash = tag.endsWith('/') ? '/' : ''
    let child = elements.childOf(elements.node, tag.slice(0, index) + slash)
    if (child instanceof TagFault) child = elements.childOf(elements.node, readTagName(tag) + slash)
    if (child instanceof TagFault) this.#checkLimit(child, lt)
    const opened = child instanceof TagFault ? undefined : child
    if (opened !== undefined) elements.open(opened, cursor.source, lt)
    // Behind the opening: it is this element that is broken.
    cursor.fault(message, lt)
    return opened !== undefined
  }

  /** Ends the reading where it is a limit that a tag breaks. */
  #checkLimit({message, index, limit}: TagFault, lt: number): void {
    if (limit !== undefined) this.#cursor.fail(message, lt + 1, index, 'limit-exceeded', limit)
  }

  #endTag(lt: number): number {
    const cursor = this.#cursor
    const elements = this.#elements
    const {source} = cursor
    const {bytes} = source
    const end = findEndTagEnd(bytes, lt + 2)
    if (end === -1) return cursor.hold(lt, 'end tag')
    cursor.checkTag(lt, end - lt - 2)
    const isClosed = bytes[end] === GREATER
    if (!isClosed) cursor.fault("a '<' stands inside an end tag", end)
    cursor.at = lt
    const name = trimSpaceEnd(source.slice(lt + 2, end))
    const match = elements.find(name)
    const isOwn = match === elements.node
    if (!isOwn) {
      elements.value.check(source, lt)
      const {node, document} = elements
      const expected = node === document ? 'no element is open' : `</${node.rawName}> is due`
      cursor.fault(`${visible(`</${name}>`, 100)} stands where ${visible(expected, 100)}`, lt)
    }
    // In recovery an end tag ends the element it names with all that is open in it, or nothing.
    if (match !== undefined) while (elements.node.depth >= match.depth) elements.close(source, lt)
    return isClosed ? end + 1 : end
  }
}
