/**
 * Reads markup as it arrives, split anywhere: tags, text, CDATA, comments, processing instructions. Strict about
 * well-formedness, refuses every DOCTYPE, holds back no more than one tag. Knows no WebDAV.
 * XML 1.0 (fifth edition); Namespaces in XML 1.0.
 */

import {type MultiStatusErrorReason as Reason, visible} from '../protocol/errors.ts'
import {normalizeLineEnds, standsAt, trimSpaceEnd} from './characters.ts'
import type {ScannerHandler, ScannerLimits} from './handler.ts'
import {ScanError} from './handler.ts'
import {declarationAt, instructionFault} from './declarations.ts'
import {type Held, HeldText} from './held-text.ts'
import {OpenElements} from './open-elements.ts'
import type {PathNode} from './path.ts'
import {indexOrEnd, TextRuns, wholeRunEnd} from './text-runs.ts'
import {findTagEnd, readTagName, TagError} from './tag.ts'

const SLASH = 0x2f
const EXCLAMATION = 0x21
const QUESTION = 0x3f

/** A push scanner: `feed` it text, and it calls its handler. */
export class Scanner<Detail> {
  readonly #handler: ScannerHandler<Detail>
  readonly #limits: ScannerLimits
  readonly #recovers: boolean
  readonly #elements: OpenElements<Detail>
  readonly #runs: TextRuns<Detail>
  #inside: 'content' | 'comment' | 'cdata' = 'content'

  #text = ''
  #at = 0
  #consumed = 0
  readonly #held = new HeldText()

  constructor(handler: ScannerHandler<Detail>, limits: ScannerLimits, recovers: boolean) {
    this.#handler = handler
    this.#limits = limits
    this.#recovers = recovers
    this.#elements = new OpenElements(handler, limits, recovers)
    this.#runs = new TextRuns(this.#elements, (message, at) => this.#fault(message, at))
  }

  /** How many characters stand before the markup that is being read. */
  get position(): number {
    return this.#consumed + this.#at
  }

  /** The text that was fed, from the markup that is being read. */
  get rest(): string {
    return this.#held.text === '' ? this.#text.slice(this.#at) : this.#held.text
  }

