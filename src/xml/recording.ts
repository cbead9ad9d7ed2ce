/** What was read since a place that may have to be read again, in recovery. */

import type {Source} from './source.ts'
import {join} from './source.ts'

/** Keeps pieces of a document. */
export class Recording {
  #isOn = false
  #from = 0
  #pieces: Source[] = []

  /** Begins with the piece that is being read. */
  start(): void {
    this.#isOn = true
  }

  /** Forgets what was kept. */
  stop(): void {
    this.#isOn = false
    this.#pieces = []
  }

  /** Keeps a source up to `end`, which begins at a byte of the document, where that was asked for. */
  add(source: Source, end: number, at: number): void {
    if (!this.#isOn) return
    if (this.#pieces.length === 0) this.#from = at
    this.#pieces.push(source.to(end).copy())
  }

  /** Gives out what was kept from a byte of the document on. */
  take(at: number): Source {
    const source = join(this.#pieces).from(at - this.#from)
    this.stop()
    return source
  }
}
