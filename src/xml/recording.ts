/** What was read since a place that may have to be read again, in recovery. */

import type {Source} from './source.ts'
import {join} from './source.ts'

const MOST_RECENT = 1024

/** Keeps pieces of a document. */
export class Recording {
  #isOn = false
  #from = 0
  #pieces: Source[] = []
  // The last ones, which may be as small as a byte.
  #recent: Source[] = []

  /** Begins with the piece that is being read. */
  start(): void {
    this.#isOn = true
  }

  /** Forgets what was kept. */
  stop(): void {
    this.#isOn = false
    this.#pieces = []
    this.#recent = []
  }

  /** Keeps a source up to `end`, which begins at a byte of the document, where that was asked for. */
  add(source: Source, end: number, at: number): void {
    if (!this.#isOn) return
    if (this.#pieces.length + this.#recent.length === 0) this.#from = at
    this.#recent.push(source.to(end).copy())
    if (this.#recent.length < MOST_RECENT) return
    this.#pieces.push(join(this.#recent))
    this.#recent = []
  }

  /** Gives out what was kept from a byte of the document on, up to the end of the source that begins at another byte. */
  take(from: number, source: Source, at: number): Source {
    const kept = [...this.#pieces, ...this.#recent]
    const begin = kept.length === 0 ? at : this.#from
    this.stop()
    return from < at ? join([...kept, source]).from(from - begin) : source.from(from - at)
  }
}
