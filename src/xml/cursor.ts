/** Where in a document the reading stands, what of it is held for the next chunk, and what becomes of a fault there. */

import type {MultiStatusErrorReason as Reason} from '../protocol/errors.ts'
import {ScanError} from './handler.ts'
import {type Held, HeldText} from './held-text.ts'
import {Source} from './source.ts'

const NOTHING: Source = /* @__PURE__ */ new Source('')

/** A place in a document. */
export class Cursor {
  /** The piece that is being read. */
  source: Source = NOTHING
  /** What comes next, of what was fed. */
  unread: Source = NOTHING
  /** Where in it the markup begins that is being read. */
  at = 0
  /** How many bytes stand before the source. */
  consumed = 0
  /** What the source begins inside of. */
  inside: 'content' | 'comment' | 'cdata' = 'content'
  /** What the end of the source cut in two. */
  readonly held: HeldText = new HeldText()
  /** Whether the reading goes on behind a fault. */
  readonly recovers: boolean
  readonly #onFault: (message: string) => void
  readonly #longestTag: number

  constructor(recovers: boolean, longestTag: number, onFault: (message: string) => void) {
    this.recovers = recovers
    this.#longestTag = longestTag
    this.#onFault = onFault
  }

  /** The text from the markup that is being read up to what is unread. */
  get rest(): string {
    return this.held.length === 0 ? this.source.slice(this.at) : this.held.text
  }

  /**
   * Goes on with a chunk, or with what was held before it and as much of it as may end that: most of it is read where it lies.
   * The rest of one that was fed is taken whole, so that a chunk is in three pieces at most. Returns whether there is anything
   * to be read.
   */
  feed(chunk: Source, isRest: boolean): boolean {
    this.unread = NOTHING
    if (this.held.length === 0) {
      this.source = chunk
      return true
    }
    const end = this.held.endIn(chunk)
    if (end > 0) {
      const isWhole = isRest || end === chunk.length
      this.source = this.held.release(isWhole ? chunk : chunk.to(end))
      if (!isWhole) this.unread = chunk.from(end)
      return true
    }
    this.held.append(chunk)
    if (!this.#isHeldTooLong) return false
    this.source = this.held.release(NOTHING)
    return this.#tooLong(this.source.text)
  }

  /** The source is read. */
  finish(): void {
    this.consumed += this.source.bytes.length - this.held.length
    this.source = NOTHING
    this.at = 0
  }

  /** Keeps the source from a byte on for the next chunk. Returns the end of it. */
  hold(from: number, as: Held, quote = 0): number {
    this.held.keep(this.source.from(from), as, quote)
    if (as !== 'few characters' && this.#isHeldTooLong) this.#tooLong(this.held.text)
    return this.source.bytes.length
  }

  /** Ends the reading at some characters behind a byte. */
  fail(
    message: string,
    at: number,
    characters = 0,
    reason: Reason = 'not-well-formed',
    limit?: string,
  ): never {
    throw new ScanError(message, reason, this.source.slice(at).slice(characters), limit)
  }

  /** The same for what recovery goes on behind. */
  fault(message: string, at: number, characters = 0): void {
    if (!this.recovers) this.fail(message, at, characters)
    this.at = at
    this.#onFault(message)
  }

  /** Ends the reading where the tag at a byte is too long. */
  checkTag(at: number, length: number): void {
    if (length > this.#longestTag) this.#tooLong(this.source.slice(at))
  }

  /** Whether it is, but for what begins and ends it: a `</` and a `?` at most. */
  get #isHeldTooLong(): boolean {
    return this.held.length - 3 > this.#longestTag
  }

  #tooLong(rest: string): never {
    const message = `a tag is longer than ${this.#longestTag} bytes`
    throw new ScanError(message, 'limit-exceeded', rest, 'tag')
  }
}
