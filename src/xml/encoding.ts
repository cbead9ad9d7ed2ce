/**
 * From the bytes of a document to its text: which encoding, and where it is broken. A byte-order mark wins over the
 * charset of the Content-Type, which wins over the declaration. A label that nobody knows counts as none. A broken sequence is
 * reported, never replaced.
 * RFC 7303, section 3; XML 1.0, appendix F.
 */

import {visible} from '../protocol/errors.ts'
import {declaredEncoding} from './declarations.ts'
import {Source} from './source.ts'

/** Hears what was read. */
export interface TextReceiver {
  text(source: Source): void
  /** What is no text stands before here. It is left out. */
  broken(message: string): void
}

/**
 * The document is compressed, or in an encoding that is known and not read here, such as Shift_JIS: as UTF-8 it might be other
 * text.
 */
export class UnknownEncodingError extends Error {}

// A declaration that has not ended by then is none.
const LONGEST_DECLARATION = 1024

// A long chunk is read in pieces of this size: the text of one fits the caches of a processor.
const PIECE = 65_536

// By its first two bytes, which begin no text. RFC 1952, RFC 1950, RFC 8878, and the `compress` of Unix.
const COMPRESSED: ReadonlyMap<number, string> = /* @__PURE__ */ new Map([
  [0x1f_8b, 'gzip'],
  [0x1f_9d, 'compress'],
  [0x78_01, 'deflate'],
  [0x78_9c, 'deflate'],
  [0x78_da, 'deflate'],
  [0x28_b5, 'zstd'],
])

const LONE_SURROGATE = /\p{Surrogate}/gu

/** Decodes a document in chunks that may be cut anywhere. */
export class EncodingReader {
  readonly #charset: string | undefined
  #decoder: TextDecoder | undefined
  #kept: Uint8Array = new Uint8Array(0)
  #half = ''
  #read = 0

  /** Takes the charset of the Content-Type, where it has one. */
  constructor(charset: string | undefined) {
    this.#charset = isLabel(charset) ? charset : undefined
  }

  /** How many bytes stand before the end of the text that was given out. */
  get offset(): number {
    return this.#read
  }

  /** Decodes on. Throws {@link UnknownEncodingError}. */
  write(chunk: Uint8Array, to: TextReceiver): void {
    for (let at = 0; at < chunk.length; at += PIECE) {
      this.#piece(chunk.subarray(at, at + PIECE), to)
    }
  }

