/**
 * Reads markup as it arrives, split anywhere: tags, text, CDATA, comments, processing instructions. Strict about
 * well-formedness, refuses every DOCTYPE, holds back no more than one tag. Knows no WebDAV.
 * XML 1.0 (fifth edition); Namespaces in XML 1.0.
 */

import type {MultiStatusErrorReason} from '../protocol/errors.ts'
import {visible} from '../protocol/errors.ts'
import {decodeReferences, escapeText, LONGEST_REFERENCE, normalizeLineEnds} from './characters.ts'
import {instructionFault} from './instruction.ts'
import {PathNode} from './path.ts'
import {Scope} from './scope.ts'
import {findTagEnd, parseStartTag, readTagName, TagError} from './tag.ts'
import type {TagLimits} from './tag.ts'

/** Bounds on what is held at once: characters of a tag and of a value, levels of nesting. */
export interface ScannerLimits extends TagLimits {
  readonly tag: number
  readonly depth: number
  readonly value: number
}

/** What the markup is for. */
export interface ScannerHandler<Detail> {
  /** Says, once for each new path, what the element is: sets `role` and `collects`. */
  classify(node: PathNode<Detail>): void
  open(node: PathNode<Detail>): void
  /** `value` is what the element collects; `structured` where that is markup, because it has child elements. */
  close(node: PathNode<Detail>, value: string, structured: boolean): void
  /** In recovery: something is not well-formed. `lost` where the open elements may be other ones than we think. */
  fault(message: string, lost: boolean): void
  /** In recovery: the open element in which `child` belongs, where that is not the innermost one. */
  parentOf(child: PathNode<Detail>): PathNode<Detail> | undefined
}

/** Where and why the reading ended. `rest` is the text from there on. */
export class ScanError extends Error {
  readonly reason: MultiStatusErrorReason
  readonly rest: string
  readonly limit: string | undefined

  constructor(message: string, reason: MultiStatusErrorReason, rest: string, limit?: string) {
    super(message)
    this.reason = reason
    this.rest = rest
    this.limit = limit
  }
}

/** What the end of a chunk cut in two, and so what the next chunk must have before the piece is looked at again. */
type Held = 'few characters' | 'start tag' | 'end tag' | 'instruction'

const SLASH = 0x2f
const EXCLAMATION = 0x21
const QUESTION = 0x3f
const COMMENT = '<!--'
const CDATA = '<![CDATA['
const HTML = '<!DOCTYPE html'

/** A push scanner: `feed` it text, and it calls its handler. */
export class Scanner<Detail> {
  readonly #handler: ScannerHandler<Detail>
  readonly #limits: ScannerLimits
  readonly #recovers: boolean
  readonly #document: PathNode<Detail>
  #node: PathNode<Detail>
  #inside: 'content' | 'comment' | 'cdata' = 'content'
  #rootSeen = false

  #text = ''
  #at = 0
  #consumed = 0
  #held = ''
  #heldAs: Held = 'few characters'
  #quote = 0
  // Where the next one of these is, so that a chunk is searched for each of them once and not once a run of text.
  #ampersand = 0
  #return = 0
  #brackets = 0

  #value = ''
  #structured = false
  #markupFrom = -1

