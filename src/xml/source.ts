/**
 * A piece of a document as bytes and as text. Bytes are faster to search and to compare. Values are cut out of the text, so that
 * a chunk is decoded at once. All indices count bytes.
 */

import {ownCopy} from './characters.ts'

// The bits that are 0 in four bytes of ASCII.
const ASCII_MASK = 0x80_80_80_80

/** A piece of a document. Its ends are ends of characters. */
export class Source {
  readonly text: string
  readonly bytes: Uint8Array
  /** The same bytes, to be compared four at a time. */
  readonly view: DataView
  /** The number of bytes. */
  readonly length: number
  // The last counted byte, the index of its character, and the end of the ASCII behind it. A body is read forwards, so the next
  // index is seldom far from the last one.
  #byte = 0
  #character = 0
  #asciiEnd = 0

  /** Takes a text and its UTF-8. The text has no lone surrogates, because UTF-8 has no form for them. */
  constructor(text: string, bytes: Uint8Array = new TextEncoder().encode(text)) {
    this.text = text
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.length = bytes.length
  }

  /** Cuts out the text between two bytes. */
  slice(from: number, to: number = this.length): string {
    if (this.#isAscii) return this.text.slice(from, to)
    const begin = this.#characterAt(from)
    return this.text.slice(begin, this.#characterAt(to))
  }

  /** Cuts out the piece between two bytes. */
  cut(from: number, to: number = this.length): Source {
    if (from === 0 && to === this.length) return this
    return new Source(this.slice(from, to), this.bytes.subarray(from, to))
  }

  /** Copies the piece, to keep it behind the end of its chunk. The bytes of a chunk belong to the caller and may change. */
  copy(): Source {
    return new Source(ownCopy(this.text), Uint8Array.from(this.bytes))
  }

  get #isAscii(): boolean {
    return this.text.length === this.length
  }

  /** Converts the index of a byte to the index of its character. */
  #characterAt(byte: number): number {
    if (byte < this.#byte || byte > this.#asciiEnd) this.#count(byte)
    return this.#character + byte - this.#byte
  }

  /** Counts to another byte, forwards or backwards, and finds the end of the ASCII behind it. */
  #count(byte: number): void {
    const {bytes} = this
    if (byte < this.#byte) {
      while (this.#byte > byte) this.#character -= units(bytes[--this.#byte] ?? 0)
      this.#asciiEnd = byte
    }
    for (;;) {
      this.#asciiEnd = this.#findAsciiEnd(this.#asciiEnd)
      if (this.#asciiEnd >= byte) return
      this.#character += this.#asciiEnd - this.#byte
      this.#byte = this.#asciiEnd
      do this.#character += units(bytes[this.#byte++] ?? 0)
      while (this.#byte < byte && (bytes[this.#byte] ?? 0) >= 0x80)
      this.#asciiEnd = this.#byte
    }
  }

  // Most of a body is ASCII, of which each byte is a character: it is skipped, not counted.
  #findAsciiEnd(from: number): number {
    const {bytes, view, length} = this
    let end = from
    for (; end + 16 <= length; end += 16) {
      const bits =
        view.getInt32(end, true) |
        view.getInt32(end + 4, true) |
        view.getInt32(end + 8, true) |
        view.getInt32(end + 12, true)
      if ((bits & ASCII_MASK) !== 0) break
    }
    while (end < length && (bytes[end] ?? 0) < 0x80) end++
    return end
  }
}

/** Counts the units of UTF-16 that a byte begins: 2 for a sequence of four bytes, 0 for a byte that continues a sequence. */
function units(byte: number): number {
  if ((byte & 0xc0) === 0x80) return 0
  return byte >= 0xf0 ? 2 : 1
}

/** Joins the pieces of a tag or a value, in time that grows with their length only. */
export function join(pieces: readonly Source[]): Source {
  const [first] = pieces
  if (first !== undefined && pieces.length === 1) return first
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.bytes.length, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece.bytes, at)
    at += piece.bytes.length
  }
  return new Source(pieces.map((piece) => piece.text).join(''), bytes)
}

/**
 * Compares the bytes at an index with another piece. Runs for every tag, so it takes 16 bytes at a time, then four: one at a time
 * takes five times as long. The last four may overlap the ones before.
 */
export function standsAt({view, length}: Source, part: Source, at: number): boolean {
  const end = part.length
  if (at + end > length) return false
  const words = part.view
  if (end < 4) return standsShort(view, words, at)
  let index = 0
  for (; index <= end - 16; index += 16) {
    const difference =
      (view.getInt32(at + index, true) ^ words.getInt32(index, true)) |
      (view.getInt32(at + index + 4, true) ^ words.getInt32(index + 4, true)) |
      (view.getInt32(at + index + 8, true) ^ words.getInt32(index + 8, true)) |
      (view.getInt32(at + index + 12, true) ^ words.getInt32(index + 12, true))
    if (difference !== 0) return false
  }
  for (; index < end - 4; index += 4)
    if (view.getInt32(at + index, true) !== words.getInt32(index, true)) return false
  return view.getInt32(at + end - 4, true) === words.getInt32(end - 4, true)
}

function standsShort(view: DataView, words: DataView, at: number): boolean {
  for (let index = 0; index < words.byteLength; index++) {
    if (view.getUint8(at + index) !== words.getUint8(index)) return false
  }
  return true
}

/** Finds a piece from an index on. Returns its index, or -1. */
export function indexOf(source: Source, part: Source, from: number): number {
  const {bytes} = source
  const first = part.view.getUint8(0)
  for (let at = bytes.indexOf(first, from); at !== -1; at = bytes.indexOf(first, at + 1)) {
    if (standsAt(source, part, at)) return at
  }
  return -1
}

/** An empty piece, to stand for none. */
export const NOTHING: Source = /* @__PURE__ */ new Source('')
