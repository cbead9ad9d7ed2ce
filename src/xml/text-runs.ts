/**
 * Text between tags: what may not stand in it, what is decoded, and how much of a run is whole where a chunk ends in it.
 * XML 1.0, sections 2.2, 2.4, 2.11 and 4.1.
 */

import {visible} from '../protocol/errors.ts'
import {
  decodeReference,
  describeForbidden,
  FORBIDDEN,
  highSurrogateAtEnd,
  LONGEST_REFERENCE,
} from './characters.ts'
import type {Cursor} from './cursor.ts'
import type {OpenElements} from './open-elements.ts'

const AMPERSAND = 0x26
const SEMICOLON = 0x3b
const LESS = 0x3c
const BRACKET = 0x5d
const RETURN = 0x0d

const EACH_FORBIDDEN = new RegExp(FORBIDDEN, 'g')

/** By byte: 1 for those that need no look in a text. `EF` does, because U+FFFE and U+FFFF begin with it. */
export const PLAIN: Uint8Array = /* @__PURE__ */ plainBytes()

/** Reads runs of text, in order. */
export class TextRuns<Known> {
  readonly #cursor: Cursor
  readonly #elements: OpenElements<Known>

  constructor(cursor: Cursor, elements: OpenElements<Known>) {
    this.#cursor = cursor
    this.#elements = elements
  }

  /**
   * Reads the text at a byte up to the next `<`: one with something in it that needs a look, or that the end of the source cuts.
   * Returns the index behind it.
   */
  readOdd(from: number): number {
    const {bytes} = this.#cursor.source
    const lt = bytes.indexOf(LESS, from)
    const to = lt === -1 ? this.#wholeRunEnd(from) : lt
    if (to > from) this.read(from, to, false)
    return to === lt || to === bytes.length ? to : this.#cursor.hold(to, 'few characters')
  }

  /** The end of the part of a run that can be read without the next chunk: behind it may be half of a character. */
  #wholeRunEnd(from: number): number {
    const {source} = this.#cursor
    const to = wholeRunEnd(source.bytes, from)
    if (source.bytes[to - 1] !== SEMICOLON) return to
    return to - highSurrogateAtEnd(source.slice(Math.max(from, to - LONGEST_REFERENCE), to))
  }

  /** Reads a run between two bytes. `isPlain` where each of them is. */
  read(from: number, to: number, isPlain: boolean): void {
    const elements = this.#elements
    const {source} = this.#cursor
    if (elements.node === elements.document) return this.#outsideRoot(from, source.slice(from, to))
    const isWanted = elements.wantsText
    if (isPlain && !isWanted) return undefined
    const run = source.slice(from, to)
    const text = isPlain ? run : this.#decode(run, from)
    return isWanted ? elements.value.append(text, source, to) : undefined
  }

  /** The same for what stands in a comment or a CDATA section, which holds any character that a document may. */
  characters(run: string, from: number): string {
    return FORBIDDEN.test(run)
      ? run.replaceAll(EACH_FORBIDDEN, (character: string, index: number) => {
          this.#cursor.fault(describeForbidden(character), from, index)
          return ''
        })
      : run
  }

  /** The run that begins at a byte with its references decoded and without what may not be in it. */
  #decode(run: string, from: number): string {
    const decoded: string[] = []
    let begin = 0
    for (let index = 0; index < run.length;) {
      const code = run.charCodeAt(index)
      if (code < 0x80 ? PLAIN[code] === 1 : code < 0xff_fe) {
        index++
      } else if (code === BRACKET) {
        if (run.startsWith(']]>', index))
          this.#cursor.fault("']]>' may not stand in text", from, index)
        index++
      } else {
        const {character, length} = this.#odd(run, index, code, from)
        decoded.push(run.slice(begin, index), character)
        index += length
        begin = index
      }
    }
    if (begin === 0) return run
    decoded.push(run.slice(begin))
    return decoded.join('')
  }

  /** What an odd character at an index, with what belongs to it, stands for. */
  #odd(
    run: string,
    index: number,
    code: number,
    from: number,
  ): {character: string; length: number} {
    if (code === RETURN) {
      return {character: '\n', length: run.startsWith('\n', index + 1) ? 2 : 1}
    }
    const isReference = code === AMPERSAND
    const reference = isReference
      ? decodeReference(run, index)
      : describeForbidden(run.charAt(index))
    if (typeof reference === 'object') return reference
    this.#cursor.fault(reference, from, index)
    return {character: isReference ? '&' : '', length: 1}
  }

  #outsideRoot(from: number, run: string): void {
    const index = run.search(/[^ \t\r\n]/)
    if (index === -1) return
    if (this.#elements.hasRoot) {
      this.#cursor.fault('there is text after the root element', from, index)
      return
    }
    const excerpt = visible(run.slice(index, index + 100), 60)
    const message = `the body begins with ${JSON.stringify(excerpt)}`
    this.#cursor.fail(message, from, index, 'not-multistatus')
  }
}

/** Where the part of a run ends that can be read without what comes next: before a reference, a `]]>` or a CR LF that is cut. */
function wholeRunEnd(bytes: Uint8Array, from: number): number {
  const {length} = bytes
  let to = length
  if (bytes[to - 1] === RETURN || bytes[to - 1] === BRACKET) to--
  if (to < length && bytes[to] === BRACKET && bytes[to - 1] === BRACKET) to--
  for (let at = length - 1; at >= Math.max(from, length - LONGEST_REFERENCE); at--) {
    if (bytes[at] === SEMICOLON) break
    if (bytes[at] !== AMPERSAND) continue
    to = at
    break
  }
  return Math.max(from, to)
}

function plainBytes(): Uint8Array {
  const plain = new Uint8Array(256).fill(1)
  plain.fill(0, 0, 0x20)
  plain[0x09] = plain[0x0a] = 1
  for (const odd of [0x3c, AMPERSAND, BRACKET, 0xef]) plain[odd] = 0
  return plain
}
