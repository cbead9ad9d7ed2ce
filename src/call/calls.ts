/** The calls of a client that are under way. They share one listener on each signal that ends all of them. */

/** A call that a signal may end. */
export interface EndableCall {
  /** Looks at the signals, and ends the call if one of them is aborted. */
  readonly onAbort: () => void
}

/** The calls under way. */
export class Calls {
  /** The signals that end every call. */
  readonly signals: readonly AbortSignal[]
  // A list, and not a listener for each call: V8 keeps the chain of removed listeners, with their calls, until it collects all
  // garbage. The same is true of the old tables of a Set.
  readonly #calls: EndableCall[] = []

  constructor(signals: readonly AbortSignal[]) {
    this.signals = signals
  }

  add(call: EndableCall): void {
    this.#calls.push(call)
    if (this.#calls.length > 1) return
    for (const signal of this.signals) signal.addEventListener('abort', this.#onAbort)
  }

  /** Removes a call. Does nothing for one that was removed before. */
  delete(call: EndableCall): void {
    const index = this.#calls.indexOf(call)
    if (index === -1) return
    const last = this.#calls.pop()
    if (last !== undefined && last !== call) this.#calls[index] = last
    if (this.#calls.length > 0) return
    for (const signal of this.signals) signal.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = (): void => {
    for (const {onAbort} of Array.from(this.#calls)) onAbort()
  }
}
