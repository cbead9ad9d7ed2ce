/**
 * Decodes the bytes of a document. A byte-order mark wins over the charset of the Content-Type, which wins over the XML
 * declaration. An unknown label counts as absent. Broken bytes are reported and never replaced: a replaced character in an
 * href would name another resource. RFC 7303, section 3; XML 1.0, appendix F.
 */

import {DECODED_BYTES, DECLARATION_BYTES} from '../protocol/bounds.ts'
import {bytesOf} from '../protocol/bytes.ts'
import {visible} from '../protocol/errors.ts'
import {declaredEncoding} from './declaration.ts'
import {ScanError} from './handler.ts'
import {Source} from './source.ts'

/** The receiver of decoded text. */
export interface TextReceiver {
  /** Called with each piece of text, in order. */
  text(source: Source): void
  /** Called for bytes that are no character, between the texts around them. */
  broken(message: string): void
}

// Compressions by their first two bytes, which begin no XML. RFC 1952, RFC 1950, RFC 8878, and the `compress` of Unix. They
// are recognized for the message only: a body without its Content-Encoding would else count as odd text.
const COMPRESSED: Readonly<Record<number, string>> = {
  0x1f_8b: 'gzip',
  0x1f_9d: 'compress',
  0x78_01: 'deflate',
  0x78_9c: 'deflate',
  0x78_da: 'deflate',
  0x28_b5: 'zstd',
}

// Byte orders by the byte-order mark and, without a mark, by the zero beside the first `<`.
const UTF_16: Readonly<Record<number, string>> = {
  0xff_fe: 'utf-16le',
  0xfe_ff: 'utf-16be',
  0x3c_00: 'utf-16le',
  0x00_3c: 'utf-16be',
}

/** Decodes a document in chunks that may be cut anywhere. Its methods throw {@link ScanError} for an unsupported encoding. */
export class EncodingReader {
  readonly #charset: string | undefined
  readonly #to: TextReceiver
  // Absent until the encoding is known.
  #decoder: TextDecoder | undefined
  // Bytes that wait for the next chunk: the beginning of a document, or of a character.
  #kept: Uint8Array = new Uint8Array(0)
  // The first half of a surrogate pair at the end of a chunk of text.
  #half = ''
  #read = 0

  /** Takes the charset of the Content-Type, if it has one. */
  constructor(charset: string | undefined, to: TextReceiver) {
    this.#charset = isLabel(charset) ? charset : undefined
    this.#to = to
  }

  /** The number of bytes of the document up to the end of the emitted text. */
  get offset(): number {
    return this.#read
  }

  /** Decodes the next chunk; text counts as decoded. A long chunk is read in pieces that fit the caches of a processor. */
  write(chunk: Uint8Array | string): void {
    for (let at = 0; at < chunk.length; at += DECODED_BYTES) {
      if (typeof chunk === 'string') this.#writeText(chunk.slice(at, at + DECODED_BYTES))
      else this.#writeBytes(chunk.subarray(at, at + DECODED_BYTES))
    }
  }

  /** Ends the document. Returns true if it breaks off within a character. */
  end(): boolean {
    const kept = this.#kept
    // A document shorter than its encoding's signs: no more bytes come, so decide by these.
    if (this.#decoder === undefined && kept.length > 0)
      this.#decode(kept.subarray(this.#detect(kept, true)))
    const isCut = this.#kept.length > 0 || this.#half !== ''
    if (isCut) this.#read += this.byteLength('\0')
    return isCut
  }

  /** Returns the length of a text in the document's encoding, to find the byte of a fault. */
  byteLength(text: string): number {
    const encoding = this.#decoder?.encoding ?? 'utf-8'
    return encoding === 'utf-8' ? new Source(text).length : text.length * unitOf(encoding)
  }

  #writeBytes(piece: Uint8Array): void {
    let bytes = this.#kept.length === 0 ? bytesOf(piece) : concatenate(this.#kept, piece)
    if (this.#decoder === undefined) {
      const begin = this.#detect(bytes, false)
      if (begin === -1) {
        // A copy: the chunk belongs to the caller, who may write over it.
        this.#kept = Uint8Array.from(bytes)
        return
      }
      bytes = bytes.subarray(begin)
    }
    this.#decode(bytes)
  }

