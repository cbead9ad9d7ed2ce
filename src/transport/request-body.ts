/** Knows the kinds of request bodies: bodies that can be sent again, and streams that cannot. RFC 9110, section 9.2.2. */

import type {Chunks} from '../multistatus/source.ts'
import {openStream} from '../multistatus/source.ts'
import {SENT_PIECE_BYTES} from '../protocol/bounds.ts'
import {messageOf} from '../protocol/errors.ts'
import {isObject, tagOf} from '../protocol/members.ts'
import type {RequestBody, StreamedBody} from './transport.ts'

/**
 * Tells if a body can be sent again, after a redirect or a failure. Text, bytes and Blobs can. A stream or an iterable counts as
 * readable only once.
 *
 * @example
 * ```ts
 * const transport: Transport = (request) => (isReplayable(request.body) ? race(request) : send(request))
 * ```
 */
export function isReplayable(body: RequestBody | undefined): boolean {
  return !isStreamed(body)
}

/** Recognizes a body whose bytes come one after another. */
export function isStreamed(body: unknown): body is StreamedBody {
  return isObject(body) && ('getReader' in body || Symbol.asyncIterator in body)
}

/** Returns the bytes of a body; of a text, the characters; `undefined` for a streamed body. */
export function sizeOf(body: RequestBody): number | undefined {
  if (isStreamed(body)) return undefined
  if (typeof body === 'string') return body.length
  return 'size' in body ? body.size : body.byteLength
}

/**
 * Opens a streamed body for a request, and checks its pieces. Cuts long ones, so that their progress is seen: a Blob in memory is
 * one piece under Node. An error closes the source.
 *
 * @param length - The promised number of bytes. More or fewer are a TypeError.
 */
export function openPieces(body: StreamedBody, length?: number): Chunks<Uint8Array> {
  const chunks = openStream(body)
  let bytes = 0
  let rest: Uint8Array = new Uint8Array()
  const read = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
    const piece = await chunks.next()
    if (piece.done === true) {
      if (length === undefined || bytes === length) return piece
      throw new TypeError(`the body ended after ${bytes} of ${length} bytes`)
    }
    // Platforms wait without end, or send the text of the value.
    if (!(piece.value instanceof Uint8Array))
      throw new TypeError('a piece of the request body is no Uint8Array')
    bytes += piece.value.length
    if (length === undefined || bytes <= length) return piece
    throw new TypeError(`the body is longer than its length of ${length} bytes`)
  }
  return {
    async next() {
      try {
        if (rest.length === 0) {
          const piece = await read()
          if (piece.done === true) return piece
          // The last piece waits for the end of the source. Else the server would store the beginning of a longer body.
          rest = bytes === length ? new Uint8Array(piece.value) : piece.value
          if (bytes === length) while ((await read()).done !== true);
        }
        const value = rest.subarray(0, SENT_PIECE_BYTES)
        rest = rest.subarray(SENT_PIECE_BYTES)
        return {value, done: false}
      } catch (error) {
        void chunks.return().catch(() => {})
        // Platforms have no words for other values.
        throw error instanceof Error
          ? error
          : new Error(`its source threw ${messageOf(error)}`, {cause: error})
      }
    },
    return: () => chunks.return(),
  }
}

/**
 * Checks the body of a request.
 *
 * @param others - Further kinds of bodies, for the message.
 * @throws TypeError for a value that can be no body, and for a stream that is being read.
 */
export function checkBody(body: unknown, others = ''): void {
  if (body === undefined || typeof body === 'string') return
  const tag = tagOf(ArrayBuffer.isView(body) ? body.buffer : body)
  // Some platforms would send the text `[object SharedArrayBuffer]` instead.
  if (tag === '[object SharedArrayBuffer]')
    throw new TypeError('body is in shared memory: give a copy of its bytes')
  if (/^\[object (?:Blob|File|ArrayBuffer)\]$/.test(tag)) return
  if (!isStreamed(body))
    throw new TypeError(
      `body is a string, bytes, a Blob,${others} or a stream or iterable of bytes`,
    )
  if ('locked' in body && body.locked)
    throw new TypeError('body is a stream that somebody reads already')
}
