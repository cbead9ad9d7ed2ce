/**
 * Removes the content codings of a body: gzip, deflate, br, zstd. Node only; elsewhere `fetch` does it. RFC 9110, section 8.4;
 * RFC 8878 (zstd).
 */

import type {Readable, TransformCallback} from 'node:stream'
import {pipeline, Transform} from 'node:stream'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'

import {MAX_CODINGS} from '../protocol/bounds.ts'
import {UndecodableError} from './undecodable.ts'

type Decoder = ReturnType<typeof createGunzip | typeof createZstdDecompress>
type Start = (first: number) => Decoder

const DECODERS: ReadonlyMap<string, Start> = new Map<string, Start>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  // Many servers leave out the header of zlib. Its low four bits are always 8, which tells the two forms apart. RFC 1950, section
  // 2.2.
  ['deflate', (first) => ((first & 0x0f) === 8 ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
  ['zstd', () => createZstdDecompress()],
])

// The end of the magic numbers with which a further frame begins, of content or to be skipped. RFC 8878, section 3.1.
const ZSTD_FRAMES: ReadonlySet<string> = new Set(['b52ffd', '2a4d18'])
const ZSTD_MAGIC_BYTES = 4

/** Returns the body without its content codings. A body in an unknown coding stays as it is. */
export function decodeBody(body: Readable, contentEncoding: string | null): Readable {
  const codings = (contentEncoding ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding !== '' && coding !== 'identity')
  const starts = codings.toReversed().map((coding) => DECODERS.get(coding))
  if (starts.length > MAX_CODINGS || starts.includes(undefined)) return body
  let current = body
  for (const start of starts) {
    if (start === undefined) continue
    // An error of one stream ends all of them, and reaches the reader of the last one.
    current = pipeline(current, new LateDecoder(start), () => {})
  }
  return current
}

/** Decodes one coding, from its first byte on: servers name a coding for an empty body too, which is no error. */
class LateDecoder extends Transform {
  readonly #start: Start
  #decoder: Decoder | undefined
  /** Called at the end of the decoder. */
  #onEnd: (() => void) | undefined
  /** Bytes behind an ended decoder. */
  #rest: Buffer | undefined
  #isOver = false

  constructor(start: Start) {
    super()
    this.#start = start
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (chunk.length === 0 || this.#isOver) done()
    else if (this.#rest === undefined) this.#decode(chunk, done)
    else this.#goOn(Buffer.concat([this.#rest, chunk]), done)
  }

  #decode(chunk: Buffer, done: TransformCallback): void {
    const decoder = (this.#decoder ??= this.#begin(chunk[0] ?? 0))
    const before = decoder.bytesWritten
    // The decoder ends itself in front of bytes that it does not want.
    this.#onEnd = () => this.#goOn(chunk.subarray(decoder.bytesWritten - before), done)
    decoder.write(chunk, () => {
      if (decoder.readableEnded) return
      this.#onEnd = undefined
      done()
    })
  }

  /** Goes on behind the end of a decoder: with a further frame, or with nothing. */
  #goOn(rest: Buffer, done: TransformCallback): void {
    this.#rest = rest
    this.#decoder = undefined
    if (rest.length < ZSTD_MAGIC_BYTES) done()
    else if (ZSTD_FRAMES.has(rest.toString('hex', 1, ZSTD_MAGIC_BYTES))) {
      this.#rest = undefined
      this.#decode(rest, done)
    } else {
      // As in the platform's fetch, other bytes behind the content are nothing.
      this.#isOver = true
      done()
    }
  }

  override _flush(done: TransformCallback): void {
    if (this.#decoder === undefined) {
      done()
      return
    }
    this.#onEnd = done
    this.#decoder.end()
  }

  override _read(size: number): void {
    this.#decoder?.resume()
    // oxlint-disable-next-line no-underscore-dangle -- the hook of Transform itself
    super._read(size)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#decoder?.destroy()
    done(error)
  }

  #begin(first: number): Decoder {
    const decoder = this.#start(first)
    decoder.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) decoder.pause()
    })
    decoder.on('end', () => this.#onEnd?.())
    decoder.on('error', (error: Error) => this.destroy(new UndecodableError(error)))
    return decoder
  }
}
