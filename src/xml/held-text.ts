/**
 * The piece of markup that the end of a chunk cut in two. A long one in small chunks is put together once, not once a chunk:
 * what is held is looked at again only when a chunk brings what may end it.
 */

import {findTagEnd} from './tag.ts'

/** What is held, and so what ends it. */
export type Held = 'few characters' | 'start tag' | 'end tag' | 'instruction'

/** Holds one piece. */
export class HeldText {
  /** The piece, empty where nothing is held. */
  text = ''
  #as: Held = 'few characters'
  // Of what is held, so that it need not be put together to be looked at.
  #quote = 0
  #endsInQuestion = false

  /** Holds a piece; of a start tag, with the code of the quote that is open at its end. */
  keep(text: string, as: Held, quote = 0): void {
    this.text = text
    this.#as = as
    this.#quote = quote
    this.#endsInQuestion = text.endsWith('?')
  }

  /** Adds a chunk that does not end the piece. */
  append(chunk: string): void {
    this.text += chunk
    if (chunk !== '') this.#endsInQuestion = chunk.endsWith('?')
  }

  /** Whether a chunk may end the piece. */
  endsWith(chunk: string): boolean {
    if (this.#as === 'few characters') return true
    if (this.#as === 'end tag') return /[<>]/.test(chunk)
    if (this.#as === 'instruction') {
      return chunk.includes('?>') || (this.#endsInQuestion && chunk.startsWith('>'))
    }
    const {end, quote} = findTagEnd(chunk, 0, this.#quote)
    this.#quote = quote
    return end !== -1
  }

  /** Gives the piece out. */
  release(): string {
    const text = this.text
    this.text = ''
    return text
  }
}
