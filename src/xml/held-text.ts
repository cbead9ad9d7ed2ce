/**
 * Holds markup that the end of a chunk cut in two. The pieces are joined only when a chunk brings their end: a tag that
 * arrives byte by byte would else be copied for each byte.
 */

import {HELD_PIECES} from '../protocol/bounds.ts'
import {GREATER} from '../protocol/characters.ts'
import type {Source} from './source.ts'
import {join} from './source.ts'
import {findEndTagEnd, findTagEnd} from './tag.ts'

/** The kind of the held markup. Each kind has its own end. */
export type Held = 'few characters' | 'start tag' | 'end tag' | 'instruction'

/** Holds one piece of markup. */
export class HeldText {
  /** The number of bytes that are held. */
  length = 0
  #pieces: Source[] = []
  #as: Held = 'few characters'
  // The state at the end of the held pieces: the open quote of a start tag, or half of a `?>`.
  #quote = 0
  #endsInQuestion = false

  /** Holds the beginning of a piece. For a start tag, `quote` is the code of the quote that is open at its end. */
  keep(piece: Source, as: Held, quote = 0): void {
    this.#as = as
    this.#quote = quote
    this.append(piece)
  }

  /** Adds a chunk that does not end the piece. */
  append(chunk: Source): void {
    this.#pieces.push(chunk.copy())
    if (this.#pieces.length === HELD_PIECES) this.#pieces = [join(this.#pieces)]
    this.length += chunk.length
    this.#endsInQuestion = chunk.text.endsWith('?')
  }

  /** Returns the number of bytes of a chunk that end the piece, or a few more; 0 if the piece goes on. */
  endIn(chunk: Source): number {
    const {bytes, length} = chunk
    if (this.#as === 'end tag') return findEndTagEnd(bytes, 0) + 1
    if (this.#as === 'few characters') return bytes.indexOf(GREATER) + 1 || length
    if (this.#as === 'instruction') {
      if (this.#endsInQuestion && bytes[0] === GREATER) return 1
      return chunk.text.includes('?>') ? length : 0
    }
    const {end, quote} = findTagEnd(bytes, 0, this.#quote)
    this.#quote = quote
    return end + 1
  }

  /** Joins the held pieces and a chunk, and holds nothing any more. */
  release(chunk: Source): Source {
    const whole = join([...this.#pieces, chunk])
    this.#pieces = []
    this.length = 0
    return whole
  }
}