  #piece(piece: Uint8Array, to: TextReceiver): void {
    let bytes = this.#kept.length === 0 ? plainView(piece) : concatenate(this.#kept, piece)
    if (this.#decoder === undefined) {
      const begin = this.#detect(bytes, false)
      if (begin === -1) {
        this.#kept = Uint8Array.from(bytes)
        return
      }
      bytes = bytes.subarray(begin)
    }
    this.#decode(bytes, to)
  }

  /** Goes on with text that is decoded already. */
  writeText(chunk: string, to: TextReceiver): void {
    for (let at = 0; at < chunk.length; at += PIECE) {
      this.#textPiece(chunk.slice(at, at + PIECE), to)
    }
  }

  #textPiece(chunk: string, to: TextReceiver): void {
    const hasMark = this.#read === 0 && this.#half === '' && chunk.startsWith('\uFEFF')
    if (hasMark) this.#read = 3
    const text = this.#half + (hasMark ? chunk.slice(1) : chunk)
    const isCut = /[\uD800-\uDBFF]$/.test(text)
    this.#half = isCut ? text.slice(-1) : ''
    const whole = isCut ? text.slice(0, -1) : text
    let from = 0
    for (const {index} of whole.matchAll(LONE_SURROGATE)) {
      this.#giveText(whole.slice(from, index), to)
      this.#read++
      to.broken('there is half of a surrogate pair')
      from = index + 1
    }
    this.#giveText(from === 0 ? whole : whole.slice(from), to)
  }

  /** Says that there are no more bytes. Returns whether the last ones begin a character that is not complete. */
  end(to: TextReceiver): boolean {
    if (this.#decoder === undefined) {
      const kept = this.#kept
      const begin = this.#detect(kept, true)
      this.#decode(kept.subarray(begin), to)
    }
    const isCut = this.#kept.length > 0 || this.#half !== ''
    if (isCut) this.#read += this.byteLength('\0')
    return isCut
  }

  /** How many bytes the text has in the document's encoding. */
  byteLength(text: string): number {
    const encoding = this.#decoder?.encoding ?? 'utf-8'
    if (encoding.startsWith('utf-16')) return text.length * 2
    return encoding === 'utf-8' ? new TextEncoder().encode(text).length : text.length
  }

  /** Settles the encoding. Returns the length of the byte-order mark, or -1 where more bytes are needed. */
  #detect(bytes: Uint8Array, isWhole: boolean): number {
    const [first, second, third] = bytes
    const coding = COMPRESSED.get((first ?? 0) * 256 + (second ?? 0))
    if (coding !== undefined) {
      const message = `the body is compressed with ${coding}, and no Content-Encoding says so`
      throw new UnknownEncodingError(message)
    }
    const mark =
      first === 0xff && second === 0xfe
        ? 'utf-16le'
        : first === 0xfe && second === 0xff
          ? 'utf-16be'
          : ''
    if (mark !== '') return this.#settle(mark, 2)
    if (first === 0xef && second === 0xbb && third === 0xbf) return this.#settle('utf-8', 3)
    if (!isWhole && bytes.length < 3) return -1
    // Without a mark, the zero beside the first `<` tells the order.
    const order =
      first === 0x3c && second === 0 ? 'utf-16le' : first === 0 && second === 0x3c ? 'utf-16be' : ''
    if (this.#charset !== undefined) {
      return this.#settle(
        /^utf-?16$/i.test(this.#charset) && order !== '' ? order : this.#charset,
        0,
      )
    }
    if (order !== '') return this.#settle(order, 0)
    const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, LONGEST_DECLARATION))
    const mayDeclare = beginning.startsWith('<?xml') || '<?xml'.startsWith(beginning)
    if (!isWhole && mayDeclare && !beginning.includes('?>') && bytes.length < LONGEST_DECLARATION)
      return -1
    const declared = declaredEncoding(beginning)
    // What could be read as bytes so far is no UTF-16, whatever it says: .NET writes that over UTF-8.
    const isUtf16 = /^utf-?16/i.test(declared ?? '')
    return this.#settle(isLabel(declared) && !isUtf16 ? declared : 'utf-8', 0)
  }

  #settle(label: string, markLength: number): number {
    this.#decoder = decoderFor(label)
    this.#read = markLength
    return markLength
  }

  #decode(bytes: Uint8Array, to: TextReceiver): void {
    const decoder = this.#decoder
    if (decoder === undefined) return
    const whole = bytes.subarray(0, bytes.length - openLength(bytes, decoder.encoding))
    // A copy: the `slice` of a Buffer would be none, and its owner may write over it.
    this.#kept = Uint8Array.from(bytes.subarray(whole.length))
    let text: string | undefined
    try {
      text = decoder.decode(whole)
    } catch {
      this.#decodeBroken(whole, decoder, to)
    }
    // Not in the `try`: what the receiver throws is its own.
    if (text !== undefined) this.#give(text, whole, to)
  }

  /** The same for bytes of which some are broken: what stands around them is given out, each of them reported. */
  #decodeBroken(bytes: Uint8Array, decoder: TextDecoder, to: TextReceiver): void {
    const {encoding} = decoder
    const lengthAt = characterLengths(encoding)
    const unit = encoding.startsWith('utf-16') ? 2 : 1
    let from = 0
    for (let at = 0; at < bytes.length;) {
      const length = lengthAt(bytes, at)
      if (length > 0) {
        at += length
        continue
      }
      this.#give(decoder.decode(bytes.subarray(from, at)), bytes.subarray(from, at), to)
      this.#read += unit
      to.broken(`there are bytes that are no ${encoding}`)
      at += unit
      from = at
    }
    this.#give(decoder.decode(bytes.subarray(from)), bytes.subarray(from), to)
  }

  #give(text: string, bytes: Uint8Array, to: TextReceiver): void {
    this.#read += bytes.length
    if (text === '') return
    to.text(this.#decoder?.encoding === 'utf-8' ? new Source(text, bytes) : new Source(text))
  }

  #giveText(text: string, to: TextReceiver): void {
    if (text === '') return
    const source = new Source(text)
    this.#read += source.bytes.length
    to.text(source)
  }
}

