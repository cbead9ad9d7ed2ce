/**
 * Reads markup as it arrives, split anywhere. Strict about well-formedness, refuses every DOCTYPE, holds back one tag and one
 * value at most. Recovery reads on in place and nothing twice. Knows no WebDAV.
 * XML 1.0 (fifth edition); Namespaces in XML 1.0.
 */

import {
  REFERENCE_BYTES,
  REPEATED_VALUE_CHARACTERS,
  REPEATED_VALUE_NAMES,
  REMEMBERED_VALUE_CHARACTERS,
  VALUE_OVERHEAD_CHARACTERS,
  SHOWN_NAME_CHARACTERS,
} from '../protocol/bounds.ts'
import {
  AMPERSAND,
  BRACKET,
  EXCLAMATION,
  GREATER,
  LESS,
  LINE_FEED,
  QUESTION,
  RETURN,
  SEMICOLON,
  SLASH,
  SPACE,
  TAB,
} from '../protocol/characters.ts'
import {type MultiStatusErrorReason as Reason, visible} from '../protocol/errors.ts'
import {
  CDATA,
  decodeText,
  escapeText,
  firstHalfLength,
  ODD_IN_SECTION,
  ownCopy,
  trimSpace,
} from './characters.ts'
import {instructionFault} from './declaration.ts'
import type {ScannerHandler, ScannerLimits} from './handler.ts'
import {limitError, ScanError} from './handler.ts'
import type {Held} from './held-text.ts'
import {HeldText} from './held-text.ts'
import {Markup, PathNode} from './path.ts'
import {Scope} from './scope.ts'
import type {Needle} from './source.ts'
import {indexOf, needle, NOTHING, Source, standsAt} from './source.ts'
import type {StartTag} from './tag.ts'
import {findEndTagEnd, findTagEnd, readStartTag} from './tag.ts'

// As long in each encoding as the broken bytes that it stands for.
const NO_CHARACTER = '\0'
const COMMENT = '<!--'
const HTML = '<!DOCTYPE HTML'
const DASHES: Needle = /* @__PURE__ */ needle('--')
const CDATA_END: Needle = /* @__PURE__ */ needle(']]>')
const INSTRUCTION_END: Needle = /* @__PURE__ */ needle('?>')

/** By byte: 1 for plain text. `EF` is odd, because U+FFFE and U+FFFF begin with it. */
const PLAIN: Uint8Array = /* @__PURE__ */ Uint8Array.from({length: 256}, (_, byte) =>
  byte === TAB ||
  byte === LINE_FEED ||
  (byte >= SPACE && ![LESS, AMPERSAND, BRACKET, 0xef].includes(byte))
    ? 1
    : 0,
)

/** A push scanner: `feed` it a document, and it calls its handler. */
export class Scanner<Known> {
  readonly #handler: ScannerHandler<Known>
  readonly #limits: ScannerLimits
  readonly #recovers: boolean

  // The piece that is read, the rest of the chunk behind it, and the markup that the end of the piece cuts in two.
  #source: Source = NOTHING
  #unread: Source = NOTHING
  readonly #held = new HeldText()
  // The byte at which the markup begins that is read, and the number of bytes before the source.
  #at = 0
  #consumed = 0
  #inside: 'content' | 'comment' | 'cdata' = 'content'

  readonly #document: PathNode<Known>
  // The innermost open element, its child that was closed last, and the root.
  #node: PathNode<Known>
  #previous: PathNode<Known> | undefined
  #root: PathNode<Known> | undefined
  #isReopened = false

  // The value of the innermost element that has one: decoded text, or from its first child element on its markup.
  #value = ''
  #isStructured = false
  #valueElements = 0
  #valueBytes = 0
  // The byte of the source at which the markup of the value goes on.
  #valueFrom = 0
  #repeatedNames = 0
  #valueRoom = REMEMBERED_VALUE_CHARACTERS

  constructor(handler: ScannerHandler<Known>, limits: ScannerLimits, recovers: boolean) {
    this.#handler = handler
    this.#limits = limits
    this.#recovers = recovers
    // The document's own end tag holds a character that no document can.
    const tag = {name: NO_CHARACTER, attributes: new Map<string, string>(), selfClosing: false}
    this.#document = new PathNode(undefined, '', tag, new Scope<Known>())
    // No text at all may stand outside the root, so each run of it is looked at.
    this.#document.collects = 'text'
    this.#node = this.#document
  }

