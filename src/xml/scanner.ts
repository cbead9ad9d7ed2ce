/**
 * Reads markup as it arrives, split anywhere. Strict about well-formedness; refuses every DOCTYPE; holds back one tag and one
 * value at most. Recovery goes on behind a fault and reads nothing twice. Knows no WebDAV. XML 1.0 (fifth edition); Namespaces
 * in XML 1.0.
 */

import {
  MAX_MISSES,
  REFERENCE_BYTES,
  REPEATED_VALUE_BYTES,
  SHOWN_NAME_CHARACTERS,
  VALUE_OVERHEAD_BYTES,
} from '../protocol/bounds.ts'
import {
  AMPERSAND,
  BRACKET,
  EXCLAMATION,
  GREATER,
  LESS,
  QUESTION,
  RETURN,
  SEMICOLON,
  SLASH,
} from '../protocol/characters.ts'
import {
  hideCredentials,
  type MultiStatusErrorReason as Reason,
  visible,
} from '../protocol/errors.ts'
import {
  CDATA,
  decodeText,
  firstHalfLength,
  ODD_IN_SECTION,
  ownCopy,
  PLAIN,
  trimSpace,
} from './characters.ts'
import {instructionFault} from './declaration.ts'
import type {XmlElement} from './element.ts'
import type {ScannerHandler, ScannerLimits} from './handler.ts'
import {limitError, ScanError} from './handler.ts'
import type {Held} from './held-text.ts'
import {HeldText} from './held-text.ts'
import type {Structured} from './path.ts'
import {Layouts} from './layout.ts'
import {Learnt, NO_NAME} from './learnt.ts'
import {PathNode} from './path.ts'
import {indexOf, NOTHING, Source, standsAt} from './source.ts'
import type {StartTag} from './tag.ts'
import {findEndTagEnd, findTagEnd, readStartTag} from './tag.ts'

// Stands for broken bytes in recovery. XML forbids this character everywhere. It has one unit in each encoding, like a broken byte.
const NO_CHARACTER = '\0'
const COMMENT = '<!--'
// Servers and proxies answer with a page for people. That deserves a better message than "a DOCTYPE is refused".
const HTML = '<!DOCTYPE HTML'
const DASHES: Source = /* @__PURE__ */ new Source('--')
const CDATA_END: Source = /* @__PURE__ */ new Source(']]>')
const INSTRUCTION_END: Source = /* @__PURE__ */ new Source('?>')

/** A push scanner: `feed` it chunks of a document, and it calls its handler. */
export class Scanner<Known> {
  readonly #handler: ScannerHandler<Known>
  readonly #limits: ScannerLimits
  readonly #recovers: boolean
  readonly #learnt: Learnt<Known>
  readonly #layouts: Layouts<PathNode<Known>>

  // The piece that is read, the rest of the chunk behind it, and the markup that the end of a chunk cut in two.
  #source: Source = NOTHING
  #unread: Source = NOTHING
  readonly #held = new HeldText()
  // The byte of the source at which the current markup begins, and the number of bytes before the source.
  #at = 0
  #consumed = 0
  #inside: 'content' | 'comment' | 'cdata' = 'content'

  readonly #document: PathNode<Known>
  // The innermost open element, the child of it that was closed last, and the root.
  #node: PathNode<Known>
  #previous: PathNode<Known> | undefined
  #root: PathNode<Known> | undefined
  // In recovery: a second root element was taken for more of the first one.
  #isReopened = false

  // The value of the innermost element that collects one: its text. From its first child element on, the children of that
  // element and of each open element inside of it, the innermost last.
  #value = ''
  readonly #structure: (XmlElement | string)[][] = []
  #elements = 0
  // The byte of the document at which the content of that element begins.
  #valueAt = 0

  /** @param learnt - The knowledge of earlier documents, read under the same limits. This one adds to it. */
  constructor(
    handler: ScannerHandler<Known>,
    limits: ScannerLimits,
    recovers: boolean,
    learnt: Learnt<Known> = new Learnt<Known>(),
  ) {
    this.#handler = handler
    this.#limits = limits
    this.#recovers = recovers
    this.#learnt = learnt
    this.#layouts = new Layouts(handler, limits.value, learnt)
    this.#document = learnt.document
    this.#node = this.#document
  }

  /** The number of bytes of UTF-8 before the current markup. */
  get position(): number {
    return this.#consumed + this.#at
  }

