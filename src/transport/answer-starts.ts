/**
 * Passes an unasked 100 Continue to undici as 102 Processing, which it ignores. undici 8.12 breaks the exchange at a 100. A client may
 * ignore it. RFC 9110, section 15.2.
 */

import type {Socket} from 'node:net'

const INTERIM = /^HTTP\/1\.\d 1\d\d/
const STATUS_DIGITS = 12

/** Watches the starts of the answers on a socket. Its other bytes stay as they are. */
export class AnswerStarts {
  #isExpected = false

  constructor(socket: Socket) {
    const read = socket.read.bind(socket)
    socket.read = (size) => {
      const chunk: unknown = read(size)
      if (this.#isExpected && chunk instanceof Uint8Array)
        this.#isExpected = hideContinue(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length))
      return chunk
    }
  }

  /** Notes that a request is sent: the next bytes begin its answer. */
  expect(): void {
    this.#isExpected = true
  }
}

/** Renumbers each 100 among the interim answers at the start of a chunk. Returns whether the final answer is still to come. */
function hideContinue(chunk: Buffer): boolean {
  let at = 0
  while (INTERIM.test(chunk.toString('latin1', at, at + STATUS_DIGITS))) {
    if (chunk.toString('latin1', at + 9, at + STATUS_DIGITS) === '100') chunk.write('102', at + 9)
    const end = chunk.indexOf('\r\n\r\n', at)
    if (end === -1) return true
    at = end + 4
  }
  return at === chunk.length
}
