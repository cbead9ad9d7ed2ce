/** Reports the bytes of one body that is sent or received, at a bearable pace. */

import {PROGRESS_MILLISECONDS} from '../protocol/bounds.ts'

/** The progress of one body. */
export interface TransferProgress {
  /** Bytes so far. */
  readonly bytes: number
  /** Bytes of the whole body, if known. */
  readonly total?: number
}

/** Counts the bytes of one body. Reports at most every 100 ms, and at the end. */
export class ByteMeter {
  readonly #listener: ((progress: TransferProgress) => void) | undefined
  readonly #total: number | undefined
  #bytes = 0
  #reportedAt = Number.NEGATIVE_INFINITY

  constructor(
    listener: ((progress: TransferProgress) => void) | undefined,
    total: number | undefined,
  ) {
    this.#listener = listener
    this.#total = total
  }

  /** Counts bytes that follow. */
  add(length: number): void {
    this.#bytes += length
    if (this.#listener === undefined) return
    if (performance.now() - this.#reportedAt >= PROGRESS_MILLISECONDS) this.report()
  }

  /** Reports at once: at the end of the body. */
  report(): void {
    this.#reportedAt = performance.now()
    this.#listener?.({
      bytes: this.#bytes,
      ...(this.#total !== undefined && {total: this.#total}),
    })
  }
}