  /** True when the root has ended. Recovery may open it again for a second root. */
  get isDone(): boolean {
    return (
      this.#root !== undefined &&
      (this.#node === this.#document || (this.#isReopened && this.#node === this.#root))
    )
  }

  /** Returns the text from a byte of the source to the end of the chunk, by which the parser finds the byte of a fault. */
  textFrom(at: number = this.#at): string {
    return this.#source.slice(at) + this.#unread.text
  }

  /**
   * Reads the next chunk. Held markup is joined with only as much of the chunk as may end it, because joining copies. The rest
   * is read without a copy.
   *
   * @throws ScanError for a fault or a broken limit. No more may be fed after that.
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
      // The beginning first: a source counts its characters forwards.
      this.#source = held.release(isWhole ? next : next.cut(0, end))
      this.#unread = isWhole ? NOTHING : next.cut(end)
      this.#read()
      this.#consumed += this.#source.length - held.length
      this.#source = NOTHING
      this.#at = 0
    }
  }

  /**
   * Reports bytes that could not be decoded, at this place. Recovery reads a forbidden character in their place. So a fault
   * inside a tag is found as one of that tag.
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
    // Behind the root, held text is complete: a carriage return, for example, waited for a line feed. Held markup is cut off.
    if (this.isDone && this.#inside === 'content') {
      if (held.length === 0) return
      this.#source = held.release(NOTHING)
      if (!this.#source.text.startsWith('<')) return this.#text(0, this.#source.length, false)
    }
    const isEmpty = this.#consumed === 0 && held.length === 0
    const {rawName} = this.#node
    const place = rawName === NO_NAME ? '' : ` inside <${shown(rawName)}>`
    this.#fail(isEmpty ? 'the body is empty' : `the body ends early${place}`, 0, 'truncated')
  }

  #fail(message: string, at: number, reason: Reason = 'not-well-formed'): never {
    throw new ScanError(message, reason, at)
  }

  #check(limit: keyof ScannerLimits, count: number, at: number): void {
    if (count > this.#limits[limit]) throw limitError(this.#limits, limit, at)
  }

  /** Ends the reading. In recovery, tells the handler and goes on. */
  #fault(message: string, at: number): void {
    if (!this.#recovers) this.#fail(message, at)
    this.#at = at
    this.#handler.fault(message)
  }

  /** Reports a fault at a character of a run of text. Strict reading counts its byte; recovery shows none. */
  #faultIn(run: string, from: number, message: string, index: number): void {
    this.#fault(message, this.#recovers ? from : from + new Source(run.slice(0, index)).length)
  }

