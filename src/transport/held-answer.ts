/**
 * Holds an answer with the status 400 back until its body begins. nginx and Apache refuse a connection with a page. Its words tell
 * what is wrong. Node only.
 */

import {PAGE_MILLISECONDS} from '../protocol/bounds.ts'
import type {BarredError} from './barred.ts'
import {explainPage} from './certificates.ts'
import type {DavRequest} from './transport.ts'

/** An answer that is reported once its body begins, or a while later. */
export class HeldAnswer {
  #report: (() => void) | undefined
  readonly #timer: ReturnType<typeof setTimeout>

  constructor(report: () => void) {
    this.#report = report
    this.#timer = setTimeout(() => this.release(), PAGE_MILLISECONDS)
  }

  /** Looks at a chunk of the body. Returns the error for such a page, and else reports the answer. */
  look(chunk: Uint8Array, request: DavRequest): BarredError | undefined {
    if (this.#report === undefined) return undefined
    const refused = explainPage(chunk, request)
    if (refused === undefined) this.release()
    return refused
  }

  /** Reports the answer, unless it was reported before. */
  release(): void {
    this.stop()
    this.#report?.()
    this.#report = undefined
  }

  /** Ends the time, at the end of the exchange. */
  stop(): void {
    clearTimeout(this.#timer)
  }
}
