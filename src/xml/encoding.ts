/**
 * From the bytes of a document to its text. A byte-order mark wins over the charset of the Content-Type, which wins over the
 * declaration. An unknown label counts as none. A broken sequence is reported, never replaced.
 * RFC 7303, section 3; XML 1.0, appendix F.
 */

import {DECODED_BYTES, DECLARATION_BYTES} from '../protocol/bounds.ts'
import {visible} from '../protocol/errors.ts'
import {declaredEncoding} from './declaration.ts'
import {ScanError} from './handler.ts'
import {Source} from './source.ts'

/** Takes the decoded text. */
export interface TextReceiver {
  text(source: Source): void
  /** A broken sequence stands before the next text. It is left out. */
  broken(message: string): void
}

// By its first two bytes, which begin no text. RFC 1952, RFC 1950, RFC 8878, and the `compress` of Unix.
const COMPRESSED: Readonly<Record<number, string>> = {
  0x1f_8b: 'gzip',
  0x1f_9d: 'compress',
  0x78_01: 'deflate',
  0x78_9c: 'deflate',
  0x78_da: 'deflate',
  0x28_b5: 'zstd',
}

// By the mark; and without a mark, by the zero beside the first `<`.
const UTF_16: Readonly<Record<number, string>> = {
  0xff_fe: 'utf-16le',
  0xfe_ff: 'utf-16be',
  0x3c_00: 'utf-16le',
  0x00_3c: 'utf-16be',
}

/** Decodes a document in chunks that may be cut anywhere. Its methods throw {@link ScanError} for an encoding that is not read. */
export class EncodingReader {
  readonly #charset: string | undefined
  readonly #to: TextReceiver
  #decoder: TextDecoder | undefined
  #kept: Uint8Array = new Uint8Array(0)
  #half = ''
  #read = 0

  /** Takes the charset of the Content-Type, if it has one. */
  constructor(charset: string | undefined, to: TextReceiver) {
    this.#charset = isLabel(charset) ? charset : undefined
    this.#to = to
  }

  /** The number of bytes before the end of the text that was given out. */
  get offset(): number {
    return this.#read
  }

  /** Decodes on; text is taken as it is. A long chunk is read in pieces, because a short text fits the caches of a processor. */
  write(chunk: Uint8Array | string): void {
    for (let at = 0; at < chunk.length; at += DECODED_BYTES) {
      if (typeof chunk === 'string') this.#writeText(chunk.slice(at, at + DECODED_BYTES))
      else this.#writeBytes(chunk.subarray(at, at + DECODED_BYTES))
    }
  }

  /** Ends the document. Returns true if its last bytes begin a character that is not complete. */
  end(): boolean {
    const kept = this.#kept
    if (this.#decoder === undefined && kept.length > 0)
      this.#decode(kept.subarray(this.#detect(kept, true)))
    const isCut = this.#kept.length > 0 || this.#half !== ''
    if (isCut) this.#read += this.byteLength('\0')
    return isCut
  }

  /** The length of a text in the document's encoding. */
  byteLength(text: string): number {
    const encoding = this.#decoder?.encoding ?? 'utf-8'
    return encoding === 'utf-8' ? new Source(text).length : text.length * unitOf(encoding)
  }

  #writeBytes(piece: Uint8Array): void {
    let bytes = this.#kept.length === 0 ? plainView(piece) : concatenate(this.#kept, piece)
    if (this.#decoder === undefined) {
      const begin = this.#detect(bytes, false)
      if (begin === -1) {
        this.#kept = Uint8Array.from(bytes)
        return
      }
      bytes = bytes.subarray(begin)
    }
    this.#decode(bytes)
  }

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

  /** Settles the encoding. Returns the length of the byte-order mark, or -1 if more bytes are needed. */
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
      const isUtf16 = /^utf-?16$/i.test(this.#charset)
      return this.#settle((isUtf16 ? order : undefined) ?? this.#charset, 0)
    }
    if (order !== undefined) return this.#settle(order, 0)
    const beginning = new TextDecoder('latin1').decode(bytes.subarray(0, DECLARATION_BYTES))
    const mayDeclare = beginning.startsWith('<?xml') || '<?xml'.startsWith(beginning)
    const isOpen = mayDeclare && !beginning.includes('?>') && bytes.length < DECLARATION_BYTES
    if (!isWhole && isOpen) return -1
    const declared = declaredEncoding(beginning)
    // Text that could be read as bytes so far is no UTF-16, whatever it declares: .NET writes that over UTF-8.
    const isUtf16 = /^utf-?16/i.test(declared ?? '')
    return this.#settle(isLabel(declared) && !isUtf16 ? declared : 'utf-8', 0)
  }

  #settle(label: string, markLength: number): number {
    const decoder = new TextDecoder(label, {fatal: true, ignoreBOM: true})
    // As UTF-8, text in another encoding that is known, such as Shift_JIS, might be other text.
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
    // A copy: the `slice` of a Buffer would be none, and its owner may write over it.
    this.#kept = Uint8Array.from(bytes.subarray(whole.length))
    const text = decodeWhole(whole, decoder)
    if (text === undefined) this.#decodeBroken(whole, decoder)
    else this.#emit(this.#sourceOf(text, whole))
  }

  /** Decodes bytes with broken ones among them: emits the text around these, and reports each of them. */
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

  #sourceOf(text: string, bytes: Uint8Array): Source {
    if (this.#decoder?.encoding === 'utf-8') return new Source(text, bytes)
    const source = new Source(text)
    // The bytes of a source are UTF-8; those of the document count.
    this.#read += bytes.length - source.length
    return source
  }

  #emit(source: Source): void {
    this.#read += source.length
    if (source.length > 0) this.#to.text(source)
  }
}

// The ends of their characters can be found. The platform's other encodings are no one's choice for XML.
const SUPPORTED = /^(?:utf-|ibm866|iso-8859-|koi8-|macintosh|windows-|x-mac-cyrillic)/

/** Tests for a label that the platform knows. `utf8mb4` is none. */
function isLabel(label: string | undefined): label is string {
  try {
    return label !== undefined && new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

function decodeWhole(bytes: Uint8Array, decoder: TextDecoder): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function unitOf(encoding: string): 1 | 2 {
  return encoding.startsWith('utf-16') ? 2 : 1
}

/** The length of the character that a unit begins; 0 for a byte that continues one. RFC 3629, section 3. */
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

/** The number of bytes at the end that begin a character which goes on in the next chunk. */
function openLength(bytes: Uint8Array, encoding: string): number {
  const unit = unitOf(encoding)
  const odd = bytes.length % unit
  for (let open = odd + unit; open <= Math.min(bytes.length, 3); open += unit) {
    const length = characterLength(bytes, bytes.length - open, encoding)
    if (length > 0) return length > open - odd ? open : odd
  }
  return odd
}

/** The same bytes as the class that is fastest to read: a Buffer is another class. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