  /** Holds the source from a byte on for the next chunk. Returns the end of the source. */
  #hold(from: number, as: Held, quote = 0): number {
    this.#held.keep(this.#source.cut(from), as, quote)
    this.#at = from
    if (as !== 'few characters') this.#checkHeld()
    return this.#source.length
  }

  #checkHeld(): void {
    // The limit counts the inside of a tag. `</`, or `<?` with a `?` at the end, does not count.
    if (this.#held.length - 3 <= this.#limits.tag) return
    this.#source = this.#held.release(NOTHING)
    throw limitError(this.#limits, 'tag', 0)
  }

  /** Reads the source to its end, but for markup that the end cuts. */
  #read(): void {
    const {length} = this.#source
    this.#layouts.stop()
    for (let at = 0; at < length;) {
      at = this.#inside === 'content' ? this.#content(at) : this.#inSection(at)
    }
    this.#at = length - this.#held.length
    this.#checkValue(this.#at)
    this.#handler.fed()
  }

  /** Reads text and tags up to the end of the source, or up to a comment or CDATA section. The hot loop of the package. */
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

  // Start tags and end tags. These methods return the index behind the bytes that they have read.

  /** Opens an element with a well-formed start tag, from `lt` to `end`. */
  #known(child: PathNode<Known>, lt: number, end: number): number {
    const behind = child.repeats ? this.#repeating(child, lt, end) : this.#leaf(child, lt, end)
    if (behind !== -1) return behind
    this.#at = lt
    this.#open(child, lt, end)
    return child.last === undefined ? end : this.#repeated(child, child.last, end)
  }

  /**
   * Reads a whole element that has text only, as most values have: one callback after the other, without any state. Returns -1
   * for any other element, which is then read piece by piece.
   */
  #leaf(child: PathNode<Known>, lt: number, from: number): number {
    const {collects} = child
    if (collects === 'nothing' || collects === 'part' || child.selfClosing || this.#recovers)
      return -1
    const source = this.#source
    const {bytes, length} = source
    let at = from
    while (at < length && PLAIN[bytes[at] ?? 0] === 1) at++
    const isPlain = bytes[at] === LESS
    if (!isPlain) at = bytes.indexOf(LESS, at)
    const end = at === -1 ? -1 : child.leafEnd(source, lt, at)
    if (end === -1 || at - from > this.#limits.value) return -1
    const text = isPlain ? source.slice(from, at) : this.#decode(from, at)
    if (child.varies) this.#layouts.add(child, from, at)
    this.#at = at
    this.#previous = child
    this.#handler.open(child)
    this.#handler.close(child, text)
    return end
  }

  /** Reads a whole element by its layout. Returns -1 for one that is to be read piece by piece. */
  #repeating(child: PathNode<Known>, lt: number, from: number): number {
    // In recovery each fault is to be told, and a broken element may end anywhere.
    if (this.#recovers || child.selfClosing) return -1
    this.#at = lt
    const end = this.#layouts.read(child, this.#source, lt, from)
    if (end !== -1) this.#previous = child
    return end
  }

  /** Reads the whole content of an element, if it equals that of the last one, as `supportedlock` does for each resource. */
  #repeated(node: PathNode<Known>, last: Structured, from: number): number {
    const {endTag} = node
    const {markup} = last
    if (endTag === undefined || markup === undefined || !standsAt(this.#source, markup, from))
      return from
    const end = from + markup.length
    this.#at = end - endTag.length
    node.misses = 0
    this.#leave(node)
    this.#handler.close(node, last)
    return end
  }

  /** Makes a structured value, whose end tag stands at `lt`. Remembers it, as long as some are the same as the one before. */
  #structured(
    node: PathNode<Known>,
    children: readonly (XmlElement | string)[],
    lt: number,
  ): Structured {
    const value: Structured = {element: node.element(children), value: undefined, markup: undefined}
    const source = this.#source
    const {endTag, last} = node
    const from = this.#valueAt - this.#consumed
    // Recovery remembers no values: one may have faults, and reading it by comparison would not report them again.
    if (this.#recovers || from < 0 || endTag === undefined || !standsAt(source, endTag, lt))
      return value
    const end = lt + endTag.length
    const room =
      this.#learnt.valueRoom + (last?.markup?.length ?? -VALUE_OVERHEAD_BYTES) - (end - from)
    const isHopeless = end - from > REPEATED_VALUE_BYTES || node.misses++ > MAX_MISSES
    if (isHopeless || room < 0) return value
    this.#learnt.valueRoom = room
    value.markup = source.cut(from, end).copy()
    node.last = value
    return value
  }

  /** Reads a start tag that is not the expected one: a known one by its text, or a new one by the grammar. */
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
      // Recovery takes the second root for more of the first one, which was closed too early.
      this.#isReopened = true
      this.#enter(root)
      if (tag === root.tag) return end + 1
    }
    const node = this.#node
    const isClosed = bytes[end] === GREATER
    const known = isClosed ? node.child(tag) : undefined
    if (known !== undefined) {
      if (node !== this.#document) {
        known.compare()
        return this.#known(node.expect(known, this.#previous), lt, end + 1)
      }
      this.#root = known
      return this.#known(known, lt, end + 1)
    }
    this.#at = lt
    this.#checkValue(lt)
    const isRemembered = isClosed && node.remembers(tag)
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
    // A function, because counting takes time and recovery needs no place.
    const place = (): number => lt + 1 + new Source(tag.slice(0, index)).length
    if (limit !== undefined) throw limitError(this.#limits, limit, place())
    if (!this.#recovers) this.#fail(message, place())
    // Recovery takes a `<` without a name for text.
    if (read.name === '') {
      this.#fault(message, lt)
      return lt + 1
    }
    const behind = isClosed ? end + 1 : end
    this.#open(this.#make(node, tag, read, lt), lt, behind)
    // After the opening, so that the fault belongs to this element.
    this.#fault(message, lt)
    return behind
  }

  /** Makes the node of a start tag that is new at this place. */
  #make(parent: PathNode<Known>, tag: string, read: StartTag, lt: number): PathNode<Known> {
    const child = new PathNode(parent, tag, read, parent.scope.declare(read.attributes))
    this.#check('depth', child.depth, lt)
    this.#handler.classify(child)
    if (parent.collects === 'element' || parent.collects === 'part') child.collects = 'part'
    if (parent === this.#document) this.#root = child
    return child
  }

  /** Opens a child of the innermost element. Recovery may open it as a child of the root instead. */
  #open(child: PathNode<Known>, lt: number, end: number): void {
    this.#checkValue(lt)
    let opened = child
    if (this.#recovers && this.#root !== undefined && this.#handler.mayBeNext(child)) {
      // Resolved in the namespaces of the root: declarations inside it belong to elements that may have ended.
      const next =
        this.#root.child(child.tag) ??
        this.#make(this.#root, child.tag, readStartTag(child.tag, this.#limits), lt)
      if (next.role !== 0) {
        while (this.#node.depth >= next.depth) this.#close(lt)
        this.#handler.fault('end tags are missing')
        opened = next
      }
    }
    if (opened.collects === 'part') this.#openPart()
    else if (opened.collects !== 'nothing') {
      this.#value = ''
      this.#valueAt = this.#consumed + end
    }
    if (opened.role !== 0) this.#handler.open(opened)
    this.#enter(opened)
    if (opened.selfClosing) this.#close(lt)
  }

  #enter(node: PathNode<Known>): void {
    this.#node = node
    this.#previous = undefined
  }

  #leave(node: PathNode<Known>): void {
    this.#node = node.parent ?? this.#document
    this.#previous = node
  }

  /** Closes the innermost element. Its end tag stands at `lt`. In recovery it may be lost, and any tag stands there. */
  #close(lt: number): void {
    const node = this.#node
    this.#checkValue(lt)
    this.#leave(node)
    const {collects} = node
    const children =
      collects === 'element' || collects === 'part' ? this.#structure.pop() : undefined
    if (collects === 'part') this.#append(node.element(children ?? []), lt)
    if (node.role === 0) return undefined
    if (node.repeats) {
      this.#handler.close(node, '')
      return this.#layouts.end(this.#source, lt, (slots) => this.#handler.learn(slots))
    }
    if (collects === 'element' && children !== undefined)
      return this.#handler.close(node, this.#structured(node, children, lt))
    return this.#handler.close(node, collects === 'nothing' ? '' : this.#value)
  }

  /** Reads an end tag that is not written exactly as expected. */
  #endTag(lt: number): number {
    const {bytes} = this.#source
    const end = findEndTagEnd(bytes, lt + 2)
    if (end === -1) return this.#hold(lt, 'end tag')
    this.#check('tag', end - lt - 2, lt)
    const isClosed = bytes[end] === GREATER
    if (!isClosed) this.#fault("a '<' stands inside an end tag", end)
    this.#at = lt
    // Trimmed with its slash, because white space may stand behind the name only.
    const name = trimSpace(this.#source.slice(lt + 1, end)).slice(1)
    let match: PathNode<Known> | undefined = this.#node
    while (match !== undefined && match.rawName !== name) match = match.parent
    // No end tag closes the document.
    if (match === this.#document) match = undefined
    if (match !== this.#node) {
      this.#checkValue(lt)
      const {rawName} = this.#node
      const isOpen = rawName !== NO_NAME
      const place = isOpen ? `stands in the place of ${shown(`</${rawName}>`)}` : 'ends nothing'
      this.#fault(`${shown(`</${name}>`)} ${place}`, lt)
    }
    // Recovery: an end tag closes the element that it names, with all that is open inside. It closes nothing if none has its
    // name.
    if (match !== undefined) while (this.#node.depth >= match.depth) this.#close(lt)
    return isClosed ? end + 1 : end
  }

  // Text.

  /** Reads text up to the next `<` that is not plain, or that the end of the source cuts. */
  #oddText(from: number): number {
    const {bytes, length} = this.#source
    const lt = bytes.indexOf(LESS, from)
    const to = lt === -1 ? this.#wholeTextEnd(from) : lt
    if (to > from) this.#text(from, to, false)
    return to === lt || to === length ? to : this.#hold(to, 'few characters')
  }

  /**
   * Finds the end of the text that can be read now. A CR LF, a `]]>`, a reference, and the two references of a surrogate pair
   * must not be cut: the next chunk may complete them.
   */
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

  /** Reads text between two bytes. Unwanted text that is not plain is decoded too, to find its faults. */
  #text(from: number, to: number, isPlain: boolean): void {
    if (this.#node === this.#document) return this.#outsideRoot(from, to)
    const isWanted = this.#wantsText
    if (isPlain && !isWanted) return undefined
    const text = isPlain ? this.#source.slice(from, to) : this.#decode(from, to)
    return isWanted ? this.#append(text, to) : undefined
  }

  /** Decodes text between two bytes. A method of its own, because the function costs the hot ones time even where it is not made. */
  #decode(from: number, to: number, odd?: RegExp): string {
    const run = this.#source.slice(from, to)
    return decodeText(run, (...fault) => this.#faultIn(run, from, ...fault), odd)
  }

  /** Checks text outside the root: only white space may stand there. In front of the root it tells that this is no XML. */
  #outsideRoot(from: number, to: number): void {
    const run = this.#source.slice(from, to)
    const index = run.search(/[^ \t\r\n]/)
    if (index === -1) return undefined
    if (this.#root !== undefined)
      return this.#faultIn(run, from, 'there is text after the root element', index)
    const excerpt = JSON.stringify(visible(hideCredentials(run.slice(index, index + 100)), 60))
    return this.#fail(`the body begins with ${excerpt}`, from + index, 'not-multistatus')
  }

  // Comments, CDATA sections and instructions. These methods return the index behind the bytes that they have read.

  /** Reads the beginning of a comment or a CDATA section. Refuses all else with `<!`, a DOCTYPE above all. */
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

  /** Ends the reading before the root, in recovery too: such a document is not the expected one. Behind that, reports a fault. */
  #faultOrFail(message: string, lt: number): void {
    if (this.#root === undefined) this.#fail(message, lt)
    this.#fault(message, lt)
  }

  /** Reads a comment or a CDATA section up to its end, or up to the end of the source. */
  #inSection(at: number): number {
    const source = this.#source
    const {bytes, length} = source
    const isComment = this.#inside === 'comment'
    const found = indexOf(source, isComment ? DASHES : CDATA_END, at)
    const end = found === -1 ? wholeSectionEnd(bytes, at) : found
    const text = this.#decode(at, end, ODD_IN_SECTION)
    if (!isComment && this.#wantsText) this.#append(text, end)
    if (found === -1 || found + 2 === length) return this.#hold(end, 'few characters')
    if (bytes[found + 2] !== GREATER) {
      this.#fault("'--' may not stand in a comment", found)
      return found + 1
    }
    this.#inside = 'content'
    return found + 3
  }

  /** Reads a processing instruction or the XML declaration. Their content means nothing to the reader. */
  #instruction(lt: number): number {
    const end = indexOf(this.#source, INSTRUCTION_END, lt + 2)
    if (end === -1) return this.#hold(lt, 'instruction')
    this.#check('tag', end - lt - 2, lt)
    const fault = instructionFault(this.#source.slice(lt + 2, end), this.#consumed + lt === 0)
    if (fault !== undefined) this.#fault(fault, lt)
    return end + 2
  }

  // The value.

  /** True if text at this place is part of a value. */
  get #wantsText(): boolean {
    return this.#node.collects !== 'nothing' && this.#node !== this.#document
  }

  /** Adds text or an element to the value. It ends at a byte of the source. */
  #append(piece: string | XmlElement, to: number): void {
    const children = this.#structure.at(-1)
    if (typeof piece !== 'string') children?.push(piece)
    else if (children === undefined) {
      this.#value = this.#value === '' ? piece : this.#value + piece
      if (this.#value.length > this.#limits.value) throw limitError(this.#limits, 'value', to)
    } else if (piece !== '') {
      // Text on both sides of a comment or of a CDATA section's edge becomes one child.
      const before = children.at(-1)
      if (typeof before === 'string') children[children.length - 1] = before + ownCopy(piece)
      else children.push(ownCopy(piece))
    }
  }

  /** Opens an element inside a structured value. Each becomes an object, so their number has a limit of its own. */
  #openPart(): void {
    // Before the first one, the value was text, whose limit counts characters. A place in that text may be in an earlier chunk.
    if (this.#structure.length === 0) {
      if (this.#at > this.#lastByte) throw limitError(this.#limits, 'value', this.#at)
      this.#structure.push(this.#value === '' ? [] : [ownCopy(this.#value)])
      this.#elements = 0
    }
    this.#structure.push([])
    this.#check('elements', ++this.#elements, this.#at)
  }

  /**
   * Throws if a structured value is too long at a byte of the source. Called at each tag and at the end of each chunk. The place is the
   * byte at the limit, so that no cut of chunks changes it.
   */
  #checkValue(at: number): void {
    if (this.#structure.length === 0) return
    if (at > this.#lastByte) throw limitError(this.#limits, 'value', this.#lastByte)
  }

  /** The byte of the source at the limit of the structured value. */
  get #lastByte(): number {
    return this.#valueAt + this.#limits.value - this.#consumed
  }
}

/** Finds the end of the text of a section that can be read now. Its end mark and a CR LF must not be cut. */
function wholeSectionEnd(bytes: Uint8Array, from: number): number {
  let end = Math.max(from, bytes.length - 2)
  while (end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end > from && bytes[end - 1] === RETURN ? end - 1 : end
}

function shown(text: string): string {
  return visible(text, SHOWN_NAME_CHARACTERS)
}
