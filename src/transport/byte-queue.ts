/**
 * The chunks of a body, between a source that pushes them and a reader that takes them. Asks the source to pause while much is held.
 * A stream of Node does the same, and takes longer than the rest of a small exchange.
 */

import {END} from '../multistatus/source.ts'
import {QUEUED_BYTES} from '../protocol/bounds.ts'
import type {IterableBody} from './transport.ts'

/** The source of a body. */
export interface ByteSource {
  /** Lets further chunks come. */
  resume(): void
  /** Ends the exchange of a body that nobody reads to its end. */
  abandon(): void
}

/** A body that can be read once. */
export class ByteQueue implements Required<IterableBody>, AsyncIterator<Uint8Array, undefined> {
  readonly #source: ByteSource
  readonly #chunks: Uint8Array[] = []
  #held = 0
  #isOver = false
  #error: {readonly reason: unknown} | undefined
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array, undefined>> | undefined

  constructor(source: ByteSource) {
    this.#source = source
  }

  /** Bytes that were pushed and not taken. */
  get held(): number {
    return this.#held
  }

  /** Lets further chunks come, unread. */
  flow(): void {
    if (!this.#isOver) this.#source.resume()
  }

  /** Adds a chunk. Returns false if the source is to pause. */
  push(chunk: Uint8Array): boolean {
    if (this.#isOver) return true
    const waiting = this.#waiting
    if (waiting !== undefined) {
      this.#waiting = undefined
      waiting.resolve({value: chunk, done: false})
      return true
    }
    this.#chunks.push(chunk)
    this.#held += chunk.length
    return this.#held < QUEUED_BYTES
  }

  /** Ends the body. The chunks before can still be taken. */
  end(): void {
    this.#isOver = true
    this.#waiting?.resolve(END)
  }

  /** Breaks the body. The chunks before can still be taken. */
  fail(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#waiting === undefined) this.#error = {reason}
    else this.#waiting.reject(reason)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const value = this.#chunks.shift()
    if (value !== undefined) {
      this.#held -= value.length
      if (this.#chunks.length === 0 && !this.#isOver) this.#source.resume()
      return {value, done: false}
    }
    if (this.#error !== undefined) {
      const {reason} = this.#error
      this.#error = undefined
      throw reason
    }
    if (this.#isOver) return END
    this.#waiting ??= Promise.withResolvers()
    this.#source.resume()
    return this.#waiting.promise
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    await this.cancel()
    return END
  }

  async cancel(): Promise<void> {
    this.#chunks.length = 0
    this.#held = 0
    this.#error = undefined
    if (this.#isOver) return
    this.end()
    this.#source.abandon()
  }
}
