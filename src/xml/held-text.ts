/**
 * The piece of markup that the end of a chunk cut in two. A long one in small chunks is put together once, not once a chunk:
 * what is held is looked at again only when a chunk brings what may end it.
 */

import type {Source} from './source.ts'
import {join} from './source.ts'
import {findEndTagEnd, findTagEnd} from './tag.ts'

/** What is held, and so what ends it. */
export type Held = 'few characters' | 'start tag' | 'end tag' | 'instruction'

const GREATER = 0x3e

// Pieces may be as small as a byte.
const MOST_PIECES = 1024

/** Holds one piece. */
export class HeldText {
  /** How many bytes are held. */
  length = 0
  #pieces: Source[] = []
  #as: Held = 'few characters'
  // Of what is held, so that it need not be put together to be looked at.
  #quote = 0
  #endsInQuestion = false

  /** What is held, put together. */
  get text(): string {
    return this.#pieces.map((piece) => piece.text).join('')
  }

  /** Holds a piece; of a start tag, with the code of the quote that is open at its end. */
  keep(piece: Source, as: Held, quote = 0): void {
    this.#as = as
    this.#quote = quote
    this.append(piece)
  }

  /** Adds a chunk that does not end the piece. */
  append(chunk: Source): void {
    this.#pieces.push(chunk.copy())
    if (this.#pieces.length === MOST_PIECES) this.#pieces = [join(this.#pieces)]
    this.length += chunk.bytes.length
    if (chunk.text !== '') this.#endsInQuestion = chunk.text.endsWith('?')
  }

  /** How many bytes of a chunk end the piece, or a few more; 0 where it does not end there. */
  endIn(chunk: Source): number {
    const {bytes, length} = chunk
    switch (this.#as) {
      case 'few characters': {
        const greater = bytes.indexOf(GREATER)
        return greater === -1 ? length : greater + 1
      }
      case 'end tag':
        return findEndTagEnd(bytes, 0) + 1
      case 'instruction':
        if (this.#endsInQuestion && bytes[0] === GREATER) return 1
        return chunk.text.includes('?>') ? length : 0
      default: {
        const {end, quote} = findTagEnd(bytes, 0, this.#quote)
        this.#quote = quote
        return end + 1
      }
    }
  }

  /** Gives the piece out, with the chunk behind it. */
  release(chunk: Source): Source {
    const whole = join([...this.#pieces, chunk])
    this.#pieces = []
    this.length = 0
    return whole
  }
}