  /** The number of bytes before the markup that is read, as UTF-8. */
  get position(): number {
    return this.#consumed + this.#at
  }

  /** The root has ended. In recovery it may have gone on behind its end. */
  get isDone(): boolean {
    return (
      this.#root !== undefined &&
      (this.#node === this.#document || (this.#isReopened && this.#node === this.#root))
    )
  }

  /** The text from a byte of the source to the end of the chunk. */
  textFrom(at: number = this.#at): string {
    return this.#source.slice(at) + this.#unread.text
  }

  /**
   * Reads on. Throws {@link ScanError}; after that the scanner is done for.
   *
   * Held markup is joined with as much of the chunk as may end it, then the rest is read where it lies. A chunk is in three
   * pieces at most.
   */
  feed(chunk: Source): void {
    const held = this.#held
    this.#unread = chunk
    for (let isRest = false; this.#unread.length > 0; isRest = true) {
      const next = this.#unread
      const end = held.length === 0 ? next.length : held.endIn(next)
      if (end === 0) {
        this.#unread = NOTHING
        held.append(next)
        this.#checkHeld()
        return
      }
      const isWhole = isRest || end === next.length
      // In this order: a source counts its characters forwards.
      this.#source = held.release(isWhole ? next : next.to(end))
      this.#unread = isWhole ? NOTHING : next.from(end)
      this.#read()
      this.#consumed += this.#source.length - held.length
      this.#source = NOTHING
      this.#at = 0
    }
  }

  /**
   * Reports a fault that the reader of the bytes found: it comes next. In recovery a forbidden character takes its place,
   * so that it is found inside of a tag too.
   */
  fault(message: string, reason: Reason): void {
    const source = new Source(NO_CHARACTER)
    if (this.#recovers) return this.feed(source)
    this.#source = source
    return this.#fail(message, 0, reason)
  }

  /** Ends the document. Throws {@link ScanError} if it is not complete. */
  end(): void {
    const held = this.#held
    if (this.isDone && this.#inside === 'content') {
      if (held.length === 0) return
      this.#source = held.release(NOTHING)
      if (!this.#source.text.startsWith('<')) return this.#text(0, this.#source.length, false)
    }
    const isEmpty = this.#consumed === 0 && held.length === 0
    const {rawName} = this.#node
    const place = rawName === NO_CHARACTER ? '' : ` inside <${shown(rawName)}>`
    this.#fail(isEmpty ? 'the body is empty' : `the body ends early${place}`, 0, 'truncated')
  }

  #fail(message: string, at: number, reason: Reason = 'not-well-formed'): never {
    throw new ScanError(message, reason, at)
  }

  #check(limit: keyof ScannerLimits, count: number, at: number): void {
    if (count > this.#limits[limit]) throw limitError(this.#limits, limit, at)
  }

  /** Ends the reading, or in recovery goes on. */
  #fault(message: string, at: number): void {
    if (!this.#recovers) this.#fail(message, at)
    this.#at = at
    this.#handler.fault(message)
  }

  /** Reports a fault at a character of a run of text. */
  #faultIn(run: string, from: number, message: string, index: number): void {
    this.#fault(message, this.#recovers ? from : from + new Source(run.slice(0, index)).length)
  }

  /** Keeps the source from a byte on for the next chunk. Returns the end of it. */
  #hold(from: number, as: Held, quote = 0): number {
    this.#held.keep(this.#source.from(from), as, quote)
    this.#at = from
    if (as !== 'few characters') this.#checkHeld()
    return this.#source.length
  }

  #checkHeld(): void {
    // The characters that begin and end a tag do not count: `</` and a `?` at most.
    if (this.#held.length - 3 <= this.#limits.tag) return
    this.#source = this.#held.release(NOTHING)
    throw limitError(this.#limits, 'tag', 0)
  }

  /** Reads the source. */
  #read(): void {
    const {length} = this.#source
    for (let at = 0; at < length;) {
      at = this.#inside === 'content' ? this.#content(at) : this.#inSection(at)
    }
    this.#at = length - this.#held.length
    this.#cutValue(this.#at)
    this.#handler.fed()
  }

