/**
 * Markup that is no tag: comments, CDATA sections, processing instructions, and what else a `<!` may begin.
 * XML 1.0, sections 2.5 to 2.8.
 */

import {normalizeLineEnds} from './characters.ts'
import type {Cursor} from './cursor.ts'
import {declarationOf, instructionFault, LONGEST_BEGINNING} from './declarations.ts'
import type {OpenElements} from './open-elements.ts'
import type {Needle} from './source.ts'
import {indexOf, needle} from './source.ts'
import type {TextRuns} from './text-runs.ts'

const GREATER = 0x3e
const DASH = 0x2d
const RETURN = 0x0d
const DASHES: Needle = /* @__PURE__ */ needle('--')
const CDATA_END: Needle = /* @__PURE__ */ needle(']]>')
const INSTRUCTION_END: Needle = /* @__PURE__ */ needle('?>')

/** Reads sections. Each method takes the byte at which to read on, and returns the one behind what it has read. */
export class Sections<Known> {
  readonly #cursor: Cursor
  readonly #elements: OpenElements<Known>
  readonly #runs: TextRuns<Known>

  constructor(cursor: Cursor, elements: OpenElements<Known>, runs: TextRuns<Known>) {
    this.#cursor = cursor
    this.#elements = elements
    this.#runs = runs
  }

  /** Reads what a `<!` begins: enters a comment or a CDATA section, and refuses all else. */
  declaration(lt: number): number {
    const cursor = this.#cursor
    const {length} = cursor.source.bytes
    const end = lt + LONGEST_BEGINNING
    const kind = declarationOf(cursor.source.slice(lt, Math.min(end, length)), end > length)
    const {hasRoot, node, document} = this.#elements
    switch (kind) {
      case 'comment':
        cursor.inside = 'comment'
        return lt + '<!--'.length
      case 'cdata':
        if (node === document) this.#fault('a CDATA section stands outside the root element', lt)
        cursor.inside = 'cdata'
        return lt + '<![CDATA['.length
      case 'cut':
        return cursor.hold(lt, 'few characters')
      case 'html':
        if (!hasRoot) cursor.fail('the body is an HTML page', lt, 0, 'not-multistatus')
        break
      default:
    }
    const isDoctype = kind === 'doctype' || kind === 'html'
    this.#fault(
      isDoctype ? 'a DOCTYPE is refused' : "'<!' begins neither a comment nor a CDATA section",
      lt,
    )
    return lt + 1
  }

  /** Reads on inside a comment. */
  comment(at: number): number {
    const cursor = this.#cursor
    const {bytes} = cursor.source
    const {length} = bytes
    const dashes = indexOf(cursor.source, DASHES, at)
    const isCut = dashes === -1 || dashes + 2 === length
    let end = dashes
    if (dashes === -1) end = bytes[length - 1] === DASH ? Math.max(at, length - 1) : length
    this.#runs.characters(cursor.source.slice(at, end), at)
    if (isCut) return end === length ? end : cursor.hold(end, 'few characters')
    if (bytes[dashes + 2] === GREATER) {
      cursor.inside = 'content'
      return dashes + 3
    }
    cursor.fault("'--' may not stand in a comment", dashes)
    return dashes + 1
  }

  /** Reads on inside a CDATA section. */
  cdata(at: number): number {
    const cursor = this.#cursor
    const {source} = cursor
    const brackets = indexOf(source, CDATA_END, at)
    const end = brackets === -1 ? wholeSectionEnd(source.bytes, at) : brackets
    if (end > at) {
      const run = this.#runs.characters(source.slice(at, end), at)
      if (this.#elements.wantsText) this.#elements.value.append(normalizeLineEnds(run), source, end)
    }
    if (brackets === -1) return cursor.hold(end, 'few characters')
    cursor.inside = 'content'
    return brackets + 3
  }

  /** Reads a processing instruction. */
  instruction(lt: number): number {
    const cursor = this.#cursor
    const {source} = cursor
    const end = indexOf(source, INSTRUCTION_END, lt + 2)
    if (end === -1) return cursor.hold(lt, 'instruction')
    cursor.checkTag(lt, end - lt - 2)
    const fault = instructionFault(source.slice(lt + 2, end), cursor.consumed + lt === 0)
    if (fault !== undefined) cursor.fault(fault, lt)
    return end + 2
  }

  /** What stands before the root says what the document is. Behind that, recovery goes on. */
  #fault(message: string, lt: number): void {
    if (this.#elements.hasRoot) this.#cursor.fault(message, lt)
    else this.#cursor.fail(message, lt)
  }
}

/** Where what can be read of a CDATA section ends: its end may be cut in two, and so may the end of a line. */
function wholeSectionEnd(bytes: Uint8Array, from: number): number {
  let end = Math.max(from, bytes.length - 2)
  while (end > from && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--
  return end > from && bytes[end - 1] === RETURN ? end - 1 : end
}