  constructor(handler: ScannerHandler<Detail>, limits: ScannerLimits, recovers: boolean) {
    this.#handler = handler
    this.#limits = limits
    this.#recovers = recovers
    // The document's own end tag holds a character that no document can.
    this.#document = new PathNode(undefined, '', {
      name: '',
      rawName: '\0',
      scope: Scope.root,
      selfClosing: false,
    })
    this.#node = this.#document
  }

  /** How many characters stand before the markup that is being read. */
  get position(): number {
    return this.#consumed + this.#at
  }

  /** The text that was fed, from the markup that is being read. */
  get rest(): string {
    return this.#held === '' ? this.#text.slice(this.#at) : this.#held
  }

  /** Reads on. Throws {@link ScanError}; after that the scanner is done for. */
  feed(chunk: string): void {
    if (this.#held === '') {
      this.#text = chunk
    } else if (this.#completes(chunk)) {
      this.#text = this.#held + chunk
      this.#held = ''
    } else {
      this.#held += chunk
      this.#checkTagLength(this.#held.length - 2, this.#held)
      return
    }
    this.#ampersand = this.#return = this.#brackets = -1
    const length = this.#text.length
    for (let at = 0; at < length;) {
      if (this.#inside === 'content') at = this.#content(at)
      else if (this.#inside === 'cdata') at = this.#cdata(at)
      else at = this.#comment(at)
    }
    const end = length - this.#held.length
    if (this.#markupFrom !== -1) {
      this.#value += this.#text.slice(this.#markupFrom, end)
      this.#markupFrom = 0
      this.#checkValueLength()
    }
    this.#consumed += end
    this.#at = 0
    if (this.#held === '') this.#text = ''
  }

  /** Says that there is no more. Throws {@link ScanError} where the document is not complete. */
  end(): void {
    if (this.#node === this.#document && this.#rootSeen && this.#inside === 'content') {
      if (this.#held === '') return
      if (!this.#held.startsWith('<')) {
        this.#text = this.#held
        this.#ampersand = this.#return = this.#brackets = -1
        this.#characters(0, this.#text.length)
        return
      }
    }
    const where =
      this.#node === this.#document ? '' : ` inside <${visible(readTagName(this.#node.tag), 100)}>`
    throw new ScanError(`the body ends early${where}`, 'truncated', '')
  }

  /** Reports what the reader of the bytes found wrong: the end of what was fed is where it stands. */
  fault(message: string, reason: MultiStatusErrorReason): void {
    if (!this.#recovers) throw new ScanError(message, reason, '')
    this.#handler.fault(message, false)
  }

  #fail(
    message: string,
    at: number,
    reason: MultiStatusErrorReason = 'not-well-formed',
    limit?: string,
  ): never {
    throw new ScanError(message, reason, this.#text.slice(at), limit)
  }

  #fault(message: string, at: number, lost = false): void {
    if (!this.#recovers) this.#fail(message, at)
    this.#at = at
    this.#handler.fault(message, lost)
  }

  /** Keeps the text from `from` on for the next chunk. */
  #hold(from: number, as: Held): number {
    this.#held = this.#text.slice(from)
    this.#heldAs = as
    if (as !== 'few characters') this.#checkTagLength(this.#held.length - 2, this.#held)
    return this.#text.length
  }

  /** Whether the chunk ends what is held: a long tag in small chunks is put together once, not once a chunk. */
  #completes(chunk: string): boolean {
    switch (this.#heldAs) {
      case 'start tag': {
        const {end, quote} = findTagEnd(chunk, 0, this.#quote)
        this.#quote = quote
        return end !== -1
      }
      case 'end tag':
        return /[<>]/.test(chunk)
      case 'instruction':
        return chunk.includes('?>') || (this.#held.endsWith('?') && chunk.startsWith('>'))
      default:
        return true
    }
  }

  #content(from: number): number {
    const text = this.#text
    let at = from
    let gt = -1
    for (;;) {
      const lt = text.indexOf('<', at)
      if (lt === -1) return this.#openEndedText(at)
      if (lt > at) this.#characters(at, lt)
      const node = this.#node
      const second = text.charCodeAt(lt + 1)
      if (second === SLASH) {
        if (text.startsWith(node.endTag, lt)) {
          this.#close(node, lt)
          at = lt + node.endTag.length
        } else {
          at = this.#endTag(lt)
        }
      } else if (second === EXCLAMATION) {
        return this.#declaration(lt)
      } else if (second === QUESTION) {
        at = this.#instruction(lt)
      } else {
        if (gt < lt) gt = indexOrEnd(text, '>', lt)
        const child = gt === text.length ? undefined : node.child(text.slice(lt + 1, gt))
        if (child === undefined) {
          at = this.#startTag(lt)
        } else {
          this.#open(child, lt)
          at = gt + 1
        }
      }
      if (at === text.length) return at
    }
  }

  /** Text that goes on in the next chunk: all but what cannot be understood without it. */
  #openEndedText(from: number): number {
    const text = this.#text
    let to = text.length
    if (text.charCodeAt(to - 1) === 0x0d) to--
    else if (text.endsWith(']]')) to -= 2
    else if (text.endsWith(']')) to--
    const tail = text.slice(Math.max(from, text.length - LONGEST_REFERENCE))
    const ampersand = tail.lastIndexOf('&')
    if (ampersand !== -1 && !tail.includes(';', ampersand))
      to = text.length - tail.length + ampersand
    to = Math.max(from, to)
    if (to > from) this.#characters(from, to)
    return to === text.length ? to : this.#hold(to, 'few characters')
  }

  #characters(from: number, to: number): void {
    const text = this.#text
    const node = this.#node
    if (this.#ampersand < from) this.#ampersand = indexOrEnd(text, '&', from)
    if (this.#brackets < from) this.#brackets = indexOrEnd(text, ']]>', from)
    if (this.#brackets < to) this.#fault("']]>' may not stand in text", this.#brackets)
    if (node === this.#document) {
      const at = text.slice(from, to).search(/[^ \t\r\n]/)
      if (at !== -1) this.#textOutsideRoot(from + at)
      return
    }
    const wanted = node.collects !== 'nothing' && !this.#structured
    if (!wanted && this.#ampersand >= to) return
    let run = text.slice(from, to)
    if (this.#ampersand < to) {
      run = decodeReferences(run, normalizeLineEnds, (message, at) => {
        this.#fault(message, from + at)
      })
    } else {
      if (this.#return < from) this.#return = indexOrEnd(text, '\r', from)
      if (this.#return < to) run = normalizeLineEnds(run)
    }
    if (wanted) this.#collect(run)
  }

  #textOutsideRoot(at: number): void {
    if (this.#rootSeen) return this.#fault('there is text after the root element', at)
    const excerpt = visible(this.#text.slice(at, at + 100), 60)
    return this.#fail(`the body begins with ${JSON.stringify(excerpt)}`, at, 'not-multistatus')
  }

  #collect(run: string): void {
    this.#value = this.#value === '' ? run : this.#value + run
    this.#checkValueLength()
  }

  #open(child: PathNode<Detail>, lt: number): void {
    this.#at = lt
    if (this.#recovers) {
      const parent = this.#handler.parentOf(child)
      if (parent !== undefined) {
        this.#node = parent
        this.#structured = false
        this.#markupFrom = -1
        return this.#open(this.#childOf(parent, child.tag, lt), lt)
      }
    }
    if (this.#node.collects === 'markup' && !this.#structured) {
      this.#structured = true
      this.#value = escapeText(this.#value)
      this.#markupFrom = lt
    }
    if (child.collects !== 'nothing') {
      this.#value = ''
      this.#structured = false
    }
    this.#handler.open(child)
    if (child.selfClosing) this.#handler.close(child, '', false)
    else this.#node = child
  }

  #close(node: PathNode<Detail>, lt: number): void {
    this.#at = lt
    this.#node = node.parent ?? this.#document
    if (node.collects === 'nothing') return this.#handler.close(node, '', false)
    const structured = this.#structured
    if (structured) {
      this.#value += this.#text.slice(this.#markupFrom, lt)
      this.#checkValueLength()
      this.#structured = false
      this.#markupFrom = -1
    }
    return this.#handler.close(node, this.#value, structured)
  }

  #startTag(lt: number): number {
    const {end, quote} = findTagEnd(this.#text, lt + 1, 0)
    this.#quote = quote
    if (end === -1)
      return this.#hold(lt, lt + 1 === this.#text.length ? 'few characters' : 'start tag')
    const tag = this.#text.slice(lt + 1, end)
    this.#checkTagLength(tag.length, this.#text.slice(lt))
    if (this.#node === this.#document && this.#rootSeen)
      this.#fail('there is a second root element', lt)
    let child: PathNode<Detail>
    const closed = this.#text[end] === '>'
    try {
      if (!closed) throw new TagError("a '<' stands inside a tag", tag.length)
      child = this.#childOf(this.#node, tag, lt)
    } catch (error) {
      if (!(error instanceof TagError)) throw error
      if (error.limit !== undefined)
        this.#fail(error.message, lt + 1 + error.index, 'limit-exceeded', error.limit)
      this.#fault(error.message, lt + 1 + error.index)
      const name = readTagName(tag)
      if (name === '') return lt + 1
      child = this.#childOf(this.#node, tag.endsWith('/') ? `${name}/` : name, lt)
    }
    this.#rootSeen = true
    this.#open(child, lt)
    return closed ? end + 1 : end
  }

  #childOf(parent: PathNode<Detail>, tag: string, lt: number): PathNode<Detail> {
    const known = parent.child(tag)
    if (known !== undefined) return known
    const {name, attributes, selfClosing} = parseStartTag(tag, this.#limits)
    const scope = parent.scope.declare(attributes)
    const child = new PathNode(parent, tag, {
      name: scope.elementName(name),
      rawName: name,
      scope,
      selfClosing,
    })
    if (child.depth > this.#limits.depth) {
      this.#fail(
        `elements are nested more than ${this.#limits.depth} deep`,
        lt,
        'limit-exceeded',
        'depth',
      )
    }
    this.#handler.classify(child)
    // A document has one root, so the second one must not be found as one that is known.
    if (parent !== this.#document) parent.remember(child)
    return child
  }

  #endTag(lt: number): number {
    const text = this.#text
    let end = lt + 2
    while (end < text.length && text[end] !== '>' && text[end] !== '<') end++
    if (end === text.length) return this.#hold(lt, 'end tag')
    const written = text.slice(lt + 2, end)
    this.#checkTagLength(written.length, text.slice(lt))
    const endTag = `</${written.replace(/[ \t\r\n]+$/, '')}>`
    if (text[end] === '<') this.#fault("a '<' stands inside an end tag", end)
    const next = text[end] === '<' ? end : end + 1
    if (endTag === this.#node.endTag) {
      this.#close(this.#node, lt)
      return next
    }
    let match: PathNode<Detail> | undefined = this.#node
    while (match !== undefined && match.endTag !== endTag) match = match.parent
    const expected =
      this.#node === this.#document ? 'no element is open' : `${this.#node.endTag} is due`
    this.#fault(
      `${visible(endTag, 100)} stands where ${visible(expected, 100)}`,
      lt,
      match === undefined,
    )
    // In recovery an end tag ends the element it names with all that is open in it, or nothing.
    if (match !== undefined) while (this.#node.depth >= match.depth) this.#close(this.#node, lt)
    return next
  }

  #declaration(lt: number): number {
    const text = this.#text
    if (text.startsWith(COMMENT, lt)) {
      this.#inside = 'comment'
      return lt + COMMENT.length
    }
    if (text.startsWith(CDATA, lt)) {
      if (this.#node === this.#document)
        this.#fail('a CDATA section stands outside the root element', lt)
      this.#inside = 'cdata'
      return lt + CDATA.length
    }
    const begin = text.slice(lt, lt + HTML.length).toUpperCase()
    const isEnd = lt + begin.length === text.length
    if (isEnd && [COMMENT, CDATA, HTML.toUpperCase()].some((whole) => whole.startsWith(begin))) {
      return this.#hold(lt, 'few characters')
    }
    if (begin === HTML.toUpperCase()) this.#fail('the body is an HTML page', lt, 'not-multistatus')
    if (begin.startsWith('<!DOCTYPE')) this.#fail('a DOCTYPE is refused', lt)
    this.#fault("'<!' begins neither a comment nor a CDATA section", lt)
    return lt + 1
  }

  #comment(at: number): number {
    const text = this.#text
    const dashes = text.indexOf('--', at)
    if (dashes === -1)
      return text.endsWith('-') ? this.#hold(text.length - 1, 'few characters') : text.length
    if (dashes + 2 === text.length) return this.#hold(dashes, 'few characters')
    if (text[dashes + 2] === '>') {
      this.#inside = 'content'
      return dashes + 3
    }
    this.#fault("'--' may not stand in a comment", dashes)
    return dashes + 1
  }

  #cdata(at: number): number {
    const text = this.#text
    const brackets = text.indexOf(']]>', at)
    let end = brackets
    if (brackets === -1) {
      // The end may be cut in two, and so may the end of a line.
      end = Math.max(at, text.length - 2)
      if (end > at && text.charCodeAt(end - 1) === 0x0d) end--
    }
    const wanted = this.#node.collects !== 'nothing' && !this.#structured
    if (wanted && end > at) this.#collect(normalizeLineEnds(text.slice(at, end)))
    if (brackets === -1) return this.#hold(end, 'few characters')
    this.#inside = 'content'
    return brackets + 3
  }

  #instruction(lt: number): number {
    const end = this.#text.indexOf('?>', lt + 2)
    if (end === -1) return this.#hold(lt, 'instruction')
    const instruction = this.#text.slice(lt + 2, end)
    this.#checkTagLength(instruction.length, this.#text.slice(lt))
    const fault = instructionFault(instruction, this.#consumed + lt === 0)
    if (fault !== undefined) this.#fault(fault, lt)
    return end + 2
  }

  #checkTagLength(length: number, rest: string): void {
    if (length <= this.#limits.tag) return
    const message = `a tag is longer than ${this.#limits.tag} characters`
    throw new ScanError(message, 'limit-exceeded', rest, 'tag')
  }

  #checkValueLength(): void {
    if (this.#value.length <= this.#limits.value) return
    const message = `a value is longer than ${this.#limits.value} characters`
    throw new ScanError(message, 'limit-exceeded', this.rest, 'value')
  }
}

function indexOrEnd(text: string, search: string, from: number): number {
  const index = text.indexOf(search, from)
  return index === -1 ? text.length : index
}