  /** Reads on. Throws {@link ScanError}; after that the scanner is done for. */
  feed(chunk: string): void {
    if (this.#held.text === '') {
      this.#text = chunk
    } else if (this.#held.endsWith(chunk)) {
      this.#text = this.#held.release() + chunk
    } else {
      this.#held.append(chunk)
      this.#checkTagLength(this.#held.text.length - 2, this.#held.text)
      return
    }
    this.#runs.reset()
    const length = this.#text.length
    for (let at = 0; at < length;) {
      if (this.#inside === 'content') at = this.#content(at)
      else if (this.#inside === 'cdata') at = this.#cdata(at)
      else at = this.#comment(at)
    }
    const end = length - this.#held.text.length
    this.#elements.value.cut(this.#text, end)
    this.#consumed += end
    this.#at = 0
    if (this.#held.text === '') this.#text = ''
  }

  /** Says that there is no more. Throws {@link ScanError} where the document is not complete. */
  end(): void {
    const {node, document, hasRoot} = this.#elements
    if (node === document && hasRoot && this.#inside === 'content') {
      if (this.#held.text === '') return
      if (!this.#held.text.startsWith('<')) {
        this.#text = this.#held.text
        this.#runs.reset()
        this.#runs.read(this.#text, 0, this.#text.length)
        return
      }
    }
    if (this.#consumed === 0 && this.#held.text === '')
      throw new ScanError('the body is empty', 'truncated', '')
    const where = node === document ? '' : ` inside <${visible(readTagName(node.tag), 100)}>`
    throw new ScanError(`the body ends early${where}`, 'truncated', '')
  }

  /** Reports what the reader of the bytes found wrong: it stands at the end of what was fed. */
  fault(message: string, reason: Reason): void {
    if (!this.#recovers) throw new ScanError(message, reason, '')
    this.#handler.fault(message, false)
  }

  #fail(message: string, at: number, reason: Reason = 'not-well-formed', limit?: string): never {
    throw new ScanError(message, reason, this.#text.slice(at), limit)
  }

  #fault(message: string, at: number, lost = false): void {
    if (!this.#recovers) this.#fail(message, at)
    this.#at = at
    this.#handler.fault(message, lost)
  }

  /** Keeps the text from `from` on for the next chunk. */
  #hold(from: number, as: Held, quote = 0): number {
    const held = this.#text.slice(from)
    this.#held.keep(held, as, quote)
    if (as !== 'few characters') this.#checkTagLength(held.length - 2, held)
    return this.#text.length
  }

  #content(from: number): number {
    const text = this.#text
    const elements = this.#elements
    let at = from
    let gt = -1
    for (;;) {
      const lt = text.indexOf('<', at)
      if (lt === -1) return this.#openEndedText(at)
      if (lt > at) this.#runs.read(text, at, lt)
      const node = elements.node
      const second = text.charCodeAt(lt + 1)
      if (second === SLASH) {
        if (standsAt(text, node.endTag, lt)) {
          this.#at = lt
          elements.close(text, lt)
          at = lt + node.endTag.length
        } else {
          at = this.#endTag(lt)
        }
      } else if (second === EXCLAMATION) {
        return this.#declaration(lt)
      } else if (second === QUESTION) {
        at = this.#instruction(lt)
      } else {
        let child = elements.expectedAt(text, lt)
        if (child === undefined) {
          if (gt < lt) gt = indexOrEnd(text, '>', lt)
          if (gt < text.length) child = elements.known(text.slice(lt + 1, gt))
        }
        if (child === undefined) {
          at = this.#startTag(lt)
        } else {
          this.#at = lt
          elements.open(child, lt)
          at = lt + child.startTag.length
          if (child.collects === 'markup' && !child.selfClosing)
            at = elements.closeRepeated(text, at)
        }
      }
      if (at === text.length) return at
    }
  }

  #openEndedText(from: number): number {
    const to = wholeRunEnd(this.#text, from)
    if (to > from) this.#runs.read(this.#text, from, to)
    return to === this.#text.length ? to : this.#hold(to, 'few characters')
  }

  #startTag(lt: number): number {
    const text = this.#text
    const elements = this.#elements
    const {end, quote} = findTagEnd(text, lt + 1, 0)
    if (end === -1) {
      return this.#hold(lt, lt + 1 === text.length ? 'few characters' : 'start tag', quote)
    }
    const tag = text.slice(lt + 1, end)
    this.#checkTagLength(tag.length, text.slice(lt))
    if (elements.node === elements.document && elements.hasRoot) {
      this.#fail('there is a second root element', lt)
    }
    this.#at = lt
    const isClosed = text[end] === '>'
    let child: PathNode<Detail>
    try {
      if (!isClosed) throw new TagError("a '<' stands inside a tag", tag.length)
      child = elements.childOf(elements.node, tag)
    } catch (error) {
      if (!(error instanceof TagError)) throw error
      const at = lt + 1 + error.index
      if (error.limit !== undefined) this.#fail(error.message, at, 'limit-exceeded', error.limit)
      this.#fault(error.message, at)
      // In recovery the name alone opens the element; without one the `<` is text.
      const name = readTagName(tag)
      if (name === '' || name.length > this.#limits.name) return lt + 1
      child = elements.childOf(elements.node, tag.endsWith('/') ? `${name}/` : name)
    }
    elements.open(child, lt)
    return isClosed ? end + 1 : end
  }

  #endTag(lt: number): number {
    const text = this.#text
    const elements = this.#elements
    let end = lt + 2
    while (end < text.length && text[end] !== '>' && text[end] !== '<') end++
    if (end === text.length) return this.#hold(lt, 'end tag')
    const written = text.slice(lt + 2, end)
    this.#checkTagLength(written.length, text.slice(lt))
    const endTag = `</${trimSpaceEnd(written)}>`
    if (text[end] === '<') this.#fault("a '<' stands inside an end tag", end)
    const next = text[end] === '<' ? end : end + 1
    this.#at = lt
    const match = elements.find(endTag)
    if (match !== elements.node) {
      const {node, document} = elements
      const expected = node === document ? 'no element is open' : `${node.endTag} is due`
      this.#fault(
        `${visible(endTag, 100)} stands where ${visible(expected, 100)}`,
        lt,
        match === undefined,
      )
    }
    // In recovery an end tag ends the element it names with all that is open in it, or nothing.
    if (match !== undefined) while (elements.node.depth >= match.depth) elements.close(text, lt)
    return next
  }

  #declaration(lt: number): number {
    const kind = declarationAt(this.#text, lt)
    switch (kind) {
      case 'comment':
        this.#inside = 'comment'
        return lt + '<!--'.length
      case 'cdata':
        if (this.#elements.node.depth === 0)
          this.#fail('a CDATA section stands outside the root element', lt)
        this.#inside = 'cdata'
        return lt + '<![CDATA['.length
      case 'cut':
        return this.#hold(lt, 'few characters')
      case 'html':
        return this.#fail('the body is an HTML page', lt, 'not-multistatus')
      case 'doctype':
        return this.#fail('a DOCTYPE is refused', lt)
      default:
        this.#fault("'<!' begins neither a comment nor a CDATA section", lt)
        return lt + 1
    }
  }

  #comment(at: number): number {
    const text = this.#text
    const dashes = text.indexOf('--', at)
    if (dashes === -1 && !text.endsWith('-')) return text.length
    if (dashes === -1) return this.#hold(Math.max(at, text.length - 1), 'few characters')
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
    if (end > at && this.#elements.wantsText) {
      this.#elements.value.append(normalizeLineEnds(text.slice(at, end)))
    }
    if (brackets === -1) return this.#hold(end, 'few characters')
    this.#inside = 'content'
    return brackets + 3
  }

  #instruction(lt: number): number {
    const end = this.#text.indexOf('?>', lt + 2)
    if (end === -1) return this.#hold(lt, 'instruction')
    const instruction = this.#text.slice(lt + 2, end)
    this.#checkTagLength(instruction.length, this.#text.slice(lt))
    // The library that makes trees of markup reads quotes in an instruction, which XML does not.
    this.#elements.value.leaveOut(this.#text, lt, end + 2)
    const fault = instructionFault(instruction, this.#consumed + lt === 0)
    if (fault !== undefined) this.#fault(fault, lt)
    return end + 2
  }

  #checkTagLength(length: number, rest: string): void {
    if (length <= this.#limits.tag) return
    const message = `a tag is longer than ${this.#limits.tag} characters`
    throw new ScanError(message, 'limit-exceeded', rest, 'tag')
  }
}
