/**
 * Passes an unasked 100 Continue to undici as 102 Processing, which it ignores. undici 8.12 breaks the exchange at a 100. A client may
 * ignore it. RFC 9110, section 15.2.
 */

import type {Socket} from 'node:net'

// The beginning of an interim answer. Each 0 stands for any digit.
const INTERIM = 'HTTP/1.0 100'
const HEAD_END = '\r\n\r\n'

/** Watches the starts of the answers on a socket. Its other bytes stay as they are. */
export class AnswerStarts {
  #isExpected = false
  /** The beginning of the current head, at most as long as that of an interim answer. */
  #start = ''
  /** The number of bytes of the end of the head that have come. */
  #ending = 0

  constructor(socket: Socket) {
    const read = socket.read.bind(socket)
    socket.read = (size) => {
      const chunk: unknown = read(size)
      if (this.#isExpected && chunk instanceof Uint8Array) this.#isExpected = this.#hide(chunk)
      return chunk
    }
  }

  /** Notes that a request is sent: the next bytes begin its answer. */
  expect(): void {
    this.#isExpected = true
    this.#start = ''
    this.#ending = 0
  }

  /**
   * Renumbers each 100 among the interim answers at the start of an answer. A head may come in any pieces. Returns whether the
   * final answer is still to come.
   */
  #hide(chunk: Uint8Array): boolean {
    for (const [at, byte] of chunk.entries()) {
      const character = String.fromCharCode(byte)
      if (this.#start.length < INTERIM.length) {
        const known = INTERIM.charAt(this.#start.length)
        if (known === '0' ? !/\d/.test(character) : character !== known) return false
        this.#start += character
        if (this.#start.endsWith(' 100')) chunk[at] = 0x32
      } else {
        const isNext = character === HEAD_END.charAt(this.#ending)
        this.#ending = isNext ? this.#ending + 1 : character === '\r' ? 1 : 0
        if (this.#ending === HEAD_END.length) {
          this.#start = ''
          this.#ending = 0
        }
      }
    }
    return true
  }
}