  /** Takes decoded text. Half of a surrogate pair is broken like bytes: UTF-8 has no form for it. */
  #writeText(piece: string): void {
    const hasMark = this.#read === 0 && this.#half === '' && piece.startsWith('\uFEFF')
    if (hasMark) this.#read = 3
    const text = this.#half + (hasMark ? piece.slice(1) : piece)
    const isCut = /[\uD800-\uDBFF]$/.test(text)
    this.#half = isCut ? text.slice(-1) : ''
    const whole = isCut ? text.slice(0, -1) : text
    const [first = '', ...others] = whole.split(/\p{Surrogate}/u)
    this.#emit(new Source(first))
    for (const other of others) {
      this.#read++
      this.#to.broken('there is half of a surrogate pair')
      this.#emit(new Source(other))
    }
  }

  /** Detects the encoding. Returns the length of the byte-order mark, or -1 if more bytes are needed. */
  #detect(bytes: Uint8Array, isWhole: boolean): number {
    // A single byte is no pair of them: `<` alone is the beginning of a document, not UTF-16.
    const first = bytes.length < 2 ? -1 : (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0)
    const coding = COMPRESSED[first]
    if (coding !== undefined) {
      const message = `the body is compressed with ${coding}, and no Content-Encoding says so`
      throw new ScanError(message, 'encoding')
    }
    const order = UTF_16[first]
    if (order !== undefined && first >= 0xfe_ff) return this.#settle(order, 2)
    if (first === 0xef_bb && bytes[2] === 0xbf) return this.#settle('utf-8', 3)
    if (!isWhole && bytes.length < 3) return -1
    if (this.#charset !== undefined) {
      // The label `utf-16` leaves the byte order open. The first bytes tell it even without a mark.
      const isUtf16 = /^utf-?16$/i.test(this.#charset)
      return this.#settle((isUtf16 ? order : undefined) ?? this.#charset, 0)
    }
    if (order !== undefined) return this.#settle(order, 0)
    const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_BYTES))
    const mayDeclare = beginning.startsWith('<?xml') || '<?xml'.startsWith(beginning)
    const isOpen = mayDeclare && !beginning.includes('?>') && bytes.length < DECLARATION_BYTES
    if (!isWhole && isOpen) return -1
    const declared = declaredEncoding(beginning)
    // A declaration that is readable as single bytes cannot be in UTF-16. .NET declares utf-16 over UTF-8.
    const isUtf16 = /^utf-?16/i.test(declared ?? '')
    return this.#settle(isLabel(declared) && !isUtf16 ? declared : 'utf-8', 0)
  }

  #settle(label: string, markLength: number): number {
    const decoder = new TextDecoder(label, {fatal: true, ignoreBOM: true})
    // No fallback to UTF-8: the bytes of Shift_JIS, for example, may be other characters there.
    if (!SUPPORTED.test(decoder.encoding))
      throw new ScanError(`the encoding ${visible(label, 60)} is not read`, 'encoding')
    this.#decoder = decoder
    this.#read = markLength
    return markLength
  }

  #decode(bytes: Uint8Array): void {
    const decoder = this.#decoder
    if (decoder === undefined) return
    const whole = bytes.subarray(0, bytes.length - openLength(bytes, decoder.encoding))
    // `from` copies. The `slice` of a Buffer is a view, and the owner of the chunk may write over it.
    this.#kept = Uint8Array.from(bytes.subarray(whole.length))
    const text = decodeWhole(whole, decoder)
    if (text === undefined) this.#decodeBroken(whole, decoder)
    else this.#emit(this.#sourceOf(text, whole))
  }

  /**
   * Decodes bytes of which some are broken: emits the text between them, and reports each broken unit. The strict parser throws
   * at the first report. Recovery goes on.
   */
  #decodeBroken(bytes: Uint8Array, decoder: TextDecoder): void {
    const {encoding} = decoder
    const unit = unitOf(encoding)
    let from = 0
    const flush = (to: number): void => {
      const piece = bytes.subarray(from, to)
      this.#emit(this.#sourceOf(decoder.decode(piece), piece))
    }
    for (let at = 0; at < bytes.length;) {
      const length = characterLength(bytes, at, encoding)
      const isAscii = unit === 1 && (bytes[at] ?? 0) < 0x80
      const isGood = isAscii || decodeWhole(bytes.subarray(at, at + length), decoder)
      if (length > 0 && isGood !== undefined) {
        at += length
        continue
      }
      flush(at)
      this.#read += unit
      this.#to.broken(`there are bytes that are no ${encoding}`)
      at += unit
      from = at
    }
    flush(bytes.length)
  }

  /** Makes a source, whose bytes are always UTF-8. */
  #sourceOf(text: string, bytes: Uint8Array): Source {
    if (this.#decoder?.encoding === 'utf-8') return new Source(text, bytes)
    const source = new Source(text)
    // Offsets count the document's bytes, and `#emit` adds those of the source.
    this.#read += bytes.length - source.length
    return source
  }

  #emit(source: Source): void {
    this.#read += source.length
    if (source.length > 0) this.#to.text(source)
  }
}

