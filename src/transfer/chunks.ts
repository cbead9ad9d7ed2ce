/**
 * Cuts the body of an upload into chunks, each of which can be sent again. A stream is read once: of its bytes, one chunk at a
 * time is kept, as a temporary file under Node, Bun and Deno.
 */

import {spool} from '#files'

import type {CallContext} from '../call/call.ts'
import type {Chunks as Pieces} from '../multistatus/source.ts'
import {bytesOf} from '../protocol/bytes.ts'
import {untilAborted} from '../protocol/wait.ts'
import {NotSentError} from '../protocol/not-sent.ts'
import {isStreamed, openPieces} from '../transport/request-body.ts'
import type {StreamedBody} from '../transport/transport.ts'
import {markSent} from '../transport/withheld.ts'
import type {Spooled} from './files.ts'
import type {Content} from './upload.ts'

/** One chunk, a content of its own. */
export interface Chunk extends Content {
  /** The place of its first byte in the body. */
  readonly start: number
  readonly body: Blob | Uint8Array
  readonly length: number
  /** True if nothing follows. */
  readonly isLast: boolean
}

/** The chunks of a body. */
export interface Chunks {
  /**
   * Reads the chunk that begins at a byte. Of a stream, bytes in front of it are dropped.
   *
   * @throws NotSentError after the end of the call. RangeError for bytes of a stream that are gone. The error of the body.
   */
  read(start: number): Promise<Chunk>
  /** Frees the kept bytes. */
  close(): Promise<void>
}

/** Opens the chunks of a body for uploads to a URL. */
export function openChunks(
  {body, length}: Content,
  size: number,
  url: string,
  context: CallContext,
): Chunks {
  if (isStreamed(body)) return new StreamedChunks(body, length, size, url, context)
  const whole = 'size' in body ? body : bytesOf(body)
  return {
    async read(start) {
      const rest = (length ?? 0) - start
      const end = start + Math.min(size, rest)
      const part = 'size' in whole ? whole.slice(start, end) : whole.subarray(start, end)
      return {start, body: part, length: end - start, isLast: rest <= size}
    },
    close: async () => {},
  }
}

class StreamedChunks implements Chunks {
  readonly #pieces: Pieces<Uint8Array>
  readonly #size: number
  readonly #ending: AbortSignal
  /** Bytes that were read ahead. */
  #rest: Uint8Array = new Uint8Array()
  /** The place of the next byte. */
  #at = 0
  #isEnded = false
  #kept: Spooled | undefined

  constructor(
    stream: StreamedBody,
    length: number | undefined,
    size: number,
    url: string,
    {connection}: CallContext,
  ) {
    markSent(stream, {method: 'PUT', url})
    this.#pieces = openPieces(stream, length)
    this.#size = size
    this.#ending = connection.ending
  }

  async read(start: number): Promise<Chunk> {
    const kept = this.#kept?.blob
    const before = this.#at - (kept?.size ?? 0)
    if (start < before) throw new RangeError(`the stream is read to byte ${before} already`)
    if (kept === undefined || start >= this.#at) {
      for await (const _ of this.#take(start - this.#at));
      await this.#drop()
      this.#kept = await spool(this.#take(this.#size))
      // Read ahead, because a stream may end exactly behind a chunk.
      await this.#fill()
      return this.#chunk(start, this.#kept.blob)
    }
    return this.#chunk(start, kept.slice(start - before))
  }

  #chunk(start: number, body: Blob): Chunk {
    return {start, body, length: body.size, isLast: this.#isEnded}
  }

  /** Yields the next bytes, as many as there are and at most `limit`. */
  async *#take(limit: number): AsyncGenerator<Uint8Array> {
    for (let left = limit; left > 0 && (await this.#fill());) {
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      this.#at += piece.length
      left -= piece.length
      yield piece
    }
  }

  /** Reads a piece if none is left. Returns false at the end. */
  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0 && !this.#isEnded) {
      const next = await untilAborted(this.#pieces.next(), this.#ending).catch((error: unknown) => {
        throw this.#ending.aborted ? new NotSentError(this.#ending.reason) : error
      })
      if (next.done === true) this.#isEnded = true
      else this.#rest = next.value
    }
    return this.#rest.length > 0
  }

  async #drop(): Promise<void> {
    await this.#kept?.remove()
    this.#kept = undefined
  }

  async close(): Promise<void> {
    void this.#pieces.return().catch(() => {})
    await this.#drop()
  }
}
