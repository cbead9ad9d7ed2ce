/**
 * From the bytes of a document to its text: which encoding, and where it is broken. A byte-order mark wins over the
 * charset of the Content-Type, which wins over the declaration. A broken sequence is reported, never replaced.
 * RFC 7303, section 3; XML 1.0, appendix F.
 */

import {declaredEncoding} from './declarations.ts'

/** Hears what was read. */
export interface TextReceiver {
  text(text: string): void
  /** Bytes that are no text in the encoding stand here. They are left out. */
  broken(encoding: string): void
}

/** The document is in an encoding that cannot be read. */
export class UnknownEncodingError extends Error {}

// A declaration that has not ended by then is none.
const LONGEST_DECLARATION = 1024

/** Decodes a document in chunks that may be cut anywhere. */
export class EncodingReader {
  #charset: string | undefined
  #decoder: TextDecoder | undefined
  #kept: Uint8Array = new Uint8Array(0)
  #read = 0

  /** Takes the charset of the Content-Type, where it has one. */
  constructor(charset: string | undefined) {
    this.#charset = charset
  }

  /** How many bytes stand before the end of the text that was given out. */
  get offset(): number {
    return this.#read
  }

  /** Decodes on. Throws {@link UnknownEncodingError}. */
  write(chunk: Uint8Array, to: TextReceiver): void {
    let bytes = this.#kept.length === 0 ? chunk : concatenate(this.#kept, chunk)
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

  /** Says that there are no more bytes. Returns whether the last ones begin a character that is not complete. */
  end(to: TextReceiver): boolean {
    if (this.#decoder === undefined) {
      const kept = this.#kept
      const begin = this.#detect(kept, true)
      this.#decode(kept.subarray(begin), to)
    }
    return this.#kept.length > 0
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
    const beginning = String.fromCharCode(...bytes.subarray(0, LONGEST_DECLARATION))
    const mayDeclare = beginning.startsWith('<?xml') || '<?xml'.startsWith(beginning)
    if (!isWhole && mayDeclare && !beginning.includes('?>') && bytes.length < LONGEST_DECLARATION)
      return -1
    const declared = declaredEncoding(beginning) ?? 'utf-8'
    // What could be read as bytes so far is no UTF-16, whatever it says: .NET writes that over UTF-8.
    return this.#settle(/^utf-?16/i.test(declared) ? 'utf-8' : declared, 0)
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
    if (text !== undefined) this.#give(text, whole.length, to)
  }

  /** The same for bytes of which some are broken: what stands around them is given out, each of them reported. */
  #decodeBroken(bytes: Uint8Array, decoder: TextDecoder, to: TextReceiver): void {
    const unit = decoder.encoding === 'utf-8' ? 1 : 2
    let from = 0
    for (let at = 0; at < bytes.length;) {
      const length = characterLength(bytes, at, decoder)
      if (length > 0) {
        at += length
        continue
      }
      this.#give(decoder.decode(bytes.subarray(from, at)), at - from, to)
      to.broken(decoder.encoding)
      this.#read += unit
      at += unit
      from = at
    }
    this.#give(decoder.decode(bytes.subarray(from)), bytes.length - from, to)
  }

  #give(text: string, length: number, to: TextReceiver): void {
    this.#read += length
    if (text !== '') to.text(text)
  }
}

// Those whose characters end where we can tell; the other ones of the platform are no one's choice for XML.
const SUPPORTED =
  /^(?:utf-8|utf-16[bl]e|ibm866|iso-8859-[\di-]+|koi8-[ru]|macintosh|windows-\d+|x-mac-cyrillic)$/

function decoderFor(label: string): TextDecoder {
  let decoder: TextDecoder | undefined
  try {
    decoder = new TextDecoder(label, {fatal: true, ignoreBOM: true})
  } catch {
    // Told below, with the ones that the platform knows and we do not.
  }
  if (decoder === undefined || !SUPPORTED.test(decoder.encoding)) {
    throw new UnknownEncodingError(`the encoding ${JSON.stringify(label)} is not known`)
  }
  return decoder
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

/** The length of the character at an index, 0 where what stands there is none. */
function characterLength(bytes: Uint8Array, at: number, decoder: TextDecoder): number {
  const length =
    decoder.encoding === 'utf-8' ? sequenceLength(bytes[at] ?? 0) : utf16Length(bytes, at, decoder)
  if (length === 1) return 1
  try {
    return decoder.decode(bytes.subarray(at, at + length)) === '' ? 0 : length
  } catch {
    return 0
  }
}

function utf16Length(bytes: Uint8Array, at: number, decoder: TextDecoder): number {
  const high = bytes[decoder.encoding === 'utf-16le' ? at + 1 : at] ?? 0
  return high >= 0xd8 && high <= 0xdb ? 4 : 2
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
