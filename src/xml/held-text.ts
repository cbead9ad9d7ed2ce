/**
 * The piece of markup that the end of a chunk cut in two. A long one in small chunks is put together once, not once a chunk:
 * what is held is looked at again only when a chunk brings what may end it.
 */

import type {Source} from './source.ts'
import {join} from './source.ts'
import {findTagEnd} from './tag.ts'

/** What is held, and so what ends it. */
export type Held = 'few characters' | 'start tag' | 'end tag' | 'instruction'

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

  /** Whether a chunk may end the piece. */
  endsWith(chunk: Source): boolean {
    if (this.#as === 'few characters') return true
    if (this.#as === 'end tag') return /[<>]/.test(chunk.text)
    if (this.#as === 'instruction') {
      return chunk.text.includes('?>') || (this.#endsInQuestion && chunk.text.startsWith('>'))
    }
    const {end, quote} = findTagEnd(chunk.bytes, 0, this.#quote)
    this.#quote = quote
    return end !== -1
  }

  /** Gives the piece out, with the chunk behind it. */
  release(chunk: Source): Source {
    const whole = join([...this.#pieces, chunk])
    this.clear()
    return whole
  }

  /** Holds nothing any more. */
  clear(): void {
    this.#pieces = []
    this.length = 0
  }
}