// Encodings of which `characterLength` knows the characters. The platform's others, such as Shift_JIS, are refused.
const SUPPORTED = /^(?:utf-|ibm866|iso-8859-|koi8-|macintosh|windows-|x-mac-cyrillic)/

/** Tests for a label that the platform knows. MySQL's `utf8mb4`, for example, is unknown. */
function isLabel(label: string | undefined): label is string {
  // Nearly all labels. To make a decoder takes longer.
  if (label === 'utf-8') return true
  try {
    return label !== undefined && new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

/** Decodes whole characters; `undefined` if some of the bytes are broken. */
function decodeWhole(bytes: Uint8Array, decoder: TextDecoder): string | undefined {
  try {
    // Node 22 reads windows-1252 as Latin-1, except in a stream. No byte of it waits for another one.
    return decoder.decode(bytes, {stream: decoder.encoding === 'windows-1252'})
  } catch {
    return undefined
  }
}

/** The bytes of the smallest unit of an encoding. */
function unitOf(encoding: string): 1 | 2 {
  return encoding.startsWith('utf-16') ? 2 : 1
}

/** Returns the bytes of the character that begins at a unit; 0 for a byte that continues one. RFC 3629, section 3. */
function characterLength(bytes: Uint8Array, at: number, encoding: string): number {
  if (unitOf(encoding) === 2) {
    const high = bytes[encoding === 'utf-16le' ? at + 1 : at] ?? 0
    return high >= 0xd8 && high <= 0xdb ? 4 : 2
  }
  const byte = bytes[at] ?? 0
  if (encoding !== 'utf-8' || byte < 0x80) return 1
  if (byte < 0xc0) return 0
  if (byte < 0xe0) return 2
  return byte < 0xf0 ? 3 : 4
}

/** Counts the bytes at the end of a chunk that begin a character of which the rest is in the next chunk. */
function openLength(bytes: Uint8Array, encoding: string): number {
  const unit = unitOf(encoding)
  const odd = bytes.length % unit
  for (let open = odd + unit; open <= Math.min(bytes.length, 3); open += unit) {
    const length = characterLength(bytes, bytes.length - open, encoding)
    if (length > 0) return length > open - odd ? open : odd
  }
  return odd
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