  #content(from: number): number {
    const source = this.#source
    const {bytes, length} = source
    let at = from
    for (;;) {
      const begin = at
      while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
      if (at === length || bytes[at] !== LESS) at = this.#oddText(begin)
      else if (at > begin && this.#node.collects !== 'nothing') this.#text(begin, at, true)
      if (at === length) return at

      const lt = at
      const second = lt + 1 === length ? 0 : bytes[lt + 1]
      if (second === SLASH) {
        const {endTag} = this.#node
        if (endTag !== undefined && standsAt(source, endTag, lt)) {
          this.#at = lt
          this.#close(lt)
          at = lt + endTag.length
        } else {
          at = this.#endTag(lt)
        }
      } else if (second === EXCLAMATION) {
        return this.#section(lt)
      } else if (second === QUESTION) {
        at = this.#instruction(lt)
      } else {
        const child = this.#node.childAt(source, lt, this.#previous)
        at =
          child === undefined
            ? this.#startTag(lt)
            : this.#known(child, lt, lt + child.startTag.length)
      }
    }
  }

  // Start tags and end tags. The methods return the index behind the bytes that they have read.

  /** Opens a well-formed element whose start tag stands at `lt` and ends before `end`. */
  #known(child: PathNode<Known>, lt: number, end: number): number {
    const behind = this.#leaf(child, lt, end)
    if (behind !== -1) return behind
    this.#at = lt
    this.#open(child, lt)
    return child.collects === 'markup' && !child.selfClosing ? this.#repeated(end) : end
  }

  /** Reads an element at once that has only plain text, as most with a value have. Returns -1 for any other one. */
  #leaf(child: PathNode<Known>, lt: number, from: number): number {
    if (child.collects === 'nothing' || child.selfClosing || this.#recovers) return -1
    const source = this.#source
    const {bytes, length} = source
    let at = from
    while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
    const end = child.leafEnd(source, lt, at)
    if (end === -1 || at - from > this.#limits.value) return -1
    this.#at = at
    this.#previous = child
    this.#handler.open(child)
    this.#handler.close(child, source.slice(from, at))
    return end
  }

  /** Reads the content of the innermost element at once if it is the one that its name had last, as `supportedlock` is. */
  #repeated(from: number): number {
    const node = this.#node
    const {last} = node.name
    if (last?.needle === undefined || last.rawName !== node.rawName) return from
    if (!standsAt(this.#source, last.needle, from)) return from
    const end = from + last.needle.length
    this.#at = end - last.endTagLength
    this.#leave(node)
    this.#handler.close(node, this.#again(last.text, node))
    return end
  }

  /** The structured value of an element. It is kept, to find it again by its bytes. */
  #markup(text: string, node: PathNode<Known>): Markup {
    const {name, rawName} = node
    const {last} = name
    if (text === last?.text && rawName === last.rawName) {
      const endTag = `</${rawName}>`
      last.needle ??= needle(text + endTag)
      last.endTagLength = needle(endTag).length
      return this.#again(last.text, node)
    }
    const isShort = text.length <= REPEATED_VALUE_CHARACTERS
    if (isShort && (last !== undefined || this.#repeatedNames++ < REPEATED_VALUE_NAMES)) {
      const own = {text: ownCopy(text), rawName: ownCopy(rawName)}
      name.last = {...own, needle: undefined, endTagLength: 0}
    }
    return new Markup(text, node)
  }

  /** A structured value that came again: the same one for the same element, so that it is parsed once. */
  #again(text: string, node: PathNode<Known>): Markup {
    if (node.markup?.text === text) return node.markup
    const markup = new Markup(text, node)
    this.#valueRoom -= text.length + VALUE_OVERHEAD_CHARACTERS
    if (this.#valueRoom > 0) node.markup = markup
    return markup
  }

  #startTag(lt: number): number {
    const {bytes} = this.#source
    const {end, quote} = findTagEnd(bytes, lt + 1, 0)
    if (end === -1)
      return this.#hold(lt, lt + 1 === bytes.length ? 'few characters' : 'start tag', quote)
    this.#check('tag', end - lt - 1, lt)
    const tag = this.#source.slice(lt + 1, end)
    const root = this.#root
    if (this.#node === this.#document && root !== undefined) {
      this.#fault('there is a second root element', lt)
      // In recovery the root goes on: its end tag stood in the wrong place.
      this.#isReopened = true
      this.#enter(root)
      if (tag === root.tag) return end + 1
    }
    const node = this.#node
    const isClosed = bytes[end] === GREATER
    const known = isClosed ? node.child(tag) : undefined
    if (known !== undefined) {
      known.compare()
      return this.#known(node.expect(known, this.#previous), lt, end + 1)
    }
    this.#at = lt
    this.#checkValue(lt)
    const isRemembered = isClosed && node !== this.#document && node.remembers(tag)
    const own = isRemembered ? ownCopy(tag) : tag
    const read = readStartTag(own, this.#limits)
    const unclosed = {message: "a '<' stands inside a tag", index: tag.length}
    const fault: StartTag['fault'] = read.fault ?? (isClosed ? undefined : unclosed)
    if (fault === undefined) {
      const child = this.#make(node, own, read, lt)
      if (isRemembered) node.remember(child)
      return this.#known(child, lt, end + 1)
    }
    const {message, index, limit} = fault
    const place = (): number => lt + 1 + new Source(tag.slice(0, index)).length
    if (limit !== undefined) throw limitError(this.#limits, limit, place())
    if (!this.#recovers) this.#fail(message, place())
    // In recovery a tag without a name is text.
    if (read.name === '') {
      this.#fault(message, lt)
      return lt + 1
    }
    this.#open(this.#make(node, tag, read, lt), lt)
    // Behind the opening: it is this element that is broken.
    this.#fault(message, lt)
    return isClosed ? end + 1 : end
  }

  /** The child of an element that a start tag opens for the first time. */
  #make(parent: PathNode<Known>, tag: string, read: StartTag, lt: number): PathNode<Known> {
    const child = new PathNode(parent, tag, read, parent.scope.declare(read.attributes))
    this.#check('depth', child.depth, lt)
    this.#handler.classify(child)
    if (parent === this.#document) this.#root = child
    return child
  }

  /** Opens a child of the innermost element or, in recovery, of the root. */
  #open(child: PathNode<Known>, lt: number): void {
    this.#checkValue(lt)
    let opened = child
    if (this.#recovers && this.#root !== undefined && this.#handler.mayBeNext(child)) {
      // In the namespaces of the root: the ones declared since may have ended too.
      const next =
        this.#root.child(child.tag) ??
        this.#make(this.#root, child.tag, readStartTag(child.tag, this.#limits), lt)
      if (next.role !== 0) {
        while (this.#node.depth >= next.depth) this.#close(lt)
        this.#handler.fault('end tags are missing')
        opened = next
      }
    }
    if (this.#isStructured) this.#countElement()
    else if (this.#node.collects === 'markup') this.#beginMarkup(lt)
    if (opened.collects !== 'nothing') {
      this.#value = ''
      this.#isStructured = false
    }
    if (opened.role !== 0) this.#handler.open(opened)
    if (!opened.selfClosing) return this.#enter(opened)
    this.#previous = opened
    return opened.role === 0 ? undefined : this.#handler.close(opened, '')
  }

  #enter(node: PathNode<Known>): void {
    this.#node = node
    this.#previous = undefined
  }

  #leave(node: PathNode<Known>): void {
    this.#node = node.parent ?? this.#document
    this.#previous = node
  }

  /** Closes the innermost element. At `lt` stands its end tag or, in recovery, a tag that shows that this is lost. */
  #close(lt: number): void {
    const node = this.#node
    this.#checkValue(lt)
    this.#leave(node)
    if (node.role === 0) return undefined
    if (node.collects === 'nothing') return this.#handler.close(node, '')
    if (!this.#isStructured) return this.#handler.close(node, this.#value)
    this.#cutValue(lt)
    this.#isStructured = false
    // In recovery a value may have faults, which a comparison would not find again.
    const text = this.#value
    return this.#handler.close(
      node,
      this.#recovers ? new Markup(text, node) : this.#markup(text, node),
    )
  }

  #endTag(lt: number): number {
    const {bytes} = this.#source
    const end = findEndTagEnd(bytes, lt + 2)
    if (end === -1) return this.#hold(lt, 'end tag')
    this.#check('tag', end - lt - 2, lt)
    const isClosed = bytes[end] === GREATER
    if (!isClosed) this.#fault("a '<' stands inside an end tag", end)
    this.#at = lt
    // With its slash: only the white space at the end is allowed.
    const name = trimSpace(this.#source.slice(lt + 1, end)).slice(1)
    let match: PathNode<Known> | undefined = this.#node
    while (match !== undefined && match.rawName !== name) match = match.parent
    // The document has no end tag.
    if (match === this.#document) match = undefined
    if (match !== this.#node) {
      this.#checkValue(lt)
      const {rawName} = this.#node
      const isOpen = rawName !== NO_CHARACTER
      const place = isOpen ? `stands in the place of ${shown(`</${rawName}>`)}` : 'ends nothing'
      this.#fault(`${shown(`</${name}>`)} ${place}`, lt)
    }
    // In recovery an end tag ends the element that it names with all that is open in it, or nothing.
    if (match !== undefined) while (this.#node.depth >= match.depth) this.#close(lt)
    return isClosed ? end + 1 : end
  }

  // Text.

  /** Reads the text up to the next `<`, if something in it needs a look or the end of the source cuts it. */
  #oddText(from: number): number {
    const {bytes, length} = this.#source
    const lt = bytes.indexOf(LESS, from)
    const to = lt === -1 ? this.#wholeTextEnd(from) : lt
    if (to > from) this.#text(from, to, false)
    return to === lt || to === length ? to : this.#hold(to, 'few characters')
  }

  /** Finds the end of the readable text: the next chunk may go on with a line end, a `]]>` or a reference. */
  #wholeTextEnd(from: number): number {
    const {bytes, length} = this.#source
    let to = length
    if (bytes[to - 1] === RETURN || bytes[to - 1] === BRACKET) to--
    if (to < length && bytes[to] === BRACKET && bytes[to - 1] === BRACKET) to--
    const begin = Math.max(from, length - REFERENCE_BYTES)
    const ampersand = bytes.subarray(begin).lastIndexOf(AMPERSAND)
    const isOpen = ampersand !== -1 && !bytes.includes(SEMICOLON, begin + ampersand)
    if (isOpen) to = begin + ampersand
    if (bytes[to - 1] === SEMICOLON)
      to -= firstHalfLength(this.#source.slice(Math.max(from, to - REFERENCE_BYTES), to))
    return Math.max(from, to)
  }

  /** Reads text between two bytes. `isPlain` if each of them is. */
  #text(from: number, to: number, isPlain: boolean): void {
    if (this.#node === this.#document) return this.#outsideRoot(from, to)
    const isWanted = this.#wantsText
    if (isPlain && !isWanted) return undefined
    const run = this.#source.slice(from, to)
    const text = isPlain ? run : decodeText(run, (...fault) => this.#faultIn(run, from, ...fault))
    return isWanted ? this.#append(text, to) : undefined
  }

  #outsideRoot(from: number, to: number): void {
    const run = this.#source.slice(from, to)
    const index = run.search(/[^ \t\r\n]/)
    if (index === -1) return undefined
    if (this.#root !== undefined)
      return this.#faultIn(run, from, 'there is text after the root element', index)
    const excerpt = JSON.stringify(visible(run.slice(index, index + 100), 60))
    return this.#fail(`the body begins with ${excerpt}`, from + index, 'not-multistatus')
  }

  // Comments, CDATA sections and instructions. The methods return the index behind the bytes that they have read.

  /** Reads the beginning of a comment or a CDATA section, and refuses all else that begins with `<!`. */
  #section(lt: number): number {
    const {length} = this.#source
    const end = lt + HTML.length
    const begin = this.#source.slice(lt, Math.min(end, length))
    const hasRoot = this.#root !== undefined
    if (begin.startsWith(COMMENT)) {
      this.#inside = 'comment'
      return lt + COMMENT.length
    }
    if (begin.startsWith(CDATA)) {
      if (this.#node === this.#document)
        this.#faultOrFail('a CDATA section may not stand outside the root element', lt)
      this.#inside = 'cdata'
      return lt + CDATA.length
    }
    const upper = begin.toUpperCase()
    const mayGoOn = [COMMENT, CDATA, HTML].some((whole) => whole.startsWith(upper))
    if (end > length && mayGoOn) return this.#hold(lt, 'few characters')
    if (upper === HTML && !hasRoot) this.#fail('the body is an HTML page', lt, 'not-multistatus')
    const isDoctype = upper.startsWith('<!DOCTYPE')
    const other = "'<!' begins no comment and no CDATA section"
    this.#faultOrFail(isDoctype ? 'a DOCTYPE is refused' : other, lt)
    return lt + 1
  }

  /** Markup before the root tells the kind of the document. Behind that, recovery goes on. */
  #faultOrFail(message: string, lt: number): void {
    if (this.#root === undefined) this.#fail(message, lt)
    this.#fault(message, lt)
  }

  /** Reads on in a comment or a CDATA section. */
  #inSection(at: number): number {
    const source = this.#source
    const {bytes, length} = source
    const isComment = this.#inside === 'comment'
    const found = indexOf(source, isComment ? DASHES : CDATA_END, at)
    const end = found === -1 ? wholeSectionEnd(bytes, at) : found
    const run = source.slice(at, end)
    const text = decodeText(run, (...fault) => this.#faultIn(run, at, ...fault), ODD_IN_SECTION)
    if (!isComment && this.#wantsText) this.#append(text, end)
    if (found === -1 || found + 2 === length) return this.#hold(end, 'few characters')
    if (bytes[found + 2] !== GREATER) {
      this.#fault("'--' may not stand in a comment", found)
      return found + 1
    }
    this.#inside = 'content'
    return found + 3
  }

  #instruction(lt: number): number {
    const end = indexOf(this.#source, INSTRUCTION_END, lt + 2)
    if (end === -1) return this.#hold(lt, 'instruction')
    this.#check('tag', end - lt - 2, lt)
    const fault = instructionFault(this.#source.slice(lt + 2, end), this.#consumed + lt === 0)
    if (fault !== undefined) this.#fault(fault, lt)
    return end + 2
  }

  // The value.

  /** Text at this place is part of a value. */
  get #wantsText(): boolean {
    const {collects} = this.#node
    return collects !== 'nothing' && !this.#isStructured && this.#node !== this.#document
  }

  /** Adds text that ends at a byte of the source. */
  #append(text: string, to: number): void {
    this.#value = this.#value === '' ? text : this.#value + text
    if (this.#value.length > this.#limits.value) throw limitError(this.#limits, 'value', to)
  }

  /** Goes on with markup from a byte of the source on; the text so far becomes markup. */
  #beginMarkup(from: number): void {
    this.#isStructured = true
    this.#value = escapeText(this.#value)
    this.#valueBytes = this.#value === '' ? 0 : new Source(this.#value).length
    this.#valueFrom = from
    this.#valueElements = 0
    this.#countElement()
  }

  /** Adds the markup up to a byte of the source; the next source goes on there. */
  #cutValue(to: number): void {
    if (!this.#isStructured) return
    this.#checkValue(to)
    this.#value += this.#source.slice(this.#valueFrom, to)
    this.#valueBytes += to - this.#valueFrom
    this.#valueFrom = 0
  }

  #countElement(): void {
    this.#check('elements', ++this.#valueElements, this.#at)
  }

  /** Throws if the markup is too long at a byte of the source. Done for each tag in it, so that chunks make no difference. */
  #checkValue(at: number): void {
    const length = this.#isStructured ? this.#valueBytes + at - this.#valueFrom : 0
    if (length > this.#limits.value) throw limitError(this.#limits, 'value', at)
  }
}

/** Finds the end of the readable part of a section: the mark of its end may be cut in two, and so may the end of a line. */
function wholeSectionEnd(bytes: Uint8Array, from: number): number {
  let end = Math.max(from, bytes.length - 2)
  while (end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end > from && bytes[end - 1] === RETURN ? end - 1 : end
}

function shown(text: string): string {
  return visible(text, SHOWN_NAME_CHARACTERS)
}