// Those whose characters end where we can tell; the other ones of the platform are no one's choice for XML.
const SUPPORTED =
  /^(?:utf-8|utf-16[bl]e|ibm866|iso-8859-[\di-]+|koi8-[ru]|macintosh|windows-\d+|x-mac-cyrillic)$/

function decoderFor(label: string): TextDecoder {
  const decoder = new TextDecoder(label, {fatal: true, ignoreBOM: true})
  if (SUPPORTED.test(decoder.encoding)) return decoder
  throw new UnknownEncodingError(`the encoding ${visible(label, 60)} is not read`)
}

/** Whether the platform knows a label. `utf8mb4` and others are none. */
function isLabel(label: string | undefined): label is string {
  try {
    return label !== undefined && new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

/** How many bytes at the end begin a sequence that goes on in the next chunk. */
function openLength(bytes: Uint8Array, encoding: string): number {
  const length = bytes.length
  if (encoding === 'utf-8') {
    for (let back = 1; back <= 3 && back <= length; back++) {
      const size = sequenceLength(bytes[length - back] ?? 0)
      if (size !== 0) return size > back ? back : 0
    }
    return 0
  }
  if (!encoding.startsWith('utf-16')) return 0
  const odd = length % 2
  if (length - odd < 2) return odd
  const high = bytes[length - odd - (encoding === 'utf-16le' ? 1 : 2)] ?? 0
  return high >= 0xd8 && high <= 0xdb ? odd + 2 : odd
}

/** The length of the UTF-8 sequence that a byte begins, 0 for a byte that continues one. */
function sequenceLength(byte: number): number {
  if (byte < 0x80) return 1
  if (byte < 0xc0) return 0
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** Tells the length of the character at an index, 0 where what stands there is none. */
function characterLengths(encoding: string): (bytes: Uint8Array, at: number) => number {
  if (encoding === 'utf-8') return utf8Length
  if (encoding.startsWith('utf-16')) {
    return (bytes, at) => utf16Length(bytes, at, encoding === 'utf-16le' ? 1 : 0)
  }
  const lenient = new TextDecoder(encoding)
  return (bytes, at) => (lenient.decode(bytes.subarray(at, at + 1)) === '\uFFFD' ? 0 : 1)
}

/** RFC 3629, section 4. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const length = sequenceLength(first)
  if (length === 1) return 1
  if (length === 0 || first < 0xc2 || first > 0xf4) return 0
  // Neither longer than need be, nor half of a pair, nor behind the last character.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf
  const second = bytes[at + 1] ?? 0
  if (second < least || second > most) return 0
  for (let index = at + 2; index < at + length; index++) {
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return 0
  }
  return length
}

function utf16Length(bytes: Uint8Array, at: number, high: 0 | 1): number {
  const first = bytes[at + high] ?? 0
  if (first < 0xd8 || first > 0xdf) return 2
  const second = bytes[at + 2 + high] ?? 0
  return first <= 0xdb && second >= 0xdc && second <= 0xdf ? 4 : 0
}

/** The same bytes as what is fastest to read: a Buffer is another class. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
